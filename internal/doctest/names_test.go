package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// qualified is a name of Go in backquotes: `webhook.Handler.ServeHTTP`, with or
// without what stands in parentheses.
var qualified = regexp.MustCompile("`([a-z]+)\\.([A-Za-z]+)(?:\\.([A-Za-z]+))?(?:\\([^`]*\\))?`")

// TestNames looks up every qualified name that a Markdown file mentions. A name
// of a package that is not ours is not looked up.
func TestNames(t *testing.T) {
	t.Parallel()
	packages, names := declared(t)
	for _, file := range files(t, ".md") {
		for _, name := range unknown(read(t, file), packages, names) {
			t.Errorf("%s: there is no %s", file, name)
		}
	}
}

// unknown returns the qualified names in a text that our packages do not have.
func unknown(text string, packages, names map[string]bool) []string {
	var found []string
	for _, match := range qualified.FindAllStringSubmatch(text, -1) {
		name := strings.Trim(strings.Join(match[1:], "."), ".")
		if packages[match[1]] && !names[name] {
			found = append(found, name)
		}
	}
	return found
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	packages, names := declared(t)
	text := "`webhook.Handler.ServeHTTP`, `revocation.Settings.CallTimeout`, `revocation.Ledger.Write`, `slog.Nothing`, " +
		"`notification.Decode(r)`, `webhook.Handler.Lost`, `revocation.Gone`, `revocation.Ledger.Forget(ctx)`"
	want := []string{"webhook.Handler.Lost", "revocation.Gone", "revocation.Ledger.Forget"}
	if got := unknown(text, packages, names); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// declared returns the names of our packages, and every name that they declare
// on the top level, methods and fields by their type.
func declared(t *testing.T) (packages, names map[string]bool) {
	t.Helper()
	packages, names = make(map[string]bool), make(map[string]bool)
	fset := token.NewFileSet()
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		in := file.Name.Name
		packages[in] = true
		for _, declaration := range file.Decls {
			for _, name := range namesOf(declaration) {
				names[in+"."+name] = true
			}
		}
	}
	return packages, names
}

func namesOf(declaration ast.Decl) []string {
	if f, ok := declaration.(*ast.FuncDecl); ok {
		if f.Recv == nil {
			return []string{f.Name.Name}
		}
		return []string{receiver(f.Recv.List[0].Type) + "." + f.Name.Name}
	}
	var names []string
	if general, ok := declaration.(*ast.GenDecl); ok {
		for _, spec := range general.Specs {
			names = append(names, specNames(spec)...)
		}
	}
	return names
}

func specNames(spec ast.Spec) []string {
	var names []string
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names = append(names, name.Name)
		}
	case *ast.TypeSpec:
		names = append(names, s.Name.Name)
		for _, member := range members(s.Type) {
			names = append(names, s.Name.Name+"."+member)
		}
	}
	return names
}

// members are the fields of a struct or the methods of an interface.
func members(expression ast.Expr) []string {
	var list *ast.FieldList
	switch typ := expression.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	var names []string
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

func receiver(expression ast.Expr) string {
	switch typ := expression.(type) {
	case *ast.StarExpr:
		return receiver(typ.X)
	case *ast.IndexExpr:
		return receiver(typ.X)
	case *ast.Ident:
		return typ.Name
	}
	return ""
}

// command is a target of make in backquotes or in a fenced block.
var (
	command = regexp.MustCompile("(?m)(?:`|^ *)make ([a-z]+)")
	target  = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// TestCommands looks up every target of make that a Markdown file mentions.
func TestCommands(t *testing.T) {
	t.Parallel()
	targets := make(map[string]bool)
	for _, match := range target.FindAllStringSubmatch(read(t, root+"/Makefile"), -1) {
		targets[match[1]] = true
	}
	for _, file := range files(t, ".md") {
		for _, match := range command.FindAllStringSubmatch(read(t, file), -1) {
			if !targets[match[1]] {
				t.Errorf("%s: make has no target %s", file, match[1])
			}
		}
	}
}
