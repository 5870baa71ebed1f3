// Command local runs all of sessionstamp on one machine, against an emulated Microsoft
// Graph, and shows that it keeps its promises: users appear, a webhook hears of them, and
// those in scope are stamped, each once, and nobody else.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
