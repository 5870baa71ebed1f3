package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tested is a package of one test.
const tested = `package tested

import (
	"fmt"
	"strings"
	"testing"
)

func TestIt(t *testing.T) { %s }

var _ = fmt.Sprint(strings.Fields(""))
`

// TestRun runs the tests of invented packages.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body        string
		fails       string
		shows       []string
		doesNotShow string
	}{
		"quiet":           {body: `t.Log("harmless")`, shows: []string{"ok  \ttested"}, doesNotShow: "harmless"},
		"error text":      {body: `t.Log("no such user: hanako@contoso.com")`, fails: "1 tests print", shows: []string{"LEAK: tested TestIt prints a user principal name", "ok  \ttested"}},
		"standard output": {body: `fmt.Println("secret abc8Q~def")`, fails: "1 tests print", shows: []string{"LEAK: tested TestIt prints a client secret"}},
		"token":           {body: `fmt.Println("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln")`, fails: "1 tests print", shows: []string{"a token or an assertion"}},
		"subtest's name":  {body: `t.Run("canary-4711", func(*testing.T) {})`, fails: "1 tests print", shows: []string{"prints a canary"}},
		"heading":         {body: `fmt.Println("--- hanako@contoso.com")`, fails: "1 tests print", shows: []string{"LEAK: tested TestIt prints a user principal name"}},
		"other heading":   {body: `fmt.Println("=== RUN   hanako@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"after its name":  {body: `fmt.Println("--- PASS: TestIt hanako@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"longer name":     {body: `fmt.Println("--- PASS: TestIt@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"attribute":       {body: `t.Attr("user", "hanako@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"in two events":   {body: `fmt.Println(strings.Repeat("x", 4090) + " hanako@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"unfinished line": {body: `fmt.Print("hanako@contoso.com")`, fails: "tests print", shows: []string{"LEAK"}},
		"failing":         {body: `t.Error("broken")`, fails: "go test", shows: []string{"it_test.go:9: broken", "--- FAIL: TestIt", "FAIL\ttested"}},
		"beside failing":  {body: `t.Run("a", func(*testing.T) { fmt.Println("WARNING: DATA RACE") }); t.Error("broken")`, fails: "go test", shows: []string{"WARNING: DATA RACE", "--- FAIL: TestIt"}},
		"beside passing":  {body: `t.Run("a", func(*testing.T) { fmt.Println("chatter") })`, shows: []string{"ok  \ttested"}, doesNotShow: "chatter"},
		"panicking":       {body: `panic("at the disco")`, fails: "go test", shows: []string{"panic: at the disco"}},
		"not compiling":   {body: `x`, fails: "go test", shows: []string{"undefined: x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"go.mod": "module tested\n", "it_test.go": strings.Replace(tested, "%s", test.body, 1)} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, complaints strings.Builder
			err := run(t.Context(), dir, []string{"go", "test", "."}, &out, &complaints)
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Errorf("got %v, want %q", err, test.fails)
			}
			for _, want := range test.shows {
				if !strings.Contains(out.String()+complaints.String(), want) {
					t.Errorf("%q is not shown:\n%s%s", want, out.String(), complaints.String())
				}
			}
			if test.doesNotShow != "" && strings.Contains(out.String(), test.doesNotShow) {
				t.Errorf("%q is shown:\n%s", test.doesNotShow, out.String())
			}
		})
	}
}

// No target of the Makefile runs tests otherwise. Listing runs none.
func TestMakefile(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join("..", "..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(makefile)) {
		for _, before := range strings.Split(line, "$(GO) test ")[:strings.Count(line, "$(GO) test ")] {
			if seen++; !strings.HasSuffix(before, "$(SCAN) ") && !strings.Contains(line, " -list ") {
				t.Errorf("without the scan: %s", line)
			}
		}
	}
	if seen < 5 {
		t.Errorf("found %d go tests", seen)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), ".", []string{"ls"}, new(strings.Builder), new(strings.Builder)); err == nil {
		t.Error("something else than go test was run")
	}
}
