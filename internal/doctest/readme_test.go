package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// quotedHeading is a heading of README.md as a text that an administrator reads quotes
// it, and quotedStep one or two of its numbered headings.
var (
	quotedHeading = regexp.MustCompile(`(?:under|README\.md,) "([^"]+)"`)
	quotedStep    = regexp.MustCompile(`\bsteps? (\d+)(?:,? (?:and|or) (\d+))?`)
)

// TestReadmeHeadings looks up every heading of README.md that a text of the programs
// sends its reader to.
func TestReadmeHeadings(t *testing.T) {
	t.Parallel()
	headings, told := titles(prose(t, root+"/README.md")), 0
	for file, text := range texts(t) {
		for _, message := range text {
			if strings.Contains(message, "README.md") {
				told++
			}
			for _, missing := range unheaded(message, headings) {
				t.Errorf("%s: README.md has no heading %s: %q", file, missing, message)
			}
		}
	}
	if told < 10 {
		t.Errorf("only %d texts speak of README.md", told)
	}
}

// unheaded returns the headings that a text quotes from README.md and that are not
// there.
func unheaded(text string, headings []string) (missing []string) {
	if !strings.Contains(text, "README.md") {
		return nil
	}
	for _, match := range quotedHeading.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(headings, match[1]) {
			missing = append(missing, match[1])
		}
	}
	for _, match := range quotedStep.FindAllStringSubmatch(text, -1) {
		for _, number := range match[1:] {
			numbered := func(title string) bool { return strings.HasPrefix(title, number+". ") }
			if number != "" && !slices.ContainsFunc(headings, numbered) {
				missing = append(missing, number)
			}
		}
	}
	return missing
}

func TestUnheaded(t *testing.T) {
	t.Parallel()
	headings := []string{"2. Register the app in Entra", "3. Choose how the app signs in", "Renew it by hand"}
	text := `See step 3 of README.md, or steps 2 and 13, as README.md shows under "Renew it by hand" and under "Renewing it"; README.md, "Rotate".`
	want := []string{"Renewing it", "Rotate", "13"}
	if got := unheaded(text, headings); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := unheaded(`Step 99, under "Nothing".`, headings); got != nil {
		t.Errorf("got %q of a text about something else", got)
	}
}

// titles are the headings of a text, as they are written.
func titles(text string) (titles []string) {
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		titles = append(titles, match[1])
	}
	return titles
}

// texts are what programs and template may tell an administrator, by file: the strings
// of Go, and the lines of YAML.
func texts(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, path := range files(t, ".yaml") {
		found[path] = strings.Split(read(t, path), "\n")
	}
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = literals(file)
	}
	return found
}

// literals are the strings of a file. Those that are added up are one; the parts are
// among them too.
func literals(file *ast.File) (found []string) {
	ast.Inspect(file, func(node ast.Node) bool {
		if expression, ok := node.(ast.Expr); ok {
			if text := folded(expression); text != "" {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

// folded is what an expression adds up to: "" where it is no string, and of a sum what
// is known of it.
func folded(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return folded(e.X) + folded(e.Y)
		}
	case *ast.ParenExpr:
		return folded(e.X)
	}
	return ""
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	const source = "package p\nvar a = \"one \" + (`two ` + b) + \"three\"\nvar c = f(\"four\" + g(\"five\"), 6+7)\n"
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	got := literals(file)
	for _, want := range []string{"one two three", "four", "five"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}
