package job

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// A Listening is how a watch hears what one identity provider reports. All fields are required
// but the last three, which may be nil.
type Listening struct {
	// Listener is where requests come in. The watch closes it.
	Listener net.Listener
	// Source is the id of the source, 32 hexadecimal digits; Record and Credential are its.
	Source     string
	Record     signal.Record
	Credential signal.Credential
	// Keys makes what reads a transmitter's keys: see [receiver.HTTPS].
	Keys func(uri string) signal.KeyFetcher
	// Directory finds whom a signal means.
	Directory resolver.Directory
	// Received is told of every request, Resolved of every signal, and GaveUp of each of which
	// nobody will know whom it means. They are called by several goroutines at once.
	Received func(receiver.Receipt)
	Resolved func(resolver.Outcome)
	GaveUp   func()
}

// keptFor is how long a signal is tried to be resolved, as in a deployment.
const keptFor = 24 * time.Hour

// Sources are those that a watch on this machine has ever listened to, by their ids.
func Sources(ctx context.Context, f *bolt.File, tenant string) (map[string]signal.Record, error) {
	item, err := sourcesIn(f).Load(ctx, tenant)
	return item.Doc.Sources, err
}

func sourcesIn(f *bolt.File) *bolt.State[signal.Registry] {
	return bolt.NewState[signal.Registry](f, "sources")
}

// ears take what a provider sends, and hand it to the Stamper's queue.
type ears struct {
	Listening
	engine   *Engine
	queues   *bolt.Signals
	resolver *resolver.Resolver
}

func (e *Engine) newEars(l Listening, queue stamp.Queue) *ears {
	h := &ears{Listening: l, engine: e}
	h.queues = bolt.NewSignals(e.File, bolt.QueueOptions{Visibility: visibility, Now: e.Now})
	h.resolver = resolver.New(resolver.Config{
		Tenant: e.Tenant, Directory: l.Directory, Domains: e.domains, Policy: e.Policy, Store: sourcesIn(e.File),
		Queue: queue, Observer: h, Log: e.Log, Now: e.Now,
	})
	return h
}

// remember writes the source into the file, where the resolver finds it. When it was heard
// stays.
func (h *ears) remember(ctx context.Context) error {
	return state.Update(ctx, sourcesIn(h.engine.File), h.engine.Tenant, func(r *signal.Registry) bool {
		next := h.Record
		if known, ok := r.Sources[h.Source]; ok {
			next.Added, next.Heard, next.Pinged = known.Added, known.Heard, known.Pinged
		} else {
			next.Added = h.engine.Now().UTC()
		}
		if r.Sources == nil {
			r.Sources = make(map[string]signal.Record)
		}
		r.Sources[h.Source] = next
		return true
	})
}

// listen takes requests and resolves what they report, until ctx is done or the file or the
// listener fails. It returns why.
func (h *ears) listen(ctx context.Context) error {
	if err := h.remember(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for _, queue := range []memory.Source{h.queues.Urgent(), h.queues.Others()} {
		all.Go(func() { stop(newPoller(queue, 1, h.resolve).Run(ctx)) })
	}
	all.Go(func() { stop(h.serve(ctx)) })
	all.Wait()
	return context.Cause(ctx)
}

// serve answers requests. Those under way when ctx is done are answered first.
func (h *ears) serve(ctx context.Context) error {
	const short, idle, header = 10 * time.Second, time.Minute, 1 << 16
	routes := http.NewServeMux()
	routes.Handle(receiver.Path, receiver.New(receiver.Config{
		Tenant: h.engine.Tenant, Registry: h, Credentials: h, Keys: h.Keys, Queue: h.queues,
		Log: h.engine.Log, Observer: h, Now: h.engine.Now,
	}))
	server := http.Server{
		Handler: routes, ReadTimeout: short, WriteTimeout: short, IdleTimeout: idle, MaxHeaderBytes: header,
		ErrorLog: slog.NewLogLogger(h.engine.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(h.Listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiver.Timeout)
	defer cancel()
	if server.Shutdown(last) != nil { // whoever is cut off has no answer, and sends again
		_ = server.Close()
	}
	<-ended //nolint:errcheck // it says that it was shut down
	return context.Cause(ctx)
}

// resolve gives a batch to the resolver. A message that failed for a day, or that nobody can
// read, is given up, since it holds a name.
func (h *ears) resolve(ctx context.Context, _ int, bodies [][]byte) []error {
	errs := h.resolver.HandleMessages(ctx, bodies)
	for i, err := range errs {
		var m signal.Message
		unreadable := json.Unmarshal(bodies[i], &m) != nil
		if err != nil && (unreadable || h.engine.Now().Sub(m.Received) > keptFor) {
			errs[i] = nil
			if h.GaveUp != nil {
				h.GaveUp()
			}
		}
	}
	return errs
}

// Load implements [receiver.Registry]: of all sources that were ever listened to, it is this
// one that is.
func (h *ears) Load(context.Context, string) (i state.Item[signal.Registry], err error) {
	i.Doc.Sources = map[string]signal.Record{h.Source: h.Record}
	return i, nil
}

// Credential implements [receiver.Credentials].
func (h *ears) Credential(context.Context, string, bool) (signal.Credential, error) {
	return h.Listening.Credential, nil
}

// ObserveSignals implements [receiver.Observer].
func (h *ears) ObserveSignals(_ context.Context, r receiver.Receipt) {
	if h.Received != nil {
		h.Received(r)
	}
}

// ObserveSignal implements [resolver.Observer].
func (h *ears) ObserveSignal(_ context.Context, o resolver.Outcome) {
	if h.Resolved != nil {
		h.Resolved(o)
	}
}
