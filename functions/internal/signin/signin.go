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

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
)

// Failed tells whether err came of there being no token for Graph. Graph itself was not
// asked. Where the time of ctx is over and nobody has answered, it did not fail: with
// more time there might have been a token.
func Failed(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Operation != directory.Token && !e.OfCredential() {
		return false
	}
	return ctx.Err() == nil || e.StatusCode != 0
}

// Lasts tells whether a failure, for which [Failed] holds, does not end by itself: Entra
// has refused, or there is nothing to sign in with. No answer of Entra, a failure of its
// own and a want of room do end.
func Lasts(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case !ok:
		return false
	case e.StatusCode == 0:
		return e.OfCredential()
	}
	return e.StatusCode/100 == 4 && !e.Throttled()
}

// A Reporter tells of sign-ins that failed. Metrics and Log are required.
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
	advice := r.Adviser.Explain(err)
	r.Log.LogAttrs(ctx, slog.LevelError, "the app can't sign in", slog.String("error", advice.Error()))
	return advice
}

// A Watch remembers the sign-ins that failed while one batch was handled, to tell of them
// once, however many users wait.
type Watch struct {
	Reporter

	// failed is one of them, if possible one that lasts, nil for none. rings tells that
	// somebody has waited for long.
	failed error
	rings  bool
}

// Note remembers err if [Failed] holds for it. waited tells that what it came of has been
// tried for so long that what Entra had not heard of yet, it has.
func (w *Watch) Note(ctx context.Context, err error, waited bool) {
	if !Failed(ctx, err) {
		return
	}
	lasts := Lasts(err)
	if lasts || w.failed == nil {
		w.failed = err
	}
	w.rings = w.rings || lasts && waited
}

// Tell reports what was noted, and forgets it. Nothing is to be done about it: the work
// waits already.
func (w *Watch) Tell(ctx context.Context) {
	if w.failed != nil {
		_ = w.Report(ctx, w.failed, w.rings)
	}
	w.failed, w.rings = nil, false
}
