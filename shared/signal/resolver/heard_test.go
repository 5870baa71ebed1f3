package resolver_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
)

// ssf is what the receiver queues where no signal came.
func (w *world) ssf(heartbeat bool, status string) signal.Message {
	return signal.Message{Tenant: tenant, Source: other, Received: time.Now().UTC(), Heartbeat: heartbeat, Status: status}
}

// It is written when a source was heard, but not for every message.
func TestHeard(t *testing.T) {
	bubble(t, func(w *world) {
		w.handle(w.t.Context(), w.ssf(false, ""), w.employee(1, false), w.employee(2, false))
		if a, b := w.record(source), w.record(other); w.registry.saves != 1 || !a.Heard.Equal(w.start) || !b.Heard.Equal(w.start) || !a.Pinged.IsZero() {
			w.t.Errorf("%d writes: %+v %+v", w.registry.saves, a, b)
		}
		time.Sleep(resolver.WriteEvery - time.Second)
		w.handle(w.t.Context(), w.ssf(false, ""), w.employee(3, false))
		if w.registry.saves != 1 {
			w.t.Error("written again within the minute")
		}
		w.handle(w.t.Context(), w.ssf(true, ""))
		if r := w.record(other); !r.Pinged.Equal(w.start.Add(59*time.Second)) || w.registry.saves != 2 {
			w.t.Errorf("the first ping: %+v", r)
		}
		time.Sleep(time.Second)
		late := w.ssf(true, "")
		late.Source, late.Received = source, w.start
		w.handle(w.t.Context(), w.employee(4, false))
		w.handle(w.t.Context(), late)
		if r := w.record(source); !r.Heard.Equal(w.start.Add(time.Minute)) || !r.Pinged.Equal(w.start) {
			w.t.Errorf("after a minute: %+v", r)
		}
	})
}

// The status of a stream is written at once, and not what was said before something was
// heard of it.
func TestStatus(t *testing.T) {
	bubble(t, func(w *world) {
		stale := w.ssf(false, "disabled")
		time.Sleep(time.Second)
		paused := w.ssf(false, "paused")
		time.Sleep(time.Second)
		w.handle(w.t.Context(), w.ssf(false, "enabled"), paused)
		if got := w.record(other).Stream.Status; got != "enabled" {
			w.t.Errorf("status %q of two", got)
		}
		time.Sleep(time.Second)
		w.handle(w.t.Context(), w.ssf(false, "paused"))
		w.handle(w.t.Context(), stale)
		if r := w.record(other); r.Stream.Status != "paused" || !r.Heard.Equal(w.start.Add(3*time.Second)) || w.registry.saves != 2 {
			w.t.Errorf("%d writes: %+v", w.registry.saves, r)
		}
	})
}

// What tells that a source is there comes again until it is written, and a signal with it.
func TestHeardCannotBeWritten(t *testing.T) {
	bubble(t, func(w *world) {
		w.registry.save = errors.New("a fault")
		status := w.ssf(false, "paused")
		w.want(w.handle(w.t.Context(), status, w.employee(1, false)), resolver.RegistryUnavailable, resolver.RegistryUnavailable)
		w.registry.save = nil
		w.want(w.handle(w.t.Context(), status), resolver.Heard)
		if got := w.record(other).Stream.Status; got != "paused" {
			w.t.Errorf("status %q", got)
		}
	})
}

// A source that a person has removed stays removed, and its last signals are counted.
func TestRemovedSource(t *testing.T) {
	bubble(t, func(w *world) {
		w.spoil = func([]directory.Question) error { // a person is at work meanwhile
			w.save(signal.Registry{})
			return nil
		}
		w.want(w.handle(w.t.Context(), w.ssf(true, "enabled"), w.employee(1, true)), resolver.Heard, resolver.Queued)
		w.want(w.handle(w.t.Context(), w.ssf(true, "enabled"), w.employee(1, true)), signal.UnknownSource, signal.UnknownSource)
		if len(w.record(other).Domains) > 0 || w.registry.saves != 1 {
			w.t.Error("the source came back")
		}
	})
}
