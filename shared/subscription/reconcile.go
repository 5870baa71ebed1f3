package subscription

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// maxRounds is how often a run looks again after Graph has shown that its list
// was not the truth. Each round costs a list, which has a small quota.
const maxRounds = 3

// A stale error tells that the list was not the truth, and that it is to be read
// again.
type staleError struct{ cause error }

func (e *staleError) Error() string { return fmt.Sprintf("%v: %v", errRestless, e.cause) }
func (e *staleError) Unwrap() error { return e.cause }

// reconcile makes what is what should be.
func (r *run) reconcile(ctx context.Context) error {
	if err := r.readSecrets(ctx); err != nil {
		return err
	}
	var err error
	for range maxRounds {
		err = r.round(ctx)
		if err == nil && r.record.Since.IsZero() {
			return errNotAsAsked
		}
		if _, stale := errors.AsType[*staleError](err); !stale {
			return err
		}
		if isConflict(err) {
			r.report.find(FoundConflict)
		}
	}
	return err
}

// maxClientState is how many characters a clientState may have
// (https://learn.microsoft.com/graph/api/resources/subscription#properties).
const maxClientState = 128

func (r *run) readSecrets(ctx context.Context) (err error) {
	r.current, r.previous, err = r.Secrets.ClientStates(ctx)
	if err != nil {
		return &secretError{err}
	}
	if n := utf8.RuneCountInString(r.current); n > maxClientState || strings.TrimSpace(r.current) == "" {
		return &secretError{errNoSecret}
	}
	return nil
}

// secretError is a failure to read the clientState.
type secretError struct{ err error }

func (e *secretError) Error() string { return "read client states: " + e.err.Error() }
func (e *secretError) Unwrap() error { return e.err }

// round goes once from the list to the wanted state. What keeps notifications
// flowing comes first, and what only tidies up last.
func (r *run) round(ctx context.Context) error {
	if err := r.list(ctx); err != nil {
		return err
	}
	if err := r.survey(ctx); err != nil {
		return err
	}
	if err := r.prolong(ctx); err != nil {
		return err
	}
	if err := r.settleGap(ctx); err != nil {
		return err
	}
	if !r.satisfied() {
		if err := r.replace(ctx); err != nil {
			return err
		}
	}
	if err := r.remove(ctx, func(s directory.Subscription) bool { return s.ID != r.record.SubscriptionID }); err != nil {
		return err
	}
	r.doubtURL(ctx)
	return nil
}

// openGap notes durably that notifications were lost, or may have been.
func (r *run) openGap(ctx context.Context, why Finding) error {
	r.report.Found = slices.DeleteFunc(r.report.Found, func(f Finding) bool { return f == FoundHealthy })
	r.report.find(why)
	if r.gap == "" {
		r.gap = why
	}
	if r.record.Since.IsZero() {
		return nil
	}
	r.record.Since = time.Time{}
	return r.save(ctx)
}

// settleGap asks for a sweep if there was a gap and it is over. Should the run die
// before the record is written, the sweep is asked for again.
func (r *run) settleGap(ctx context.Context) error {
	if !r.record.Since.IsZero() || r.flowing() == nil {
		return nil
	}
	if r.gap == "" {
		r.gap = FoundUnswept
		r.report.find(FoundUnswept)
	}
	since := r.record.Checked
	if err := r.Sweeps.AskForSweep(ctx, r.Tenant, string(r.gap), since); err != nil {
		return &sweepError{err}
	}
	r.report.Done = append(r.report.Done, ActionSweepAsked)
	r.report.GapSince = since
	r.gap = ""
	now := r.now()
	r.record.Since, r.record.Checked = now, now
	if r.record.Began.IsZero() {
		r.record.Began = now
	}
	return nil
}

// sweepError is a failure to ask for a sweep.
type sweepError struct{ err error }

func (e *sweepError) Error() string { return "ask for a sweep: " + e.err.Error() }
func (e *sweepError) Unwrap() error { return e.err }

// prolong renews what delivers to us, be it to be replaced: should that fail, it
// must not lapse.
func (r *run) prolong(ctx context.Context) error {
	s := r.flowing()
	if s == nil {
		return nil
	}
	challenged := r.record.Challenged
	if challenged.IsZero() && s.Expires.Sub(r.now()) >= r.Settings.RenewBelow {
		return nil
	}
	if err := r.renew(ctx, s); err != nil {
		return err
	}
	r.record.Challenged = time.Time{}
	now := r.now()
	if !challenged.IsZero() && now.Sub(challenged) >= r.Settings.ChallengeGrace {
		// Until the record is written without it, Challenged keeps the gap.
		r.record.Since = time.Time{}
		r.gap = FoundPaused
		r.report.find(FoundPaused)
	} else if !r.record.Since.IsZero() {
		r.record.Checked = now
	}
	return nil
}

func (r *run) renew(ctx context.Context, s *directory.Subscription) error {
	if err := r.mayChange(ctx); err != nil {
		return err
	}
	renewed, err := r.Graph.RenewSubscription(ctx, s.ID, r.now().Add(r.life()))
	if e, ok := errors.AsType[*directory.Error](err); ok && e.NotFound() {
		r.gone[s.ID] = true // whatever the list says: a 404 is final
		return &staleError{err}
	}
	if err != nil {
		return fmt.Errorf("renew subscription %s: %w", s.ID, err)
	}
	s.Expires = renewed.Expires
	r.record.Expires, r.record.Renewed = renewed.Expires, r.now()
	r.report.Done = append(r.report.Done, ActionRenewed)
	return nil
}

// life is how long a subscription is asked for.
func (r *run) life() time.Duration { return MaxLife - r.Settings.LifeMargin }

// replace makes the wanted subscription. Where its place is taken, a bridge
// delivers while it is cleared.
func (r *run) replace(ctx context.Context) error {
	if err := r.clear(ctx); err != nil {
		return err
	}
	err := r.create(ctx, changesWanted, ActionCreated)
	if !r.overlaps(err) {
		return err
	}
	if err := r.openGap(ctx, FoundOverlap); err != nil {
		return err
	}
	if err := r.remove(ctx, func(directory.Subscription) bool { return true }); err != nil {
		return err
	}
	return r.create(ctx, changesWanted, ActionCreated)
}

// clear makes room for the wanted subscription.
func (r *run) clear(ctx context.Context) error {
	wanted := func(s directory.Subscription) bool { return changes(s, changesWanted) }
	bridge := func(s directory.Subscription) bool { return changes(s, changesBridge) }

	s := r.flowing()
	r.mending = s != nil && len(r.shown(*s)) > 0
	if onBridge := s != nil && bridge(*s); !onBridge && slices.ContainsFunc(r.subs, wanted) {
		if err := r.remove(ctx, bridge); err != nil {
			return err
		}
		if err := r.bridge(ctx); err != nil {
			return err
		}
	}
	return r.remove(ctx, wanted)
}

// refusalGrace is how long a bridge must have been refused, run after run, until
// that is believed though nothing is named: Graph's list may lag behind.
const refusalGrace = 5 * time.Minute

// bridge makes a second subscription. Where Graph does not admit it, the
// replacement costs a gap.
func (r *run) bridge(ctx context.Context) error {
	err := r.create(ctx, changesBridge, ActionBridged)
	again := r.refused
	r.refused = isConflict(err)
	switch {
	case causeOf(err) == CauseQuota:
		return r.openGap(ctx, FoundNoRoom)
	case r.overlaps(err), again && r.refusedForLong(err):
		return r.openGap(ctx, FoundOverlap)
	}
	return err
}

// refusedForLong tells whether Graph has refused bridges without naming a
// subscription since an earlier run, and notes it the first time.
func (r *run) refusedForLong(err error) bool {
	if !isConflict(err) || namesAny(err) {
		return false
	}
	if r.record.Refused.IsZero() {
		r.record.Refused = r.now()
	}
	return r.now().Sub(r.record.Refused) >= refusalGrace
}

// overlaps tells whether a subscription was refused because of a listed one, so
// that Graph counts the two as the same though their changeTypes differ. Where
// notifications are lost already, it is not waited until that is certain: to
// remove what does not deliver costs nothing.
func (r *run) overlaps(err error) bool {
	if !isConflict(err) || len(r.subs) == 0 {
		return false
	}
	return r.record.Since.IsZero() || slices.ContainsFunc(r.subs, func(s directory.Subscription) bool { return names(err, s.ID) })
}

// create makes a subscription, which from then on is the one that the record
// names, and asks for the sweep if that ends a gap.
func (r *run) create(ctx context.Context, changeType string, done Action) error {
	if err := r.mayChange(ctx); err != nil {
		return err
	}
	asked := directory.Subscription{
		Resource: resource, ChangeType: changeType, LatestTLS: wantedTLS,
		NotificationURL: r.NotificationURL, LifecycleURL: r.LifecycleURL,
		Expires: r.now().Add(r.life()),
	}
	r.afloat = true // also where the call panics
	made, err := r.Graph.CreateSubscription(ctx, asked, r.current)
	r.afloat = err != nil && !certain(err)
	if err != nil {
		if made, err = r.lookFor(ctx, asked, err); err != nil {
			return err
		}
		r.afloat = false
		done = ActionAdopted
	} else {
		made = completed(made, asked.NotificationURL, asked.LifecycleURL)
		r.subs = append(r.subs, made)
	}
	r.report.Done = append(r.report.Done, done)
	r.enter(made)
	if err := r.save(ctx); err != nil {
		return err
	}
	return r.settleGap(ctx)
}

// enter puts a subscription that was just made into the record.
func (r *run) enter(made directory.Subscription) {
	r.record.ShownURL = r.shownURL(made)
	r.record.SubscriptionID, r.record.ClientState = made.ID, digest(r.current)
	r.record.NotificationURL, r.record.LifecycleURL = r.NotificationURL, r.LifecycleURL
	if r.mending {
		r.record.Mended = r.now()
	}
	r.record.Expires, r.record.Renewed = made.Expires, r.now()
	none := time.Time{}
	r.record.Challenged, r.record.Refused = none, none // they were of the former one
}

// shownURL is how Graph is known to write our notification URL, "" where that is
// not known to differ. What its answer shows nobody can have changed yet.
func (r *run) shownURL(made directory.Subscription) string {
	switch {
	case !r.showsOurURL(made):
		return made.NotificationURL
	case r.foreignURL != "":
		return r.foreignURL
	case r.madeWithOurURL():
		return r.record.ShownURL
	}
	return ""
}

// lookFor finds out what became of a subscription whose making ended in an error.
// One that was not there before, and is in all and to the second of its expiry
// what was asked for, can only be ours: nobody else holds the lease.
func (r *run) lookFor(ctx context.Context, asked directory.Subscription, cause error) (directory.Subscription, error) {
	none := directory.Subscription{}
	failed := fmt.Errorf("create a subscription: %w", cause)
	switch {
	case certain(cause) && !isConflict(cause), ctx.Err() != nil:
		return none, failed
	case isConflict(cause):
		return none, &staleError{failed}
	}
	before := r.subs
	if err := r.list(ctx); err != nil {
		r.subs = before
		return none, failed
	}
	for i, s := range r.subs {
		known := func(b directory.Subscription) bool { return b.ID == s.ID }
		s = completed(s, asked.NotificationURL, asked.LifecycleURL)
		if !slices.ContainsFunc(before, known) && resembles(s, asked) {
			r.subs[i] = s
			return s, nil
		}
	}
	return none, failed
}

// resembles tells whether a subscription is what was asked for.
func resembles(s, asked directory.Subscription) bool {
	return changes(s, asked.ChangeType) && sameURL(s.NotificationURL, asked.NotificationURL) &&
		sameURL(s.LifecycleURL, asked.LifecycleURL) && s.Expires.Sub(asked.Expires).Abs() < time.Second
}

// certain tells whether nothing was made, nor ever will be, by a call that failed.
func certain(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.NotDone || e.Conflict())
}

// isConflict tells whether Graph knows a subscription like the one that was to be
// made.
func isConflict(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.Conflict()
}

// names tells whether Graph's text has the id of a subscription
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
func names(err error, id string) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && strings.Contains(strings.ToLower(e.Message), strings.ToLower(id))
}

// anyID is the shape of a subscription's id.
var anyID = regexp.MustCompile(`[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`)

func namesAny(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && anyID.MatchString(e.Message)
}
