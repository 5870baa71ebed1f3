// Command release builds what is given to people: the command sessionstamp for each system,
// with the template and the functions inside, checksums, and a list of what is in it. One
// commit and one version of Go make the same bytes, wherever and whenever.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	jobs := flag.Int("p", 2, "how many packages are compiled at once")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage, in the module's root: go run ./infra/release [-p N] OS/ARCH...")
	}
	flag.Parse()
	err := run(ctx, os.Stdout, *jobs, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
