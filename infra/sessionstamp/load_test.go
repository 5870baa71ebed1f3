package main

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A large tenant:
//
//	go test ./infra/sessionstamp -run TestTenThousand -v -users 10000
var users = flag.Int("users", 300, "how many users without a stamp the tenant of TestTenThousand has")

// slow makes each $batch and each page of users take 80 ms, half of it after its effect.
func (s *site) slow() {
	for _, after := range []bool{false, true} {
		s.server.Inject(msgraphtest.Fault{
			Match:   func(r msgraphtest.Request) bool { return r.Parts > 0 || r.Path == "/users" },
			Latency: 40 * time.Millisecond, After: after,
		})
	}
}

// TestTenThousandAtOnce counts what "stamp --all" costs in requests, time and memory.
//
// It is not parallel, on purpose: the heap is the whole process's.
func TestTenThousandAtOnce(t *testing.T) {
	began := time.Now()
	onSite(t, *users, msgraphtest.Options{Violation: func(v string) { t.Error(v) }}, allRights, func(t *testing.T, s *site) {
		s.slow()
		memory := watchHeap()
		status, stdout, stderr := s.play(t.Context(), "stamp", "--all", "--yes")
		peak := memory()
		if status != fine || !strings.Contains(stdout, "all read back") {
			t.Fatalf("exit status %d: %s%s", status, stdout, stderr)
		}
		s.want(1, s.ids...)
		counts, took := s.server.Counts(), time.Since(s.began)
		calls := s.span()
		perUser, pace := float64(counts.HTTP)/float64(*users), float64(*users)/calls.Seconds()
		t.Logf("%d users: %d requests (%.3f a user, at most 0.2), %d parts of $batches, %d throttled", *users, counts.HTTP, perUser, counts.Parts, counts.Throttled)
		t.Logf("the calls took %s: %.1f a second of the %d that Graph takes; all took %s with the reading back", calls, pace, job.CallsPerSecond, took)
		t.Logf("peak heap %.1f MB above the tenant's, garbage and the emulated Graph's work included", float64(peak)/1e6)
		if perUser > 0.2 || counts.Throttled > *users/100 || calls > job.Duration(*users)*11/10+5*time.Second {
			t.Error("that is more than promised")
		}
	})
	t.Logf("on this machine it took %s", time.Since(began).Round(time.Second))
}

// span is the time from the first call to the last.
func (s *site) span() time.Duration {
	var calls []time.Time
	for _, id := range s.ids {
		u, _ := s.User(id)
		calls = append(calls, u.Stamped)
	}
	return slices.MaxFunc(calls, time.Time.Compare).Sub(slices.MinFunc(calls, time.Time.Compare))
}

// watchHeap looks at the heap each second, until the func it returns tells the peak above
// what there was.
func watchHeap() (peak func() uint64) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, most := heap(), uint64(0)
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, heap())
			case <-stop:
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-over
		return max(most, before) - before
	}
}
