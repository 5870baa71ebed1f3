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
	"testing"
)

func TestIt(t *testing.T) { %s }

var _ = fmt.Sprint
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
		"subtest's name":  {body: `t.Run("canary-4711", func(*testing.T) {})`, shows: []string{"ok  \ttested"}, doesNotShow: "LEAK"},
		"failing":         {body: `t.Error("broken")`, fails: "go test", shows: []string{"it_test.go:8: broken", "--- FAIL: TestIt", "FAIL\ttested"}},
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

func TestUsage(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), ".", []string{"ls"}, new(strings.Builder), new(strings.Builder)); err == nil {
		t.Error("something else than go test was run")
	}
}
