package memory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/state/statetest"
)

func TestLedgerConforms(t *testing.T) {
	t.Parallel()
	shared := new(memory.Ledger)
	stamptest.TestLedger(t, func(*testing.T) stamp.Ledger { return shared })
}

func TestStateConforms(t *testing.T) {
	t.Parallel()
	shared := new(memory.State[statetest.Doc])
	statetest.TestStore(t, func(*testing.T) state.Store[statetest.Doc] { return shared })
}

func TestRequests(t *testing.T) {
	t.Parallel()
	q := newQueue()
	want := stamp.Request{Tenant: stamptest.NewID(), User: stamptest.NewID(), Source: stamp.SourceSweep, Seen: time.Now().UTC().Round(0)}
	requests := memory.Requests{Queue: q}
	if err := requests.Enqueue(t.Context(), []stamp.Request{want}); err != nil {
		t.Fatal(err)
	}
	got, err := stamp.DecodeRequest(receive(t, q, 1)[0].Body)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, request (-sent +received):\n%s", err, diff)
	}
	for _, delay := range []time.Duration{-1, stamp.MaxDelay + 1} {
		if err := requests.Postpone(t.Context(), []stamp.Delayed{{Request: want, Delay: delay}}); err == nil {
			t.Errorf("a delay of %s was taken", delay)
		}
	}
}
