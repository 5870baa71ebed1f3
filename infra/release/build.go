package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

const module = "github.com/sessionstamp/sessionstamp/"

// platform is a system and a processor, as Go names them.
type platform struct{ system, arch string }

// lambda is what the functions run on.
var lambda = platform{"linux", "arm64"}

func parsePlatforms(names []string) (platforms []platform, err error) {
	for _, name := range names {
		system, arch, ok := strings.Cut(name, "/")
		if !ok || system == "" || arch == "" || strings.ContainsAny(arch, `/\`) {
			return nil, fmt.Errorf("%q is no platform: write one like linux/amd64", name)
		}
		platforms = append(platforms, platform{system, arch})
	}
	if len(platforms) == 0 {
		return nil, fmt.Errorf("for which platforms? Write one or more like linux/amd64")
	}
	return platforms, nil
}

// builder runs the Go compiler.
type builder struct {
	source source
	jobs   int
}

func functionPath(function string) string {
	return path.Join(work, "functions", function, "bootstrap")
}

// tree builds the functions, and packs them with the template for the command to carry.
func (b builder) tree(ctx context.Context) error {
	for _, function := range bundle.Functions {
		settings := []string{module + "functions/internal/program.version=" + b.source.version}
		if err := b.build(ctx, lambda, "lambda.norpc", settings, functionPath(function), "./functions/"+function); err != nil {
			return err
		}
	}
	files, err := bundle.Files(os.DirFS("."), functionPath)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := bundle.Zip(&packed, files, b.source.committed); err != nil {
		return err
	}
	return os.WriteFile("infra/sessionstamp/bundle/tree.zip", packed.Bytes(), 0o600)
}

// command builds sessionstamp for a platform, and returns where it is.
func (b builder) command(ctx context.Context, target platform) (string, error) {
	program := filepath.Join(work, target.system, target.arch, "sessionstamp")
	if target.system == "windows" {
		program += ".exe"
	}
	const carrier = module + "infra/sessionstamp/bundle."
	return program, b.build(ctx, target, "release", []string{
		carrier + "version=" + b.source.version,
		carrier + "commit=" + b.source.commit,
		carrier + "date=" + b.source.committed.Format(time.RFC3339),
	}, program, "./infra/sessionstamp")
}

// build compiles one program. Nothing of this machine or of Git's state gets into it: the
// go command looks for a commit in a wrong place where a worktree is (https://go.dev/issue/58218).
func (b builder) build(ctx context.Context, target platform, tags string, settings []string, out, folder string) error {
	flags := "-s -w -buildid="
	for _, setting := range settings {
		flags += " -X " + setting
	}
	command := exec.CommandContext(ctx, "go", "build", "-p", strconv.Itoa(b.jobs), "-mod=readonly", "-trimpath", "-buildvcs=false", //nolint:gosec // from above
		"-tags", tags, "-ldflags", flags, "-o", out, folder)
	command.Env = append(os.Environ(), "GOOS="+target.system, "GOARCH="+target.arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	fmt.Fprintln(os.Stderr, "building", folder, "for", target.system+"/"+target.arch)
	if err := command.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", folder, err)
	}
	return nil
}
