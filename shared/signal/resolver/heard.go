package resolver

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// news is what the messages of one call tell of a source.
type news struct {
	heard, pinged time.Time
	status        string
	said          time.Time // when the status was
}

func (n *news) add(m signal.Message) {
	n.heard = latest(n.heard, m.Received)
	if m.Heartbeat {
		n.pinged = latest(n.pinged, m.Received)
	}
	if m.Status != "" && !m.Received.Before(n.said) {
		n.status, n.said = m.Status, m.Received
	}
}

// tell writes the news into a record, unless it stands there already, or nearly. It tells
// whether it did. A stream of which more was heard since does what it does, whatever an
// older message says.
func (n *news) tell(r *signal.Record) bool {
	changed := n.status != "" && n.status != r.Stream.Status && !n.said.Before(r.Heard)
	if !changed && n.heard.Sub(r.Heard) < WriteEvery && (n.pinged.IsZero() || n.pinged.Sub(r.Pinged) < WriteEvery) {
		return false
	}
	if changed {
		r.Stream.Status = n.status
	}
	r.Heard, r.Pinged = latest(r.Heard, n.heard), latest(r.Pinged, n.pinged)
	return true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hear writes that the sources were heard. If it can't, the messages that say nothing else
// come again; those with a signal have others after them.
func (r *Resolver) hear(ctx context.Context, jobs []*job, registry signal.Registry) {
	all := make(map[string]*news)
	for _, j := range jobs {
		if _, known := registry.Sources[j.message.Source]; known && j.out.Source != "" {
			if all[j.message.Source] == nil {
				all[j.message.Source] = new(news)
			}
			all[j.message.Source].add(j.message)
		}
	}
	if !tellAll(all, &registry) {
		return
	}
	err := state.Update(ctx, r.Store, r.Tenant, func(stored *signal.Registry) bool { return tellAll(all, stored) })
	if err != nil {
		silent := filter(jobs, func(j *job) bool { return j.out.Reason == Heard })
		leaveAll(silent, RegistryUnavailable, fmt.Errorf("write when the source was heard: %w", err))
	}
}

func tellAll(all map[string]*news, registry *signal.Registry) (changed bool) {
	for id, n := range all {
		if record, known := registry.Sources[id]; known && n.tell(&record) {
			registry.Sources[id], changed = record, true
		}
	}
	return changed
}
