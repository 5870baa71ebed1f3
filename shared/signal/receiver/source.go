package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

var (
	// errUnusable is of a source that can't be opened as it is stored.
	errUnusable = errors.New("the source can't be used as it is stored: remove it and add it again")
	// errNoStream ends when the keeper has run.
	errNoStream = errors.New("the source's stream has not been made yet: the keeper makes it when it runs")
)

// A memory is what the receiver remembers of a source between two POSTs.
type memory struct {
	keys      *signal.Keys
	uri       string    // where the keys are
	refreshed time.Time // when its credential was last read anew
}

// of returns the memory of a source that is known; call it with mu held.
func (h *Handler) of(id string) *memory {
	m := h.memory[id]
	if m == nil {
		m = new(memory)
		h.memory[id] = m
	}
	return m
}

// keys are those of an SSF source, kept for as long as their address stays.
func (h *Handler) keys(id, uri string) *signal.Keys {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.of(id)
	if m.keys == nil || m.uri != uri {
		m.keys, m.uri = signal.NewKeys(h.config.Keys(uri)), uri
	}
	return m.keys
}

// stale tells whether a credential was not read anew lately.
func (h *Handler) stale(id string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.of(id).refreshed) >= RefreshPause
}

func (h *Handler) refreshed(id string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(id).refreshed = now
}

// judge decodes a POST if it is the source's. If its proof does not fit, what is stored
// may have changed since it was read, since secrets rotate and streams are made anew: then
// all is read again, and it is tried once more.
func (h *Handler) judge(ctx context.Context, id string, record signal.Record, r signal.Request) (signal.Delivery, error) {
	delivery, err := h.try(ctx, id, record, r, false)
	if !curable(err) {
		return delivery, err
	}
	record, ok, failure := h.registry.find(ctx, id, true)
	if failure != nil || !ok { // it has been removed meanwhile
		return delivery, err
	}
	return h.try(ctx, id, record, r, h.stale(id, r.Received))
}

// try opens the source and lets it judge the POST. It is made anew for each POST: that
// costs microseconds, and what is stored always holds. Of an SSF source only the keys live
// on.
func (h *Handler) try(ctx context.Context, id string, record signal.Record, r signal.Request, fresh bool) (none signal.Delivery, err error) {
	credential, err := h.config.Credentials.Credential(ctx, id, fresh)
	if err != nil { // the sender tries again, and may then be believed
		return none, fmt.Errorf("read the credential: %w", err)
	}
	if fresh {
		h.refreshed(id, r.Received)
	}
	if record.Kind == signal.KindSSF && len(record.Stream.Audiences) == 0 {
		return none, errNoStream
	}
	source, err := record.Open(id, credential, h.keys(id, record.Stream.KeysURI))
	if err != nil {
		return none, fmt.Errorf("%w: %w", errUnusable, err)
	}
	return signal.Receive(ctx, source, r)
}

// proofs are the reasons of refusals that another credential or record may cure.
var proofs = []signal.Reason{
	signal.BadSecret, signal.BadSignature, signal.BadState, signal.BadIssuer, signal.BadAudience,
}

func curable(err error) bool {
	var refusal *signal.Refusal
	if errors.As(err, &refusal) {
		return slices.Contains(proofs, refusal.Reason)
	}
	return errors.Is(err, errUnusable) || errors.Is(err, errNoStream)
}
