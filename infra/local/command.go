package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"
)

// Limits of a run.
const (
	maxUsers     = 10_000
	defaultUsers = 500
	// patience is how long a run may take; each user adds perUser. Graph lets 20 users a
	// second be stamped.
	patience = 90 * time.Second
	perUser  = 100 * time.Millisecond
)

const usage = `local runs all of sessionstamp on one machine, against an emulated Microsoft
Graph, in about half a minute.

Users appear in a federated domain, its subdomain and a managed domain, guests
and excluded accounts among them. Notifications come late, doubled, shuffled or
forged; some calls are throttled or fail, and some workers die. Then the
subscription is lost with every notification, and the sweep has to find the
users. Then so many users come that the brake stops. A person releases it.

  go run ./infra/local                              with a display
  go run ./infra/local -json -users 1000 -seed 7    one JSON object
  go run ./infra/local -html demo.html              and a page for a browser

The exit status is 1 if a user in scope was not stamped or was stamped twice,
or a user out of scope was touched, or the run failed or was interrupted. It is
2 if the flags are wrong. "go run" turns every failure into 1, and make into 2.
So programs build it first:

  go build -o local ./infra/local
`

// options are the flags of the command.
type options struct {
	users int
	seed  uint64
	json  bool
	html  string // a file, "" for none
	log   *slog.Logger
}

// run is the whole program. It returns the exit status: 0 if every promise was kept or
// help was asked for, 1 if a promise was broken or the run failed or was interrupted, 2 if
// the flags are wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, verbose, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	o.log = slog.New(slog.DiscardHandler)
	if verbose {
		o.log = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	r, err := play(ctx, o, newDisplay(o, verbose, stdout))
	if ctx.Err() != nil && err != nil {
		_, _ = fmt.Fprintln(stderr, "local: interrupted")
		return 1
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "local:", err)
		return 1
	}
	status := conclude(r, o, stdout)
	if o.html != "" {
		if err := r.writePage(o.html, time.Now()); err != nil {
			_, _ = fmt.Fprintln(stderr, "local:", err)
			return 1
		}
	}
	return status
}

// errFlags tells that the flags were wrong, which has been said.
var errFlags = errors.New("wrong flags")

func parse(args []string, stderr io.Writer) (o options, verbose bool, err error) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {} // the error must not scroll away: see below
	flags.IntVar(&o.users, "users", defaultUsers, "create this `number` of users")
	flags.Uint64Var(&o.seed, "seed", 1, "the `number` that draws who is created and what goes wrong")
	flags.BoolVar(&o.json, "json", false, "print one JSON object and nothing else")
	flags.StringVar(&o.html, "html", "", "write the result as a page into this `file` too")
	flags.BoolVar(&verbose, "v", false, "print sessionstamp's own log to standard error")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprint(stderr, usage)
		}
		_, _ = fmt.Fprintln(stderr, "\nFlags:")
		flags.PrintDefaults()
		return o, verbose, err
	}
	switch {
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "local: there are no arguments but flags, and %q is none; see -help\n", flags.Arg(0))
		return o, verbose, errFlags
	case o.users < 1 || o.users > maxUsers:
		_, _ = fmt.Fprintf(stderr, "local: -users must be from 1 to %d, not %d; see -help\n", maxUsers, o.users)
		return o, verbose, errFlags
	}
	return o, verbose, nil
}

func newDisplay(o options, verbose bool, stdout io.Writer) display {
	if o.json {
		return noDisplay{}
	}
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !verbose {
		return &screen{w: stdout}
	}
	return lines{stdout}
}

// play sets the scene and runs the story.
func play(ctx context.Context, o options, show display) (result, error) {
	limit := patience + time.Duration(o.users)*perUser
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the run did not come to rest within %s", limit))
	defer cancel()
	d, err := newDemo(o)
	if err != nil {
		return result{}, err
	}
	defer d.close()
	r, err := d.run(ctx, show)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = errors.Join(cause, err)
	}
	return r, err
}

// conclude prints the result and returns the exit status.
func conclude(r result, o options, stdout io.Writer) int {
	write := r.writeTable
	if o.json {
		write = r.writeJSON
	}
	if err := write(stdout); err != nil || !r.ok() {
		return 1
	}
	return 0
}
