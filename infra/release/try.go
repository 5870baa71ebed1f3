package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

// tryOut unpacks the archive for this machine, and runs the command as on a machine that has
// nothing: no Go, no path, an empty home.
func tryOut(ctx context.Context, r release) error {
	here := platform{runtime.GOOS, runtime.GOARCH}
	i := slices.IndexFunc(r.archives, func(f bundle.File) bool {
		return f.Name == r.source.name(here.suffix())+".tar.gz"
	})
	if i < 0 {
		fmt.Fprintf(os.Stderr, "not tried out: there is no tar.gz for %s/%s\n", here.system, here.arch)
		return nil
	}
	home, err := os.MkdirTemp("", "sessionstamp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home) //nolint:errcheck // the system clears it too
	program, err := unpackFirst(r.archives[i].Content, home)
	if err != nil {
		return err
	}
	for _, trial := range []struct {
		args []string
		want string
	}{
		{[]string{"version", "-o", "json"}, `"version": "` + r.source.version + `"`},
		{[]string{"version", "-o", "json"}, `"functions": true`},
		{[]string{"check", "--demo", "-o", "json"}, `"verdict": "needed"`},
	} {
		if err := runAlone(ctx, program, home, trial.args, trial.want); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "tried out: the archive's command runs without Go, without a path and in an empty home")
	return nil
}

// unpackFirst writes the archive's first file, which is the command, into a folder.
func unpackFirst(archive []byte, folder string) (string, error) {
	compressed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", err
	}
	files := tar.NewReader(compressed)
	header, err := files.Next()
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(files)
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, filepath.Base(header.Name))
	return program, os.WriteFile(program, content, header.FileInfo().Mode())
}

// runAlone runs a program in an empty environment. check finds something wrong with the
// demonstration's tenant, and says so with 1.
func runAlone(ctx context.Context, program, home string, args []string, want string) error {
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // what was just built
	command.Dir, command.Env = home, []string{"PATH=", "HOME=" + home}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) || !strings.Contains(string(out), want) {
		return fmt.Errorf("sessionstamp %s does not say %s: %w\n%s%s", strings.Join(args, " "), want, err, out, &stderr)
	}
	return nil
}
