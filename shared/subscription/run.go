package subscription

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Why a run can't go on.
var (
	errBusy     = errors.New("another run of the keeper is at work")
	errAborted  = errors.New("the run broke off")
	errTooLate  = errors.New("the run took longer than it may")
	errNoSecret = errors.New("client state secret is blank or longer than 128 characters")
	errRestless = errors.New("the subscriptions changed while they were put in order")
	// errNotAsAsked leaves the gap open.
	errNotAsAsked = errors.New("the subscription that was made does not report what was asked for")
)

// storeError is a failure of the store, which [Keeper.Explain] tells from one of
// Graph.
type storeError struct{ err error }

func (e *storeError) Error() string { return "keeper's record: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// run is one run of the keeper, from taking the lease to giving it back.
type run struct {
	*Keeper
	report Report
	began  time.Time
	holder string
	// judge looks at the record before anything is done, and may change it. It
	// tells whether there is anything to do. Nil means that there is.
	judge func(*Record) bool

	record Record
	held   bool // the lease is ours
	unsure bool // whether the last write of the record took effect is not known
	afloat bool // a subscription that was to be made may still come to be

	current, previous string // clientStates
	subs              []directory.Subscription
	surveyed          bool            // subs have been compared with the record
	gone              map[string]bool // ids that Graph has disowned, listed or not
	gap               Finding         // what made the gap, "" for none in this run
	mending           bool            // a replacement is to be without what Graph shows
	refused           bool            // a bridge was, by a 409
	foreignURL        string          // shown of the one in the record, though made with ours
}

func (k *Keeper) newRun(trigger Trigger) *run {
	dry := k.DryRun && trigger != TriggerTakeDown
	if dry {
		k = k.rehearse()
	}
	r := &run{Keeper: k, gone: make(map[string]bool)}
	r.began = r.now()
	r.report = Report{Tenant: k.Tenant, Trigger: trigger, DryRun: dry, Found: []Finding{}, Done: []Action{}}
	if trigger == TriggerTakeDown {
		r.judge = r.orderDown
	}
	if k.Holder != nil {
		r.holder = k.Holder()
	} else {
		r.holder = rand.Text()
	}
	return r
}

// now is the time to the precision that stores keep.
func (r *run) now() time.Time { return r.Now().UTC().Truncate(time.Microsecond) }

// work does the task under the lease. It may be called once.
func (r *run) work(ctx context.Context, task func(context.Context) error) (err error) {
	err = errAborted // stands if the task panics
	defer func() { r.tell(ctx, err) }()
	defer func() { err = errors.Join(err, r.release(ctx)) }()

	limited, cancel := context.WithTimeout(ctx, r.Settings.RunLimit)
	defer cancel()
	proceed, err := r.takeLease(limited)
	if err != nil || !proceed {
		return err
	}
	err = errAborted
	err = task(limited)
	return err
}

// takeLease reads the record and makes this run the one that may change
// subscriptions. It tells whether it did; if not, there is nothing to do or
// another run is at work.
func (r *run) takeLease(ctx context.Context) (bool, error) {
	record, err := r.Store.Record(ctx, r.Tenant)
	if err != nil {
		return false, &storeError{fmt.Errorf("read: %w", err)}
	}
	r.record = record
	if r.atRest() {
		r.report.find(FoundTakenDown)
		return false, nil
	}
	if r.judge != nil && !r.judge(&r.record) {
		return false, nil
	}
	now := r.now()
	if record.Holder != "" && now.Before(record.HeldUntil) {
		r.report.find(FoundBusy)
		return false, nil
	}
	r.record.Holder, r.record.HeldUntil = r.holder, now.Add(r.Settings.lease())
	r.held = true
	if err := r.save(ctx); errors.Is(err, ErrConflict) {
		r.report.find(FoundBusy)
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// save writes the record. Its memory is always the truth as far as we know it, so
// that what one write failed to keep, the next one does.
func (r *run) save(ctx context.Context) error {
	err := r.Store.SaveRecord(ctx, r.record)
	switch {
	case err == nil:
		r.record.Version++
		r.unsure = false
		return nil
	case errors.Is(err, ErrConflict):
		r.held = false // and so nothing is to be given back
	default:
		r.unsure = true
	}
	return &storeError{fmt.Errorf("write: %w", err)}
}

// releaseTimeout bounds the last write of a run, which is made even when the
// invocation is cancelled.
const releaseTimeout = 5 * time.Second

// release writes the record a last time, and gives the lease back with it. After a
// creation of which nobody knows what became, it is kept until that can't take
// effect any more: whoever lists the subscriptions after that, sees all.
func (r *run) release(ctx context.Context) error {
	if !r.held {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if r.unsure {
		stored, err := r.Store.Record(ctx, r.Tenant)
		if err != nil {
			return &storeError{fmt.Errorf("read once more: %w", err)}
		}
		if stored.Holder != r.holder && stored.Version != r.record.Version {
			return nil // somebody else's by now
		}
		r.record.Version = stored.Version
	}
	if r.afloat {
		r.record.Holder, r.record.HeldUntil = r.holder, r.now().Add(r.Settings.CallTimeout)
	} else {
		r.record.Holder, r.record.HeldUntil = "", time.Time{}
	}
	return r.save(ctx)
}

// mayChange tells whether a change can be begun: the lease is sure to be ours
// until it has taken effect or never will.
func (r *run) mayChange(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", errTooLate, err)
	}
	if r.now().After(r.record.HeldUntil.Add(-r.Settings.CallTimeout)) {
		return errTooLate
	}
	return nil
}

// list reads the app's subscriptions on users that are alive.
func (r *run) list(ctx context.Context) error {
	all, err := r.Graph.Subscriptions(ctx)
	if err != nil {
		return fmt.Errorf("list the subscriptions: %w", err)
	}
	now := r.now()
	r.subs = nil
	for _, s := range all {
		if !oursToTouch(s) || !s.Expires.After(now) || r.gone[s.ID] {
			continue
		}
		if s.ID == r.record.SubscriptionID {
			s = completed(s, r.record.NotificationURL, r.record.LifecycleURL)
		}
		r.subs = append(r.subs, s)
	}
	return nil
}

// remove deletes every listed subscription that condemned says so of. One that is
// gone already is as good.
func (r *run) remove(ctx context.Context, condemned func(directory.Subscription) bool) error {
	var kept []directory.Subscription
	for i, s := range r.subs {
		if !condemned(s) {
			kept = append(kept, s)
			continue
		}
		if err := r.delete(ctx, s.ID); err != nil {
			r.subs = append(kept, r.subs[i:]...)
			return err
		}
	}
	r.subs = kept
	return nil
}

func (r *run) delete(ctx context.Context, id string) error {
	if err := r.mayChange(ctx); err != nil {
		return err
	}
	err := r.Graph.DeleteSubscription(ctx, id)
	if e, ok := errors.AsType[*directory.Error](err); ok && e.NotFound() {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("delete subscription %s: %w", id, err)
	}
	r.report.Done = append(r.report.Done, ActionRemoved)
	return nil
}
