package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

// dist is where a release is put, and work where it is made.
const (
	dist = "dist"
	work = ".release"
)

// run makes the release of the commit in the present folder.
func run(ctx context.Context, out io.Writer, jobs int, platforms []string) error {
	targets, err := parsePlatforms(platforms)
	if err != nil {
		return err
	}
	s, err := readSource(ctx)
	if err != nil {
		return err
	}
	// What an earlier release left must not get into this one.
	if err := clean(); err != nil {
		return err
	}
	b := builder{source: s, jobs: jobs}
	if err := b.tree(ctx); err != nil {
		return err
	}
	r := release{out: out, source: s, bill: newBill(s)}
	for _, target := range targets {
		program, err := b.command(ctx, target)
		if err != nil {
			return err
		}
		if err := r.add(target, program); err != nil {
			return err
		}
	}
	if err := r.finish(); err != nil {
		return err
	}
	return tryOut(ctx, r)
}

func clean() error {
	for _, folder := range []string{dist, work} {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
	}
	return nil
}

// release is what has been made so far.
type release struct {
	out      io.Writer // is told the name of each file
	source   source
	bill     bill
	archives []bundle.File
}

// say tells that a file is made.
func (r *release) say(f bundle.File) { _, _ = fmt.Fprintln(r.out, f.Name) }

// name is that of all files of a release but the checksums.
func (s source) name(suffix string) string { return "sessionstamp_" + s.version + suffix }

func (t platform) suffix() string { return "_" + t.system + "_" + t.arch }

// add packs the program of one system, and takes down what is in it.
func (r *release) add(target platform, program string) error {
	if err := r.bill.add(program); err != nil {
		return err
	}
	files, err := contents(program)
	if err != nil {
		return err
	}
	archive, err := pack(r.source.name(target.suffix()), target, files, r.source.committed)
	if err != nil {
		return err
	}
	r.say(archive)
	r.archives = append(r.archives, archive)
	return write(archive)
}

// finish adds the bill of materials and the checksums.
func (r *release) finish() error {
	for _, function := range bundle.Functions {
		if err := r.bill.add(functionPath(function)); err != nil {
			return err
		}
	}
	sbom, err := r.bill.file(r.source.name(".cdx.json"))
	if err != nil {
		return err
	}
	sums := checksums(append([]bundle.File{sbom}, r.archives...))
	r.say(sbom)
	r.say(sums)
	if err := write(sbom); err != nil {
		return err
	}
	return write(sums)
}

func write(f bundle.File) error {
	return os.WriteFile(filepath.Join(dist, f.Name), f.Content, 0o644) //nolint:gosec // it is for everybody
}

// papers are what lies beside the program: what a person reads, and the senders of signals.
var papers = []string{
	"LICENSE", "README.md", "README.ja.md", "infra/senders/README.md", "infra/senders/Send-PasswordSignal.ps1",
	"infra/senders/send-signal.sh", "infra/senders/script.csx",
}

// contents are the files of an archive.
func contents(program string) ([]bundle.File, error) {
	content, err := os.ReadFile(program) //nolint:gosec // it was made here
	if err != nil {
		return nil, err
	}
	files := []bundle.File{{Name: filepath.Base(program), Program: true, Content: content}}
	for _, name := range papers {
		text, err := os.ReadFile(name) //nolint:gosec // see above
		if err != nil {
			return nil, err
		}
		files = append(files, bundle.File{Name: name, Program: filepath.Ext(name) == ".sh", Content: text})
	}
	return files, nil
}
