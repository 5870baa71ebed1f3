package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// What the subscription watches. "updated" is also sent for users who are created
// (https://learn.microsoft.com/graph/api/resources/subscription).
const (
	resource   = "users"
	changeType = "updated"
	latestTLS  = "v1_2"
)

const (
	// lifeMargin is how much less than MaxLife is asked for: Graph refuses more, and
	// judges by its own clock.
	lifeMargin = 10 * time.Minute
	// lease is how long a run that replaces the subscription keeps others out. To make
	// one, Graph waits up to 10 s for the webhook.
	lease = 2 * time.Minute
	// downTries is how often TakeDown tries to write its order against other runs.
	downTries = 5
)

// A run is one invocation of the keeper.
type run struct {
	Config
	now  time.Time
	item state.Item[Record]
	// clientState and fingerprint are of the subscription that is wanted.
	clientState, fingerprint string
	report                   Report
}

func (k *Keeper) newRun(trigger Trigger) *run {
	return &run{Config: k.config, now: k.config.Now().UTC(), report: Report{Trigger: trigger}}
}

// A fault is an error that is not Graph's, with its cause.
type fault struct {
	cause Cause
	error
}

// Unwrap returns the error without its cause.
func (f *fault) Unwrap() error { return f.error }

// errBusy: another run is at work.
var errBusy = &fault{CauseBusy, errors.New("another run of the keeper is at work")}

func (r *run) record() *Record { return &r.item.Doc }

func (r *run) load(ctx context.Context) error {
	item, err := r.Store.Load(ctx, r.Tenant)
	if err != nil {
		return &fault{CauseStore, fmt.Errorf("load the keeper's record: %w", err)}
	}
	r.item, r.report.Known = item, true
	return nil
}

// save writes the record. That somebody else has written it is [errBusy]: the other run
// works.
func (r *run) save(ctx context.Context) error {
	item, err := r.Store.Save(ctx, r.Tenant, r.item)
	if errors.Is(err, state.ErrConflict) {
		return errBusy
	}
	if err != nil {
		return &fault{CauseStore, fmt.Errorf("save the keeper's record: %w", err)}
	}
	r.item = item
	return nil
}

// keep is [Keeper.Keep].
func (r *run) keep(ctx context.Context) error {
	if err := r.load(ctx); err != nil {
		return err
	}
	if r.record().TakenDown {
		r.report.find(FoundTakenDown)
		return nil
	}
	return r.reconcile(ctx)
}

// setUp is one attempt of [Keeper.SetUp].
func (r *run) setUp(ctx context.Context) error {
	if r.Check != nil {
		if err := r.Check(ctx); err != nil {
			return err
		}
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	r.record().TakenDown = false
	return r.reconcile(ctx)
}

// takeDown is [Keeper.TakeDown]. The order is written first: a run that is at work meets
// it when it records what it has made, and deletes that.
func (r *run) takeDown(ctx context.Context) error {
	if err := r.orderDown(ctx); err != nil {
		return err
	}
	err := r.deleteAll(ctx)
	if causeOf(err) == CauseAppUnknown { // all subscriptions are gone with it
		return nil
	}
	return err
}

// orderDown writes that the system is taken down.
func (r *run) orderDown(ctx context.Context) (err error) {
	for range downTries {
		if err = r.load(ctx); err != nil {
			return err
		}
		r.item.Doc = Record{ID: r.record().ID, TakenDown: true}
		if err = r.save(ctx); !errors.Is(err, errBusy) {
			return err
		}
	}
	return err
}

// reconcile makes what is what should be.
func (r *run) reconcile(ctx context.Context) error {
	if r.now.Sub(r.record().Claimed) < lease {
		return errBusy
	}
	if err := r.readSecret(ctx); err != nil {
		return err
	}
	found, err := r.renew(ctx)
	if err != nil {
		return err
	}
	r.report.find(found)
	if found != FoundHealthy {
		return r.replace(ctx)
	}
	if err := r.save(ctx); err != nil {
		return err
	}
	return r.settle(ctx)
}

// readSecret asks for the secret itself, not for what was cached: the webhook reads it
// anew too when it meets a clientState that it does not know.
func (r *run) readSecret(ctx context.Context) error {
	state, err := r.Secrets.ClientState(ctx, true)
	if err != nil {
		return &fault{CauseClientState, fmt.Errorf("read the client state: %w", err)}
	}
	r.clientState = state
	digest := sha256.Sum256([]byte(strings.Join([]string{r.NotificationURL, r.clientState, changeType}, "\n")))
	r.fingerprint = hex.EncodeToString(digest[:])
	return nil
}

// renew extends the subscription of the record, if it is the wanted one, and tells what
// it found.
func (r *run) renew(ctx context.Context) (Finding, error) {
	switch {
	case r.record().ID == "":
		return FoundNone, nil
	case r.record().Fingerprint != r.fingerprint:
		return FoundChanged, nil
	}
	got, err := r.Graph.RenewSubscription(ctx, r.record().ID, r.wantedExpiry())
	if isGone(err) {
		return FoundGone, nil
	}
	if err != nil {
		return "", fmt.Errorf("renew subscription: %w", err)
	}
	r.report.did(ActionRenewed)
	r.record().Expires = got.Expires
	return FoundHealthy, nil
}

func (r *run) wantedExpiry() time.Time { return r.now.Add(MaxLife - lifeMargin) }

func isGone(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotFound()
}

// replace deletes what there is and makes the wanted subscription. Its first step, which
// only one of several runs takes, is to note that a sweep is owed.
func (r *run) replace(ctx context.Context) error {
	record := r.record()
	record.SweepOwed, record.Claimed, record.Expires = true, r.now, time.Time{}
	if err := r.save(ctx); err != nil {
		return err
	}
	if err := r.makeAnew(ctx); err != nil {
		// Let the next run begin at once. If that fails, it begins when the lease ends.
		r.record().Claimed = time.Time{}
		_ = r.save(ctx)
		return err
	}
	return r.settle(ctx)
}

// makeAnew makes the wanted subscription in place of what there is, and records it.
func (r *run) makeAnew(ctx context.Context) error {
	if err := r.deleteAll(ctx); err != nil {
		return err
	}
	made, err := r.Graph.CreateSubscription(ctx, directory.Subscription{
		Resource: resource, ChangeType: changeType, NotificationURL: r.NotificationURL,
		LatestTLS: latestTLS, Expires: r.wantedExpiry(),
	}, r.clientState)
	if err != nil {
		return fmt.Errorf("create subscription: %w", err)
	}
	r.report.did(ActionCreated)
	record := r.record()
	record.ID, record.Fingerprint, record.Expires, record.Claimed = made.ID, r.fingerprint, made.Expires, time.Time{}
	err = r.save(ctx)
	if errors.Is(err, errBusy) {
		// The other run does not know of this subscription, so it must go.
		return errors.Join(err, r.delete(ctx, made.ID))
	}
	return err
}

// deleteAll deletes the subscription of the record, and every one on users that Graph
// lists: a list may be late.
func (r *run) deleteAll(ctx context.Context) error {
	known := r.record().ID
	if known != "" {
		if err := r.delete(ctx, known); err != nil {
			return err
		}
	}
	listed, err := r.Graph.Subscriptions(ctx)
	if err != nil {
		return fmt.Errorf("list subscriptions: %w", err)
	}
	for _, s := range listed {
		if s.ID == known || !strings.EqualFold(strings.Trim(s.Resource, "/"), resource) {
			continue
		}
		if err := r.delete(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) delete(ctx context.Context, id string) error {
	err := r.Graph.DeleteSubscription(ctx, id)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete subscription: %w", err)
	}
	r.report.did(ActionRemoved)
	return nil
}

// settle asks for the sweep that is owed.
func (r *run) settle(ctx context.Context) error {
	if !r.record().SweepOwed {
		return nil
	}
	if err := r.Sweeps.Ask(ctx, r.Tenant); err != nil {
		return &fault{CauseStore, err}
	}
	r.report.did(ActionSweepAsked)
	r.record().SweepOwed = false
	return r.save(ctx)
}
