package resolver

import (
	"context"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// hear reads the sources, and writes when they were heard.
func (r *Resolver) hear(ctx context.Context, jobs []*job) (sources map[string]signal.Record, err error) {
	err = state.Update(ctx, r.Store, r.Tenant, func(registry *signal.Registry) (changed bool) {
		sources = registry.Sources
		for _, j := range jobs {
			if record, known := sources[j.message.Source]; known && tell(&record, j.message) {
				sources[j.message.Source], changed = record, true
			}
		}
		return changed
	})
	if err != nil {
		return nil, fmt.Errorf("change the sources: %w", err)
	}
	return sources, nil
}

// tell writes what a message says of its source, unless it stands there already, or nearly.
// It tells whether it did. A stream of which more was heard since does what it does,
// whatever an older message says.
func tell(r *signal.Record, m signal.Message) bool {
	changed := m.Status != "" && m.Status != r.Stream.Status && !m.Received.Before(r.Heard)
	pinged := m.Heartbeat && m.Received.Sub(r.Pinged) >= WriteEvery
	if !changed && !pinged && m.Received.Sub(r.Heard) < WriteEvery {
		return false
	}
	if changed {
		r.Stream.Status = m.Status
	}
	if pinged {
		r.Pinged = m.Received
	}
	if m.Received.After(r.Heard) {
		r.Heard = m.Received
	}
	return true
}
