package leaktest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// watched notes whether a test would have failed.
type watched struct {
	testing.TB
	failed int
}

func (w *watched) Helper() {}

func (w *watched) Errorf(string, ...any) { w.failed++ }

const name = "hanako@contoso.com"

// What should not be written fails the test, wherever it comes from.
func TestFails(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(testing.TB){
		"attribute": func(t testing.TB) { leaktest.Log(t).Debug("read", "user", name) },
		"message":   func(t testing.TB) { leaktest.Log(t).Info("read " + leak.Canary) },
		"group":     func(t testing.TB) { leaktest.Log(t).WithGroup("g").With("x", "abc8Q~x").Error("read") },
		"error":     func(t testing.TB) { leaktest.Error(t, errors.New("no such user: "+name)) },
		"metric":    func(t testing.TB) { _, _ = leaktest.Writer(t, new(strings.Builder)).Write([]byte(name)) },
		"unknown":   func(t testing.TB) { leaktest.Known(t, "password") },
		"compared":  func(t testing.TB) { _ = leaktest.Seen(t, errors.New(name)) },
	} {
		w := &watched{TB: t}
		if do(w); w.failed != 1 {
			t.Errorf("%s: the test failed %d times, want once", what, w.failed)
		}
	}
	var out strings.Builder
	_, err := leaktest.Writer(t, &out).Write([]byte("harmless"))
	leaktest.Error(t, err)
	leaktest.Error(t, errors.New("harmless"))
	leaktest.Known(t, name)
	if out.String() != "harmless" {
		t.Errorf("passed on %q", out.String())
	}
}

// handler is where a logger is made.
var handler = regexp.MustCompile(`slog\.(?:New(?:JSON|Text)Handler\(([^,]*),|DiscardHandler)`)

// allowed are tests that print secrets on purpose, to see them redacted, a measurement
// that would measure the looking, and this package.
var allowed = []string{
	"shared/directory/credential_test.go", "shared/notification/clientstate_test.go", "shared/rotation/document_test.go",
	"shared/webhook/bench_test.go", "internal/leak/",
}

// root is that of the repository.
var root = filepath.Join("..", "..", "..")

// files calls visit for each file of the repository, with its path from the root.
func files(t *testing.T, visit func(file string, read func() []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		file, err := filepath.Rel(root, path)
		visit(filepath.ToSlash(file), func() []byte {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			return text
		})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// No test logs to where nobody looks.
func TestEveryLoggerIsWatched(t *testing.T) {
	t.Parallel()
	seen := 0
	files(t, func(file string, read func() []byte) {
		if !isTest(file) {
			return
		}
		for _, match := range handler.FindAllSubmatch(read(), -1) {
			if seen++; !strings.HasPrefix(string(match[1]), "leaktest.Writer(") {
				t.Errorf("%s: %s: write to a leaktest.Writer, or log to a leaktest.Log", file, match[0])
			}
		}
	})
	if seen < 10 {
		t.Errorf("found %d loggers in tests", seen)
	}
}

// received are files of what is not ours to write: notifications, and certificates with
// their keys.
var received = regexp.MustCompile(`/testdata/(?:lifecycle|user-updated)-?[\w-]*\.(?:json|golden)$|/testdata/fuzz/|\.pfx\.txt$`)

// Golden files hold what was logged, answered and told as an error.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	seen := 0
	files(t, func(file string, read func() []byte) {
		if !strings.Contains(file, "/testdata/") || received.MatchString(file) {
			return
		}
		seen++
		if found, ok := leak.Find(read()); ok {
			t.Errorf("%s holds %s, %q", file, found.Kind, found.Text)
		}
	})
	if seen < 10 {
		t.Errorf("found %d golden files", seen)
	}
}

// isTest tells whether a file is one of tests, or of a package for them.
func isTest(file string) bool {
	for _, prefix := range allowed {
		if strings.HasPrefix(file, prefix) {
			return false
		}
	}
	return strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, ".go") && strings.HasSuffix(filepath.Base(filepath.Dir(file)), "test")
}
