// Package signin tells an administrator that a function can't sign in to Entra: in the
// words of package subscription, in one log record, and by a metric with an alarm.
//
// Nothing else would tell. The revoker puts its requests back for four days, each time
// as a new message, so that no queue grows old. And that the keeper has signed in when
// the stack was made says nothing of the other roles, each of which has a federated
// credential of its own.
package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// Failed tells whether err came of there being no token for Graph. Graph itself was not
// asked. Where the time of ctx is over and nobody has refused anything, it did not fail:
// whoever runs out of time on the way to a token may well have one.
func Failed(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Operation != directory.Token && !e.OfCredential() {
		return false
	}
	return !over(ctx) || e.StatusCode != 0 || Lasts(e)
}

// over tells whether the time of ctx has ended. What minds the deadline by itself can
// give up a moment before ctx says so.
func over(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(end)
}

// Lasts tells whether a failure, for which [Failed] holds, does not end by itself: Entra
// or AWS has refused, or nobody can sign in with what is stored. No answer, a failure of
// theirs and a want of room do end.
func Lasts(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case !ok:
		return false
	case e.StatusCode != 0:
		return e.StatusCode/100 == 4 && !e.Throttled() && e.StatusCode != http.StatusRequestTimeout
	}
	return e.OfCredential() && !passes(e.Err)
}

// retryable are the errors after which AWS's SDK asks again.
var retryable = retry.IsErrorRetryables(retry.DefaultRetryables)

// passes tells whether an error of AWS's ends by itself.
func passes(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// Recorder is what a Reporter needs of [*metrics.Recorder].
type Recorder interface {
	ObserveSignInFailure()
}

// A Reporter tells of sign-ins that failed. All fields but the Adviser's are required.
type Reporter struct {
	Adviser subscription.Adviser
	Metrics Recorder
	Log     *slog.Logger
}

// New makes the Reporter of a function that signs in as an app.
func New(env program.Environment, tenant string, app deployment.App, metrics Recorder) (Reporter, error) {
	cloud, err := msgraph.CloudByName(app.Cloud)
	if err != nil {
		return Reporter{}, err
	}
	adviser := subscription.Adviser{Tenant: tenant, ClientID: app.ClientID, Portal: cloud.Portal}
	return Reporter{Adviser: adviser, Metrics: metrics, Log: env.Log}, nil
}

// Log keys.
const (
	logCause   = "cause"
	logProblem = "problem"
	logStep    = "step"
	logError   = "error"
)

// Report explains an error for which [Failed] holds: it returns advice, and logs it. It
// counts the failure if it is to ring, which those that [Lasts] should.
func (r Reporter) Report(ctx context.Context, err error, rings bool) error {
	if rings {
		r.Metrics.ObserveSignInFailure()
	}
	explained := r.Adviser.Explain(err)
	r.Log.LogAttrs(ctx, slog.LevelError, "the app can't sign in", attrsOf(explained)...)
	return explained
}

// attrsOf keeps apart what is wrong, what to do, and the details.
func attrsOf(err error) []slog.Attr {
	a, ok := errors.AsType[*subscription.Advice](err)
	if !ok {
		return []slog.Attr{slog.String(logError, err.Error())}
	}
	return []slog.Attr{
		slog.String(logCause, string(a.Cause)),
		slog.String(logProblem, a.Problem),
		slog.String(logStep, a.Step),
		slog.String(logError, a.Err.Error()),
	}
}
