// Package keeper keeps exactly one healthy [change notification subscription] on the
// users of a tenant.
//
// Each run of the [Keeper] renews the subscription by the id in its [Record], which also
// reauthorizes it. Only if that subscription is gone, or is not the one that is wanted,
// does the run replace it: it notes that a sweep is owed, deletes what is there, creates
// anew, and asks for the sweep. Nobody is notified of what happens between the two, so
// the sweep finds it.
//
// A run can die at any step. The next one mends what it left, because the record is
// written before each change, and Graph admits only one subscription of a kind. Two runs
// at once do no harm: a conditional write of the record decides which of them works.
//
// While a subscription is made, Graph calls the webhook. The keeper must therefore not
// run in the webhook's own capacity.
//
// [change notification subscription]: https://learn.microsoft.com/graph/api/resources/subscription
package keeper

import (
	"context"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// MaxLife is the longest that a subscription on users lives
// (https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime).
const MaxLife = 41_760 * time.Minute

// Graph is what the keeper needs of Microsoft Graph. Errors are of type
// [*directory.Error].
type Graph interface {
	// Subscriptions returns the app's subscriptions in the tenant. It has a small quota
	// of its own, and may be late.
	Subscriptions(ctx context.Context) ([]directory.Subscription, error)
	// CreateSubscription makes a subscription. Graph calls its URL before it answers.
	CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error)
	// RenewSubscription extends a subscription's time, and reauthorizes it.
	RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error)
	// DeleteSubscription ends a subscription.
	DeleteSubscription(ctx context.Context, id string) error
}

// Sweeps finds the users whose notifications were lost.
type Sweeps interface {
	// Ask returns nil only when it is durably noted that a full round is to begin. It
	// may be asked again.
	Ask(ctx context.Context, tenant string) error
}

// Secrets knows the clientState that the webhook accepts.
type Secrets interface {
	// ClientState caches, unless fresh is set: then it reads the secret again.
	ClientState(ctx context.Context, fresh bool) (string, error)
}

// Record is what the keeper remembers of a tenant between its runs. Times are UTC.
type Record struct {
	// ID is the subscription that delivers to us, empty for none.
	ID string
	// Fingerprint is of what it was made with: URL, clientState and changeType. The
	// clientState itself is not kept.
	Fingerprint string
	// Expires is when it ends, as Graph told last. It is zero where nothing is known to
	// deliver to us.
	Expires time.Time
	// SweepOwed tells that notifications were lost, or may have been, and that no sweep
	// has been asked for yet.
	SweepOwed bool
	// Claimed is when a run began to replace the subscription, zero when it has ended.
	Claimed time.Time
	// TakenDown tells that the system was taken down on purpose: until it is set up
	// again, nobody makes a subscription.
	TakenDown bool
}

// Config is what a Keeper is made of. All fields are required but those that say
// otherwise.
type Config struct {
	// Tenant is the one tenant that is served, a lower-case GUID.
	Tenant string
	// NotificationURL is the webhook's. Graph calls nothing but https.
	NotificationURL string
	Graph           Graph
	Secrets         Secrets
	Store           state.Store[Record]
	Sweeps          Sweeps
	// Check is what [Keeper.SetUp] tries before anything else, such as reading the
	// excluded groups. It may be nil.
	Check func(ctx context.Context) error
	// ClientID is the app's, and Portal where the administrators of the tenant's cloud
	// sign in. Both are for the advice that errors give, and may be empty.
	ClientID, Portal string
	// Observer may be nil.
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// A Keeper keeps nothing between its runs. It is safe for concurrent use, and so are
// many of them on one store.
type Keeper struct{ config Config }

// New makes a Keeper.
func New(c Config) *Keeper { return &Keeper{c} }

// Keep brings the subscription in order. Where another run is at work, or the system was
// taken down, it does nothing, reports so, and returns no error. Its errors are of type
// [*Advice].
func (k *Keeper) Keep(ctx context.Context) (Report, error) {
	r := k.newRun(TriggerSchedule)
	return r.end(ctx, r.keep(ctx))
}

const (
	// patience is how long SetUp goes on to try again: past the lease of a run that has
	// died.
	patience = lease + 5*time.Second
	// retryPause is how long it waits in between.
	retryPause = 10 * time.Second
)

// passing are the causes that pass by themselves in a fresh deployment.
var passing = map[Cause]bool{
	CauseNotificationURL: true, CauseFederation: true, CauseFederationKey: true,
	CauseSecretWrong: true, CauseCertificateWrong: true, CauseBusy: true,
	CauseThrottled: true, CauseUnwell: true, CauseUnreachable: true,
}

// SetUp is [Keeper.Keep] for the time when the system is set up, and ends its being taken
// down. It tries again, for two minutes, what a fresh deployment can meet: a webhook that
// does not answer yet, a credential that not every server of Entra has heard of, another
// run at work.
func (k *Keeper) SetUp(ctx context.Context) (Report, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r := k.newRun(TriggerSetUp)
		report, err := r.end(ctx, r.setUp(ctx))
		if !passing[report.Cause] {
			return report, err
		}
		if wait.For(waiting, retryPause) != nil {
			return report, err
		}
	}
}

// TakeDown removes all of the app's subscriptions on users. It is no error if they, the
// app or the tenant are gone already. Until [Keeper.SetUp], Keep does nothing, even if
// TakeDown has failed.
func (k *Keeper) TakeDown(ctx context.Context) error {
	r := k.newRun(TriggerTakeDown)
	_, err := r.end(ctx, r.takeDown(ctx))
	return err
}
