//go:build release

package bundle

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"testing"
)

// TestRelease: what a release carries can be opened, and Lambda can run it. make release runs
// it.
func TestRelease(t *testing.T) {
	t.Parallel()
	files, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range Functions {
		program, err := fs.ReadFile(files, "functions/"+function+"/bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		binary, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || binary.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is no program for arm64: %v", function, err)
		}
	}
	changelog, err := fs.ReadFile(files, "CHANGELOG.md")
	if err != nil || len(Sections(string(changelog))) == 0 {
		t.Errorf("CHANGELOG.md: %v", err)
	}
}
