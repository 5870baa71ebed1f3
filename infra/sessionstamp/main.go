// Command sessionstamp is for the administrator of a Microsoft 365 tenant: it finds who has
// no stamp, stamps them, signs people out, and tells what this machine has done. It works
// with the rights of whoever signs in, and needs no deployment.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // what cannot be interrupted ends with a second Ctrl-C
	// Where nobody reads, as after head, the work goes on, and what is to be tidied up is.
	signal.Ignore(syscall.SIGPIPE)
	env := environment(os.Environ())
	code := program{
		Args:   os.Args[1:],
		Stdin:  os.Stdin,
		Person: screen.IsTerminal(os.Stdin),
		Hidden: func(ctx context.Context) (string, error) { return screen.ReadHidden(ctx, os.Stdin) },
		Stdout: os.Stdout, Out: screen.TerminalOf(os.Stdout, env),
		Stderr: os.Stderr, Err: screen.TerminalOf(os.Stderr, env),
		Env: env, System: runtime.GOOS, Speaks: language.System(),
		Now: time.Now, WriteFile: writeFile,
	}.run(ctx)
	stop()
	os.Exit(code)
}
