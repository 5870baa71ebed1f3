// Package subscription keeps exactly one healthy [change notification
// subscription] on the users of a tenant.
//
// The [Keeper] is a reconciler: it compares what Graph lists with what should be
// and does the least to make them equal. It can be run at any time, and twice at
// once, and it can die at any step: the next run goes on from what it finds.
//
// Three things make that hold. A lease in the [Record] lets one run at a time
// change anything. The record names the one subscription that is known to deliver
// to us, and is written after each change; whatever else watches users is
// superfluous and is removed. And Record.Since is cleared before a gap is
// repaired, and set again only once a sweep has been asked for.
//
// A dry run finds and reports the same, and changes nothing: see
// [Config].DryRun.
//
// Only the expiry of a subscription can be changed. Where something else has to
// be, the old subscription goes on delivering until a bridge does: a second one,
// which Graph admits because its changeType differs. So the replacement loses no
// notification.
//
// While a subscription is made, Graph calls the webhook. The keeper must
// therefore not run in the webhook's own capacity.
//
// [change notification subscription]: https://learn.microsoft.com/graph/api/resources/subscription
package subscription

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// MaxLife is the longest that a subscription on users lives
// (https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime).
const MaxLife = 41_760 * time.Minute

// Graph is what the keeper needs of Microsoft Graph. Each method makes one
// attempt. Errors are of type [*directory.Error].
type Graph interface {
	// Subscriptions returns the app's subscriptions in the tenant. It has a small
	// quota of its own.
	Subscriptions(ctx context.Context) ([]directory.Subscription, error)
	// CreateSubscription makes a subscription. Graph calls both of its URLs
	// before it answers.
	CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error)
	// RenewSubscription extends a subscription's time, which also answers a
	// challenge.
	RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error)
	// DeleteSubscription ends a subscription.
	DeleteSubscription(ctx context.Context, id string) error
}

// Sweeps finds whoever a gap has missed, and knows since when anybody can be.
type Sweeps interface {
	// AskForSweep returns nil only when it is durably noted that a sweep is to
	// begin at once. The gap, which is over, began after since; where that is
	// zero, notifications are not known ever to have flowed. why is a [Finding].
	// It may be asked the same again.
	AskForSweep(ctx context.Context, tenant, why string, since time.Time) error
	// ForgetSince returns nil only when it is durably noted that no notification
	// is to tell of users created before the next subscription begins. It may be
	// called again.
	ForgetSince(ctx context.Context, tenant string) error
}

// Secrets knows the clientState that subscriptions are made with.
type Secrets interface {
	// ClientStates returns the current secret and, while a rotation is under way,
	// the previous one, else "". The webhook must accept both already.
	ClientStates(ctx context.Context) (current, previous string, err error)
}

// Settings are the times by which a Keeper works.
type Settings struct {
	// RenewBelow is the rest of its life below which a subscription is renewed.
	RenewBelow time.Duration
	// LifeMargin is how much less than [MaxLife] is asked for: Graph refuses
	// more, and judges by its own clock.
	LifeMargin time.Duration
	// RunLimit is how long a run may take. Nothing is changed after it.
	RunLimit time.Duration
	// CallTimeout is how long a call that was given up may still take effect. To
	// make a subscription Graph waits up to 10 s for each of its two URLs.
	CallTimeout time.Duration
	// ChallengeGrace is how long a reauthorizationRequired may stand until
	// notifications are believed to be lost. Microsoft does not say how long it
	// waits; it repeats itself after 15 minutes.
	ChallengeGrace time.Duration
	// DoorPatience is how long [Keeper.SetUp] goes on where our URLs do not
	// answer Graph: a gateway that was made a moment ago may not do so yet.
	DoorPatience time.Duration
}

// DefaultSettings are the values that a deployment starts with.
var DefaultSettings = Settings{
	RenewBelow:     MaxLife / 2,
	LifeMargin:     10 * time.Minute,
	RunLimit:       2 * time.Minute,
	CallTimeout:    45 * time.Second,
	ChallengeGrace: 10 * time.Minute,
	DoorPatience:   time.Minute,
}

// lease is how long a run that died keeps others out: until nothing that it has
// begun can still take effect.
func (s Settings) lease() time.Duration { return s.RunLimit + s.CallTimeout }

// Config is what a Keeper is made of. All fields are required but those that say
// otherwise.
type Config struct {
	// Tenant is the one tenant that is served, a lower-case GUID.
	Tenant string
	// NotificationURL and LifecycleURL are ours. They may be the same.
	NotificationURL, LifecycleURL string
	Graph                         Graph
	Store                         Store
	Sweeps                        Sweeps
	Secrets                       Secrets
	Settings                      Settings
	// DryRun lets runs look, decide and report as they would, and change nothing:
	// neither in Graph nor in Store, nor is a sweep asked for. What Graph would
	// answer to a change is supposed, and forgotten with the run; whether it
	// could call the URLs is not known. A subscription there is stays as it is,
	// and lapses in the end. Lifecycle events are forgotten too: Graph repeats a
	// challenge, but of a missed only the log will tell, and after the dry run whom
	// it missed is found by the sweep's next full round, within days.
	// [Keeper.TakeDown] is no dry run.
	DryRun bool
	// ClientID is the app's, for the advice that errors give; it may be empty.
	ClientID string
	// Portal is where the administrators of the tenant's cloud sign in, for that
	// advice too; empty means https://entra.microsoft.com.
	Portal string
	// Observer may be nil.
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
	// Holder returns a name for one run that no other run has; nil means a random
	// one.
	Holder func() string
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	require(directory.IsID(c.Tenant), "tenant %q is not a lower-case GUID", c.Tenant)
	require(isEndpoint(c.NotificationURL), "notification URL %q is not an https URL", c.NotificationURL)
	require(isEndpoint(c.LifecycleURL), "lifecycle URL %q is not an https URL", c.LifecycleURL)
	require(c.Graph != nil && c.Store != nil && c.Sweeps != nil && c.Secrets != nil,
		"graph, store, sweeps and secrets must all be given")
	require(c.Log != nil && c.Now != nil, "log and calendar must be given")
	s := c.Settings
	require(s.LifeMargin > 0 && s.RunLimit > 0 && s.CallTimeout > 0 && s.ChallengeGrace > 0,
		"life margin, run limit, call timeout and challenge grace must be positive")
	require(s.RenewBelow > 0 && s.RenewBelow < MaxLife-s.LifeMargin,
		"subscriptions that live for %s can't be renewed below %s", MaxLife-s.LifeMargin, s.RenewBelow)
	return errors.Join(faults...)
}

// isEndpoint tells whether Graph would call the URL.
func isEndpoint(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.Fragment == ""
}

// A Keeper keeps nothing between its runs. It is safe for concurrent use, and so
// are many of them on one store.
type Keeper struct{ config }

// config keeps the fields of a Config out of the Keeper's own documentation and
// out of reach.
type config Config

// New makes a Keeper.
func New(c Config) (*Keeper, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	return &Keeper{config(c)}, nil
}

// Keep brings the subscription in order. Where another run is at work, or the
// system was taken down, it does nothing, reports so, and returns no error.
func (k *Keeper) Keep(ctx context.Context) (Report, error) {
	r := k.newRun(TriggerSchedule)
	err := r.work(ctx, r.reconcile)
	return r.report, err
}

// SetUp is [Keeper.Keep] for the time when the system is set up, and ends its
// being taken down: notifications are to tell of new users from now on. It waits
// for another run to end, and for URLs that were made a moment ago to answer. Its
// errors are of type [*Advice].
//
// In a dry run it shows that the app can sign in, and that Graph lets it list its
// subscriptions.
func (k *Keeper) SetUp(ctx context.Context) (Report, error) {
	report, err := k.insist(ctx, TriggerSetUp, (*run).setUp)
	for range k.Settings.DoorPatience / doorPause {
		if causeOf(err) != CauseNotificationURL || sleep(ctx, doorPause) != nil {
			break
		}
		report, err = k.insist(ctx, TriggerSetUp, (*run).setUp)
	}
	return report, k.Explain(err)
}

// doorPause is how long to wait before Graph is asked to call our URLs again.
const doorPause = 15 * time.Second

// TakeDown removes all of the app's subscriptions on users. What is gone already
// is fine, be it subscription, app or tenant. It waits for another run to end, and
// its errors are of type [*Advice]. Until [Keeper.SetUp], Keep and HandleLifecycle
// do nothing, though TakeDown may have failed.
//
// That the sweep could not be told is in the log and no error: SetUp tells it
// again, and does nothing before it has.
//
// It removes in a dry run too, because a person has ordered it, and a subscription
// that is left behind would deliver to nobody for weeks. But then it is only the
// one that the record names, which was made before the dry run: whatever else is
// there may be at work for another deployment of the same app. Where the record
// names none, nothing is written at all.
func (k *Keeper) TakeDown(ctx context.Context) error {
	_, err := k.insist(ctx, TriggerTakeDown, (*run).takeDown)
	if _, gone := errors.AsType[*forgetError](err); gone {
		return nil
	}
	return k.Explain(err)
}

// insistPause is how long to wait before looking again whether another run has
// ended.
const insistPause = 3 * time.Second

// insist runs task, and waits for whoever is at work meanwhile: until two leases
// could have lapsed.
func (k *Keeper) insist(ctx context.Context, trigger Trigger, task func(*run, context.Context) error) (Report, error) {
	var last Report
	for range 1 + 2*k.Settings.lease()/insistPause {
		r := k.newRun(trigger)
		err := r.work(ctx, func(ctx context.Context) error { return task(r, ctx) })
		if err != nil || !r.report.Busy() {
			return r.report, err
		}
		last = r.report
		if err := sleep(ctx, insistPause); err != nil {
			return last, errors.Join(errBusy, err)
		}
	}
	return last, errBusy
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
