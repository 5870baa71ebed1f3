package goldentest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
)

// watched notes how a test would have failed.
type watched struct {
	testing.TB
	told string
}

func (w *watched) Helper() {}

func (w *watched) Errorf(format string, args ...any) {
	w.told += "error: " + fmt.Sprintf(format, args...)
}

func (w *watched) Fatal(args ...any) {
	w.told += "fatal: " + fmt.Sprint(args...)
	runtime.Goexit()
}

func (w *watched) Fatalf(format string, args ...any) { w.Fatal(fmt.Sprintf(format, args...)) }

// compare returns what Compare tells, "" if it is content.
func compare(t *testing.T, path, got string) string {
	t.Helper()
	w, done := &watched{TB: t}, make(chan struct{})
	go func() { // Fatal ends the goroutine
		defer close(done)
		goldentest.Compare(w, path, got)
	}()
	<-done
	return w.told
}

// Not parallel, because the flag belongs to the whole process.
func TestCompare(t *testing.T) {
	const held = "first\nsecond\n"
	tests := []struct {
		name, file, got, update string
		told                    []string // nothing if empty
		holds                   string   // the file, afterwards; "" for none
	}{
		{"same", "a.golden", held, "false", nil, held},
		{"differs", "a.golden", "first\nthird\n", "false", []string{"error: ", "a.golden (-want +got):", `second`, `third`, "-update"}, held},
		{"lacks the last newline", "a.golden", "first\nsecond", "false", []string{"error: ", "a.golden"}, held},
		{"no such file", "b.golden", held, "false", []string{"fatal: ", "b.golden", "-update"}, ""},
		{"update what is the same", "a.golden", held, "true", nil, held},
		{"update what differs", "a.golden", "third\n\xff", "true", nil, "third\n\xff"},
		{"update what is longer", "a.golden", "f", "true", nil, "f"},
		{"update makes the file", "b.golden", held, "true", nil, held},
		{"update makes no folder", "none/b.golden", held, "true", []string{"fatal: ", "b.golden"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "a.golden"), []byte(held), 0o600); err != nil {
				t.Fatal(err)
			}
			setUpdate(t, tt.update)
			path := filepath.Join(folder, filepath.FromSlash(tt.file))
			told := compare(t, path, tt.got)
			if (told == "") != (len(tt.told) == 0) {
				t.Errorf("it tells %q", told)
			}
			for _, want := range tt.told {
				if !strings.Contains(told, want) {
					t.Errorf("%q lacks %q", told, want)
				}
			}
			holds, _ := os.ReadFile(path)
			if diff := cmp.Diff(tt.holds, string(holds)); diff != "" {
				t.Errorf("the file (-want +got):\n%s", diff)
			}
		})
	}
}

// setUpdate sets the flag as the command line would, until the test is over.
func setUpdate(t *testing.T, value string) {
	t.Helper()
	update := flag.Lookup("update").Value
	before := update.String()
	if err := update.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = update.Set(before) })
}
