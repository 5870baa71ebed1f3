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

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// Failed tells whether err came of there being no token for Graph. Graph itself was not
// asked.
func Failed(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.Operation == directory.Token || e.OfCredential())
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
// counts the failure if it is lasting: of those that end by themselves the log is enough.
func (r Reporter) Report(ctx context.Context, err error, lasting bool) error {
	if lasting {
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
