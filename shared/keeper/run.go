package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// A run is one invocation of the keeper.
type run struct {
	*Keeper
	now    time.Time
	item   state.Item[Record]
	loaded bool
	// clientState and fingerprint are of the subscription that is wanted.
	clientState, fingerprint string
	report                   Report
}

func (k *Keeper) newRun(trigger Trigger) *run {
	return &run{Keeper: k, now: k.Now().UTC(), report: Report{Tenant: k.Tenant, Trigger: trigger}}
}

// The errors of a run that come of no call.
var (
	// errBusy: another run is at work.
	errBusy = errors.New("another run of the keeper is at work")
	// errUnsettled: Graph knows a subscription that it does not list.
	errUnsettled = errors.New("Graph knows a subscription that it does not list")
)

// Failures of what is not Graph.
type (
	storeError  struct{ error }
	secretError struct{ error }
	sweepError  struct{ error }
)

func (e storeError) Unwrap() error  { return e.error }
func (e secretError) Unwrap() error { return e.error }
func (e sweepError) Unwrap() error  { return e.error }

func (r *run) record() *Record { return &r.item.Doc }

func (r *run) load(ctx context.Context) error {
	item, err := r.Store.Load(ctx, r.Tenant)
	if err != nil {
		return storeError{fmt.Errorf("load the keeper's record: %w", err)}
	}
	r.item, r.loaded = item, true
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
		return storeError{fmt.Errorf("save the keeper's record: %w", err)}
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
	if r.record().SweepOwed {
		r.report.find(FoundUnswept)
	}
	return r.settle(ctx)
}

// maxClientState is how many characters a clientState may have
// (https://learn.microsoft.com/graph/api/resources/subscription#properties).
const maxClientState = 128

var errNoSecret = errors.New("there is no clientState, or it is longer than 128 characters")

// readSecret asks for the secret itself, not for what was cached: the webhook reads it
// anew too when it meets a clientState that it does not know.
func (r *run) readSecret(ctx context.Context) error {
	states, err := r.Secrets.ClientStates(ctx, true)
	if err != nil {
		return secretError{fmt.Errorf("read client states: %w", err)}
	}
	if len(states) == 0 || strings.TrimSpace(states[0]) == "" || len(states[0]) > maxClientState {
		return secretError{errNoSecret}
	}
	r.clientState = states[0]
	r.fingerprint = fingerprint(r.NotificationURL, r.clientState, changeType)
	return nil
}

// fingerprint digests the parts, none of which has a line feed in it.
func fingerprint(parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(digest[:])
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
	r.remember(got)
	return FoundHealthy, nil
}

func (r *run) wantedExpiry() time.Time { return r.now.Add(MaxLife - lifeMargin) }

// remember notes what Graph granted, which may be less than was asked for.
func (r *run) remember(s directory.Subscription) {
	record := r.record()
	record.Expires, record.Renewed = s.Expires.UTC(), r.now
	if s.Expires.IsZero() {
		record.Expires = r.wantedExpiry()
	}
}

func isGone(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotFound()
}

// replace deletes what there is and makes the wanted subscription. Its first step, which
// only one of several runs takes, is to note that a sweep is owed.
func (r *run) replace(ctx context.Context) error {
	record := r.record()
	record.SweepOwed, record.Claimed = true, r.now
	if err := r.save(ctx); err != nil {
		return err
	}
	if err := r.renewed(ctx); err != nil {
		r.release(ctx)
		return err
	}
	return r.settle(ctx)
}

// release lets the next run begin at once. If that fails, it begins when the lease ends.
func (r *run) release(ctx context.Context) {
	r.record().Claimed = time.Time{}
	_ = r.save(ctx)
}

// renewed makes the wanted subscription in place of what there is, and records it.
func (r *run) renewed(ctx context.Context) error {
	if err := r.deleteAll(ctx, r.record().ID); err != nil {
		return err
	}
	made, err := r.create(ctx)
	if err != nil {
		return err
	}
	r.report.did(ActionCreated)
	record := r.record()
	record.ID, record.Fingerprint, record.Claimed = made.ID, r.fingerprint, time.Time{}
	r.remember(made)
	err = r.save(ctx)
	if errors.Is(err, errBusy) {
		// The other run does not know of this subscription, so it must go.
		return errors.Join(err, r.delete(ctx, made.ID))
	}
	return err
}

// create makes the subscription. Where Graph has one of the kind already that it had not
// listed, it looks and deletes once more.
func (r *run) create(ctx context.Context) (directory.Subscription, error) {
	made, err := r.tryCreate(ctx)
	id, conflict := conflicting(err)
	if !conflict {
		return made, err
	}
	r.report.find(FoundConflict)
	if err := r.deleteAll(ctx, id); err != nil {
		return directory.Subscription{}, err
	}
	made, err = r.tryCreate(ctx)
	if _, conflict := conflicting(err); conflict {
		err = fmt.Errorf("%w: %w", errUnsettled, err)
	}
	return made, err
}

func (r *run) tryCreate(ctx context.Context) (directory.Subscription, error) {
	made, err := r.Graph.CreateSubscription(ctx, directory.Subscription{
		Resource: resource, ChangeType: changeType, NotificationURL: r.NotificationURL,
		LatestTLS: latestTLS, Expires: r.wantedExpiry(),
	}, r.clientState)
	if err != nil {
		return directory.Subscription{}, fmt.Errorf("create subscription: %w", err)
	}
	return made, nil
}

var guid = regexp.MustCompile(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)

// conflicting tells whether Graph has a subscription of the kind already (409,
// ObjectIdentifierInUse), and which, if its text says so.
func conflicting(err error) (id string, ok bool) {
	e, isGraph := errors.AsType[*directory.Error](err)
	if !isGraph || !e.Conflict() {
		return "", false
	}
	return guid.FindString(e.Message), true
}

// deleteAll deletes the subscription whose id is known, and every one on users that
// Graph lists: a list may be late.
func (r *run) deleteAll(ctx context.Context, known string) error {
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
		return sweepError{fmt.Errorf("ask for a sweep: %w", err)}
	}
	r.report.did(ActionSweepAsked)
	r.record().SweepOwed = false
	return r.save(ctx)
}
