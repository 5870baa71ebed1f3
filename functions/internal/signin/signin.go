// Package signin tells an administrator that a function can't sign in to Entra, in the
// words of package keeper.
//
// That the keeper has signed in when the stack was made says nothing of the other roles,
// each of which has a federated credential of its own. And the stamper puts its requests
// back for four days, so that no queue grows old.
package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
)

// Failed tells whether err came of there being no token for Graph. Graph itself was not
// asked. Where the time of ctx is over and nobody has refused anything, it did not fail:
// with more time there might have been a token.
func Failed(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Operation != directory.Token && !e.OfCredential() {
		return false
	}
	return !over(ctx) || e.StatusCode != 0 || Lasts(e)
}

// over tells whether the time of ctx has ended. A call that minds the deadline by itself
// can give up a moment before ctx says so.
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

// A Reporter tells of sign-ins that failed. All fields but the Adviser's are required.
type Reporter struct {
	Adviser keeper.Adviser
	Metrics *metrics.Recorder
	Log     *slog.Logger
}

// Report explains an error for which [Failed] holds: it returns advice, and logs it. It
// counts the failure if it is to ring, which those that [Lasts] should.
func (r Reporter) Report(ctx context.Context, err error, rings bool) error {
	if rings {
		r.Metrics.Attend(metrics.SignInRefused, 1)
	}
	explained := r.Adviser.Explain(err)
	attrs := []slog.Attr{slog.String("error", err.Error())}
	if a, ok := errors.AsType[*keeper.Advice](explained); ok {
		attrs = append(attrs, slog.String("cause", string(a.Cause)),
			slog.String("problem", a.Problem), slog.String("step", a.Step))
	}
	r.Log.LogAttrs(ctx, slog.LevelError, "the app can't sign in", attrs...)
	return explained
}
