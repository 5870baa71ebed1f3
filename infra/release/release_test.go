package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

var (
	committed = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	files     = []bundle.File{{Name: "sessionstamp", Program: true, Content: []byte("\x7fELF")}, {Name: "LICENSE", Content: []byte("Apache")}}
)

// packed packs the same twice, in two places on earth.
func packed(t *testing.T, system string) bundle.File {
	t.Helper()
	one, err := pack("name", platform{system, "amd64"}, files, committed)
	two, err2 := pack("name", platform{system, "amd64"}, files, committed.In(time.FixedZone("Tokyo", 9*60*60)))
	if errors.Join(err, err2) != nil {
		t.Fatal(err, err2)
	}
	if !bytes.Equal(one.Content, two.Content) {
		t.Error("two packings differ")
	}
	return one
}

func TestTarball(t *testing.T) {
	t.Parallel()
	archive := packed(t, "linux")
	compressed, err := gzip.NewReader(bytes.NewReader(archive.Content))
	if err != nil || archive.Name != "name.tar.gz" || compressed.Name != "" || !compressed.ModTime.IsZero() {
		t.Fatalf("%s, %+v, %v", archive.Name, compressed.Header, err)
	}
	reader := tar.NewReader(compressed)
	for _, f := range files {
		header, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil || header.Name != f.Name || fs.FileMode(header.Mode) != f.Mode() || header.Uid+header.Gid != 0 || header.Uname+header.Gname != "" || !header.ModTime.Equal(committed) || !bytes.Equal(content, f.Content) {
			t.Errorf("%+v with %q, %v", header, content, err)
		}
	}
	program, err := unpackFirst(archive.Content, t.TempDir())
	if err != nil || !strings.HasSuffix(program, "sessionstamp") {
		t.Errorf("unpacked %s, %v", program, err)
	}
}

func TestZip(t *testing.T) {
	t.Parallel()
	archive := packed(t, "windows")
	reader, err := zip.NewReader(bytes.NewReader(archive.Content), int64(len(archive.Content)))
	if err != nil || archive.Name != "name.zip" || len(reader.File) != len(files) {
		t.Fatal(archive.Name, err)
	}
	for i, f := range reader.File {
		content, err := fs.ReadFile(reader, files[i].Name)
		if err != nil || f.Name != files[i].Name || f.Mode() != files[i].Mode() || !f.Modified.Equal(committed) || !bytes.Equal(content, files[i].Content) {
			t.Errorf("%+v with %q, %v", f.FileHeader, content, err)
		}
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	want := fmt.Sprintf("%x  sessionstamp\n%x  LICENSE\n", sha256.Sum256(files[0].Content), sha256.Sum256(files[1].Content))
	if diff := cmp.Diff(want, string(checksums(files).Content)); diff != "" {
		t.Error(diff)
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	const template, commit = "Metadata:\n    SemanticVersion: 0.2.0\n", "395a1a9bf8fb43c0ffee"
	for name, c := range map[string]struct {
		template, commit string
		tags             []string
		want, err        string
	}{
		"a commit on the way":  {template, commit, []string{"latest"}, "0.2.0+395a1a9bf8fb", ""},
		"the tagged commit":    {template, commit, []string{"latest", "v0.2.0"}, "0.2.0", ""},
		"another tag":          {template, commit, []string{"v0.3.0"}, "", "make them the same"},
		"a template without":   {"Metadata:", commit, nil, "", "no SemanticVersion"},
		"a version on the way": {strings.ReplaceAll(template, "0.2.0", "0.2.0-rc.1"), commit, nil, "", "no SemanticVersion"},
		"no commit":            {template, "", nil, "", "no commit"},
	} {
		got, err := versionOf(c.template, c.commit, c.tags)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	got, err := parsePlatforms([]string{"linux/amd64", "windows/arm64"})
	if err != nil || got[1] != (platform{"windows", "arm64"}) {
		t.Error(got, err)
	}
	for _, wrong := range [][]string{nil, {"linux"}, {"linux/"}, {"/amd64"}, {"linux/../etc"}} {
		if _, err := parsePlatforms(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// TestBill: each module is there once, whichever programs have it, in one order.
func TestBill(t *testing.T) {
	t.Parallel()
	b := newBill(source{version: "0.2.0+c0ffee", committed: committed})
	one := &debug.BuildInfo{GoVersion: "go1.26.8 X:nogreenteagc", Deps: []*debug.Module{{Path: "example.com/B", Version: "v2.0.0+incompatible"}, {Path: "example.com/old", Replace: &debug.Module{Path: "example.com/a", Version: "v1.0.0"}}}}
	b.take(one)
	b.take(one)
	got, err := b.file("bill")
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		Components []component
		Metadata   struct {
			Timestamp time.Time
			Component component
		}
	}
	if err := json.Unmarshal(got.Content, &written); err != nil {
		t.Fatal(err)
	}
	var purls []string
	for _, c := range written.Components {
		purls = append(purls, c.PURL)
	}
	want := []string{"pkg:golang/example.com/a@v1.0.0", "pkg:golang/example.com/b@v2.0.0%2Bincompatible", "pkg:golang/std@1.26.8"}
	if diff := cmp.Diff(want, purls); diff != "" || written.Metadata.Component.Version != "0.2.0+c0ffee" || !written.Metadata.Timestamp.Equal(committed) {
		t.Errorf("%s %+v", diff, written.Metadata)
	}
}
