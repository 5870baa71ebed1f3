// Command scan runs tests and looks for secrets and names in all that they print:
//
//	go run ./infra/check/scan go test ./shared/webhook
//
// It adds -v and -json, shows what go test would have shown without them, and fails if
// the tests fail or if it finds something. With a -v of its own, as in "go test -v", it
// shows everything.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

func main() {
	if err := run(context.Background(), ".", os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: scan go test [flags] [packages]")

// run runs a command that begins with "go test" in a folder.
func run(ctx context.Context, dir string, command []string, out, complaints io.Writer) error {
	if len(command) < 2 || command[1] != "test" {
		return errUsage
	}
	arguments := slices.Insert(slices.Clone(command[1:]), 1, "-v", "-json")
	test := exec.CommandContext(ctx, command[0], arguments...) //nolint:gosec // the go command of whoever runs this
	test.Dir, test.Stderr = dir, complaints
	printed, err := test.StdoutPipe()
	if err != nil {
		return err
	}
	if err := test.Start(); err != nil {
		return err
	}
	w := newWatcher(out, slices.Contains(command, "-v"))
	err = w.watch(printed)
	if failed := test.Wait(); failed != nil {
		return fmt.Errorf("go test: %w", failed)
	}
	if err == nil && len(w.leaked) > 0 {
		err = fmt.Errorf("%d tests print what nobody may read", len(w.leaked))
	}
	return err
}
