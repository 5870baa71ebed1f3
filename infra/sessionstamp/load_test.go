package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
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

// TestTenThousandKilled kills the process at ten random moments. The emulator tells of
// everybody who is signed out more than a minute after the first time.
func TestTenThousandKilled(t *testing.T) {
	t.Parallel()
	lag := msgraphtest.Replica{Lag: 4 * time.Minute}
	onSite(t, *users, msgraphtest.Options{Seed: 3, Replica: lag, Violation: func(v string) { t.Error(v) }}, allRights, func(t *testing.T, s *site) {
		time.Sleep(time.Hour) // replicas know everybody
		s.slow()
		random := rand.New(rand.NewPCG(3, 4))
		whole := job.Duration(*users)
		for life := range 10 {
			most := whole / 5
			if life > 6 {
				most += 6 * time.Minute // while stamps are read back
			}
			args := []string{"stamp", "--all", "--yes"}
			if life%2 == 1 {
				args[1] = "--continue"
			}
			s.dieAfter(time.Duration(random.Int64N(int64(most))), args...)
			time.Sleep(time.Duration(random.Int64N(int64(2 * time.Minute))))
		}
		status, stdout, stderr := s.play(t.Context(), "stamp", "--all", "--yes")
		if status != fine {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		twice := 0
		for _, id := range s.ids {
			switch u, _ := s.User(id); {
			case u.Stamped.IsZero():
				t.Fatalf("user %s was left out", id)
			case len(u.Revocations) > 1:
				twice++
			}
		}
		t.Logf("%d users, ten deaths: nobody was left out, %d were called again within a minute", *users, twice)
	})
}

// dieAfter plays the command, and lets it die as by kill -9: its requests that have left
// take effect, it sends no more, and what it writes from then on is lost.
func (s *site) dieAfter(d time.Duration, args ...string) {
	s.t.Helper()
	var dead atomic.Bool
	s.change = func(p *program) {
		p.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if dead.Load() {
				return nil, syscall.ECONNREFUSED
			}
			return s.server.RoundTrip(r)
		})
	}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.play(ctx, args...)
	}()
	time.Sleep(d)
	synctest.Wait() // nobody is writing
	home := s.t.TempDir()
	if err := os.CopyFS(home, os.DirFS(s.home)); err != nil {
		s.t.Fatal(err)
	}
	dead.Store(true)
	stop()
	<-ended
	s.home, s.change = home, nil
	if _, err := os.Stat(filepath.Join(home, ".local", "state", "sessionstamp", demo.TenantID+".db")); err != nil {
		s.t.Fatal(err)
	}
}
