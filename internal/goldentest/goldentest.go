// Package goldentest compares what a test got with a golden file: a file in testdata
// that holds what is right, and that a review shows the changes of.
//
// After a change that is meant, the flag -update of a test that uses this package
// rewrites the files that the test compares:
//
//	go test ./shared/webhook -update
package goldentest

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Compare fails the test unless the file holds the text got, byte for byte, and shows
// where they differ. With -update it writes got to the file instead; the file's folder
// must exist. The path is relative to the folder of the test:
//
//	goldentest.Compare(t, "testdata/log.golden", log.String())
func Compare(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a test names its own file
	if err != nil {
		t.Fatalf("%v\nIf it is new, run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nIf that is meant, run the test with -update", path, diff)
	}
}
