package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

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
	uri  string // where the keys are
	keys *signal.Keys
	// refreshed is when its credential was last read anew, in Unix seconds.
	refreshed atomic.Int64
}

// remember returns the memory of a source, which lasts for as long as its keys' address.
func (h *Handler) remember(id, uri string) *memory {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.memory[id]
	if m == nil || m.uri != uri {
		m = &memory{uri: uri, keys: signal.NewKeys(h.config.Keys(uri))}
		h.memory[id] = m
	}
	return m
}

// judge decodes a POST if it is the source's. If its proof does not fit, the secret may
// have changed since it was read: then it is read again, and tried once more.
func (h *Handler) judge(ctx context.Context, id string, record signal.Record, r signal.Request) (signal.Delivery, error) {
	m := h.remember(id, record.Stream.KeysURI)
	delivery, err := h.try(ctx, id, record, r, m, false)
	if !curable(err) || r.Received.Unix()-m.refreshed.Load() < int64(RefreshPause.Seconds()) {
		return delivery, err
	}
	return h.try(ctx, id, record, r, m, true)
}

// try opens the source and lets it judge the POST. It is made anew for each POST: that
// costs microseconds, and what is stored always holds. Of an SSF source only the keys live
// on.
func (h *Handler) try(ctx context.Context, id string, record signal.Record, r signal.Request, m *memory, fresh bool) (none signal.Delivery, err error) {
	credential, err := h.config.Credentials.Credential(ctx, id, fresh)
	if err != nil { // the sender tries again, and may then be believed
		return none, fmt.Errorf("read the credential: %w", err)
	}
	if fresh {
		m.refreshed.Store(r.Received.Unix())
	}
	if record.Kind == signal.KindSSF && len(record.Stream.Audiences) == 0 {
		return none, errNoStream
	}
	source, err := record.Open(id, credential, m.keys)
	if err != nil {
		return none, fmt.Errorf("%w: %w", errUnusable, err)
	}
	return signal.Receive(ctx, source, r)
}

// proofs are the reasons of refusals that another credential may cure.
var proofs = []signal.Reason{signal.BadSecret, signal.BadSignature, signal.BadState}

func curable(err error) bool {
	refusal, ok := errors.AsType[*signal.Refusal](err)
	return ok && slices.Contains(proofs, refusal.Reason) || errors.Is(err, errUnusable)
}
