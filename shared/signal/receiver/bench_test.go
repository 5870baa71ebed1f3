package receiver_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// burst is how many signed POSTs come as fast as they are answered.
const burst = 10_000

// BenchmarkReceive measures a burst of each kind, each POST from its first byte to the
// answer, log record included. p99-ms is to be at most 100.
func BenchmarkReceive(b *testing.B) {
	w := newWorld(b, time.Now)
	for kind, request := range map[string]func() *http.Request{
		"webhook": func() *http.Request { return w.webhook(w.said("user.disabled"), 1) },
		"okta":    func() *http.Request { return hooked(1, w.event("1", "user.lifecycle.suspend")) },
		"ssf":     func() *http.Request { return token(w.claims(changed), jwt.SigningMethodES256, keys()["k1"], 1, nil) },
	} {
		b.Run(kind, func(b *testing.B) {
			var took []time.Duration
			var allocations uint64
			for b.Loop() {
				b.StopTimer()
				requests := make([]*http.Request, burst)
				for i := range requests {
					requests[i] = request()
				}
				handler, q := w.still()
				before := allocated()
				b.StartTimer()
				took = append(took, send(b, handler, requests)...)
				allocations += allocated() - before
				if q.n != burst {
					b.Fatalf("queued %d of %d", q.n, burst)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100])/float64(time.Millisecond), "p99-ms")
			b.ReportMetric(float64(allocations)/float64(len(took)), "allocs/POST")
		})
	}
}

// send sends all and returns how long each took. As many are on their way as there are
// processors, since Lambda gives each POST one of its own: with more, the Go scheduler's
// turns would be measured.
func send(tb testing.TB, handler http.Handler, requests []*http.Request) []time.Duration {
	took := make([]time.Duration, len(requests))
	var senders sync.WaitGroup
	together := runtime.GOMAXPROCS(0)
	for sender := range together {
		senders.Go(func() {
			for i := sender; i < len(requests); i += together {
				answer, began := &writer{header: make(http.Header)}, time.Now()
				handler.ServeHTTP(answer, requests[i])
				if took[i] = time.Since(began); answer.status/100 != 2 {
					tb.Errorf("status %d", answer.status)
				}
			}
		})
	}
	senders.Wait()
	return took
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

// still is a handler in the world whose queue is in memory and that nobody watches.
func (w *world) still() (http.Handler, *stillness) {
	s := &stillness{world: w}
	return receiver.New(receiver.Config{
		Tenant: tenant, Registry: s, Credentials: s, Queue: s, Observer: s, Now: time.Now,
		Log:  slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Keys: func(string) signal.KeyFetcher { return s },
	}), s
}

type stillness struct {
	*world
	mu sync.Mutex
	n  int // queued
}

func (s *stillness) Load(context.Context, string) (state.Item[signal.Registry], error) {
	return state.Item[signal.Registry]{Doc: signal.Registry{Sources: s.sources}}, nil
}

func (s *stillness) Credential(_ context.Context, id string, _ bool) (signal.Credential, error) {
	return s.cached[id], nil
}

func (s *stillness) Enqueue(_ context.Context, messages []signal.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += len(messages)
	return nil
}

func (s *stillness) FetchKeys(context.Context) ([]byte, error) { return s.set, nil }

func (s *stillness) ObserveSignals(context.Context, receiver.Receipt) {}

// writer is an http.ResponseWriter that costs nothing.
type writer struct {
	header http.Header
	status int
}

func (a *writer) Header() http.Header         { return a.header }
func (a *writer) Write(p []byte) (int, error) { return len(p), nil }
func (a *writer) WriteHeader(status int)      { a.status = status }
