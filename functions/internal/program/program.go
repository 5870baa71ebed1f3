// Package program starts sessionstamp's Lambda functions: it gives them what an
// execution environment has, prints what is wrong with their configuration, and
// tells them early enough when their time is over.
package program

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/config"
)

// version is that of the release, such as v1.2.3, set by the linker:
// -ldflags "-X …/functions/internal/program.version=v1.2.3". Without it the version is
// what the go command knows of the commit.
var version string

// built is the version that this program says it is.
func built() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		info = new(debug.BuildInfo)
	}
	return cmp.Or(version, info.Main.Version, "(devel)")
}

// An Environment is what a function finds when it starts.
type Environment struct {
	// Lookup reads the variables that the template sets.
	Lookup config.Lookup
	// AWS is how its services are called.
	AWS aws.Config
	// Out gets the metrics.
	Out io.Writer
	Log *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// Start runs the function that build makes until its execution environment ends.
// environ are the environment variables, and out is standard output. build
// returns a handler as [lambda.StartWithOptions] takes one. After SIGTERM the
// context of an invocation is done.
//
// At first Start logs which version this is. It returns only if the function can't be made,
// and has logged why.
func Start(ctx context.Context, environ []string, out io.Writer, build func(context.Context, Environment) (any, error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	env := Environment{
		Lookup: config.Environ(environ),
		Out:    out,
		Log:    lambdacontext.NewLogger(),
		Now:    time.Now,
	}
	env.Log.LogAttrs(ctx, slog.LevelInfo, "the function starts", slog.String("version", built()))
	var handler any
	var err error
	if env.AWS, err = awsconfig.LoadDefaultConfig(ctx); err == nil {
		handler, err = build(ctx, env)
	}
	if err != nil {
		env.Report(ctx, err)
		return err
	}
	lambda.StartWithOptions(handler, lambda.WithContext(ctx), lambda.WithEnableSIGTERM(stop))
	return nil
}

// Report logs why a function can't work, with all faults of its configuration.
func (e *Environment) Report(ctx context.Context, err error) {
	e.Log.LogAttrs(ctx, slog.LevelError, "the function can't work",
		slog.String("error", err.Error()))
}

// Recorder makes the recorder of the stack's metrics.
func (e *Environment) Recorder(s config.Stack) (*metrics.Recorder, error) {
	return metrics.New(metrics.Config{Namespace: s.Namespace, Stack: s.Name, Out: e.Out, Now: e.Now})
}

// Secret is how the secret of that ARN is read.
func (e *Environment) Secret(arn string) secrets.Config {
	return secrets.Config{
		Manager: secretsmanager.NewFromConfig(e.AWS),
		ARN:     arn,
		Log:     e.Log,
		Now:     e.Now,
	}
}

// Margin is how long before the end of its time an invocation is told so: a use
// case writes what a call came to for five seconds after that, and then its
// answer has to be sent.
const Margin = 8 * time.Second

// EndEarly returns a context that is done a [Margin] before ctx. One without a
// deadline stays without.
func EndEarly(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-Margin))
}
