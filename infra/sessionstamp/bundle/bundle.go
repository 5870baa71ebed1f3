// Package bundle holds what a deployment is made of: the template, the functions built
// for AWS Lambda, and the history of changes. A released command carries it (build tag
// release); any other reads the checkout that it is called in.
package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// What the linker sets in a release (-X), as infra/release gives it.
var version, commit, date string

// ErrNoFunctions says that there is nothing to deploy: the program is no release, and it was
// not called in a checkout whose functions are built. The error around it says which.
var ErrNoFunctions = errors.New("this program has no functions in it to deploy")

// Build tells which program this is.
type Build struct {
	// Version is semantic (https://semver.org): that of the template, with the commit behind
	// "+" unless the commit is tagged. "devel" if nobody knows. It can be the value of a tag
	// in AWS.
	Version string
	// Commit is the whole hash, and Date the commit's time (RFC 3339). Empty if nobody knows.
	Commit, Date string
	// Functions tells whether the functions are inside.
	Functions bool
}

// Read tells which program this is.
func Read() Build {
	b := Build{Version: version, Commit: commit, Date: date, Functions: tree != ""}
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		b.fill(info)
	}
	return b
}

// Version is that of [Read]: the value of the stack's tag sessionstamp:version.
func Version() string { return Read().Version }

// fill takes what the go command knows of a program that is no release.
func (b *Build) fill(info *debug.BuildInfo) {
	b.Version = "devel"
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = strings.TrimPrefix(v, "v")
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		}
	}
}

// Open returns the release tree, to be written into a folder with [os.CopyFS] and deployed
// there:
//
//	template.yaml
//	CHANGELOG.md
//	functions/NAME/bootstrap   one for each of [Functions], for linux/arm64
//
// It fails with [ErrNoFunctions].
func Open() (fs.FS, error) {
	if tree != "" {
		return zip.NewReader(strings.NewReader(tree), int64(len(tree)))
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return openCheckout(dir)
}

// openCheckout opens the tree of the checkout that a folder is in, packed as in a release.
func openCheckout(dir string) (fs.FS, error) {
	root, err := checkout(dir)
	if err != nil {
		return nil, err
	}
	files, err := Files(os.DirFS(root), samBuild)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: run make build in %s first, or get a release", ErrNoFunctions, root)
	}
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if err := Zip(&packed, files, time.Unix(0, 0)); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
}

const module = "module github.com/sessionstamp/sessionstamp\n"

// checkout finds our module's root at a folder or above it.
func checkout(dir string) (string, error) {
	for {
		file, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // it looks where the person is
		if err == nil && strings.HasPrefix(string(file), module) {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("%w: get a release, or call it in a checkout after make build", ErrNoFunctions)
		}
		dir = above
	}
}
