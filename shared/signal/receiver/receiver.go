// Package receiver is the receiving end of identity providers' signals: it finds the source
// that a POST is for, checks that the POST is that source's, and hands what it holds to a
// queue before the provider is answered.
//
// It never calls Graph, and decides nothing about users. It answers only when everything
// worth keeping is durably queued: most providers repeat only after a 5xx, so whatever a
// later try may cure is answered by 503.
package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	// Path is what the path of each source begins with; its id follows.
	Path = "/idp/"
	// Timeout limits the time to the answer. Okta waits 3 s
	// (https://developer.okta.com/docs/concepts/event-hooks/); half a second is left to
	// the network.
	Timeout = 2500 * time.Millisecond
	// RefreshPause is how long the receiver waits, after it has read a source's credential
	// anew for a proof that did not fit, before it does so again.
	RefreshPause = time.Minute
)

// Registry knows the sources. It is a [state.Store] of which only this is used. It is read
// for each request, so that what is added or removed is so at once.
type Registry interface {
	Load(ctx context.Context, tenant string) (state.Item[signal.Registry], error)
}

// Credentials knows what the sources prove themselves by.
type Credentials interface {
	// Credential returns that of the source with the id. It caches, unless fresh is set:
	// then it reads it again. Its error is [signal.ErrNoCredential] if there is none.
	Credential(ctx context.Context, id string, fresh bool) (signal.Credential, error)
}

// Queue takes messages for the resolver.
type Queue interface {
	// Enqueue returns nil only when all of the messages are durably queued. It returns as
	// soon as ctx ends. It may see the same messages again.
	Enqueue(ctx context.Context, messages []signal.Message) error
}

// Observer is told of every request once it has been answered, for metrics.
type Observer interface {
	// ObserveSignals must not block: the answer may wait for it.
	ObserveSignals(ctx context.Context, receipt Receipt)
}

// Config is what a Handler is made of. All of it is required.
type Config struct {
	// Tenant is the Entra tenant id whose sources these are, a lower-case GUID.
	Tenant      string
	Registry    Registry
	Credentials Credentials
	// Keys makes what reads a transmitter's keys from its jwks_uri: see [HTTPS].
	Keys  func(uri string) signal.KeyFetcher
	Queue Queue
	// Log gets one record per request.
	Log      *slog.Logger
	Observer Observer
	// Now tells the calendar time.
	Now func() time.Time
}

// Handler answers the providers. It is safe for concurrent use.
type Handler struct {
	config Config

	mu     sync.Mutex
	memory map[string]*memory // by source id
}

// New returns a Handler.
func New(c Config) http.Handler {
	return &Handler{config: c, memory: make(map[string]*memory)}
}
