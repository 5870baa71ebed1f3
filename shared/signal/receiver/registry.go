package receiver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// patience is how long reading the registry again may take while an older one is at hand.
const patience = time.Second

// A registry is what was last read of it.
type registry struct {
	config Config

	mu      sync.Mutex               // held while it is read, so that many callers make one request
	sources map[string]signal.Record // nil until it has been read
	tried   time.Time                // when it was last asked for
	err     error                    // of that time
}

// find returns the record of a source, if there is one. The registry is read again if it
// is too old, and sooner for an id that it does not hold or if it must be fresh. If that
// fails, the old one serves those whom it holds, rather than that signals are lost.
func (r *registry) find(ctx context.Context, id string, fresh bool) (record signal.Record, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Without the monotonic clock, which stands still while an execution environment is
	// frozen.
	now := r.config.Now().Round(0)
	age := now.Sub(r.tried)
	record, ok = r.sources[id]
	early := (fresh || !ok || r.err != nil) && age >= RegistryPause
	if r.sources == nil || early || age >= RegistryAge {
		r.load(ctx, now)
		record, ok = r.sources[id]
	}
	if !ok {
		return record, false, r.err
	}
	return record, true, nil
}

func (r *registry) load(ctx context.Context, now time.Time) {
	if r.sources != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	item, err := r.config.Registry.Load(ctx, r.config.Tenant)
	r.tried, r.err = now, err
	switch {
	case err == nil:
		r.sources = item.Doc.Sources
		if r.sources == nil {
			r.sources = make(map[string]signal.Record)
		}
	case r.sources != nil:
		r.config.Log.LogAttrs(ctx, slog.LevelWarn, "the sources could not be read again, older ones serve",
			slog.String("error", err.Error()))
	default:
		r.err = fmt.Errorf("read the sources: %w", err)
	}
}
