package bolt_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// TestSignals: what was taken is there after the process has ended, each kind in its own queue,
// and not among the requests.
func TestSignals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	message := func(id string, kind signal.Kind) signal.Message {
		return signal.Message{Tenant: tenant, Source: "s", Received: sampleTime, Signal: &signal.Signal{ID: id, Kind: kind, At: sampleTime}}
	}
	o := bolt.QueueOptions{Visibility: visibility, MaxReceives: 1, Now: time.Now}
	f := open(t, folder)
	if err := bolt.NewSignals(f, o).Enqueue(t.Context(), []signal.Message{message("own", signal.PasswordChanged), message("disabled", signal.UserDisabled)}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, folder)
	queues := bolt.NewSignals(f, o)
	if n, err := newQueue(f).Len(); n != 0 || err != nil {
		t.Errorf("%d requests, %v", n, err)
	}
	for want, q := range map[string]memory.Source{"own": queues.Others(), "disabled": queues.Urgent()} {
		received, err := q.Receive(t.Context(), 10)
		var m signal.Message
		if err != nil || len(received) != 1 || json.Unmarshal(received[0].Body, &m) != nil || m.Signal.ID != want {
			t.Errorf("%s: %d messages, %v", want, len(received), err)
		}
		if err := q.Delete(received...); err != nil {
			t.Error(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := queues.Enqueue(t.Context(), slices.Repeat([]signal.Message{message("late", signal.UserDisabled)}, 2)); err == nil {
		t.Error("a closed file takes messages")
	}
}
