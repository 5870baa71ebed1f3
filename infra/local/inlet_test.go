package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// An inlet is what providers report to: receiver, queues and resolver beside a plant, wired
// as the functions wire them. It is the [http.RoundTripper] by which they reach it.
type inlet struct {
	*plant
	vault    signalVault
	registry memory.State[signal.Registry]
	// transmitter is where keys are read.
	transmitter    http.RoundTripper
	urgent, others *memory.Queue
	// arrived, if it is not nil, sees each message before it is queued.
	arrived func(signal.Message)
	// The spoilers, which may be nil, break something on purpose.
	spoilReceiver func(receiver.Config) receiver.Config
	spoilResolver func(resolver.Config) resolver.Config
	spoilRecord   func(*signal.Record)
	lazy          bool // the resolver acknowledges what it could not do

	mu       sync.Mutex
	receiver http.Handler // nil after its death
}

// What template.yaml says of the resolver and its queues.
const (
	resolvers        = 2 // for each queue
	resolverBatch    = 10
	resolverTimeout  = 2 * time.Minute
	signalVisibility = 3 * time.Minute
	signalReceives   = 200
)

func newInlet(p *plant, transmitter http.RoundTripper) *inlet {
	options := memory.QueueOptions{Visibility: signalVisibility, MaxReceives: signalReceives}
	return &inlet{
		plant: p, transmitter: transmitter,
		urgent: memory.NewQueue(options), others: memory.NewQueue(options),
	}
}

// current is the receiver's execution environment.
func (i *inlet) current() http.Handler {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.receiver == nil {
		i.receiver = receiver.New(apply(i.spoilReceiver, receiver.Config{
			Tenant:      i.config.tenant,
			Registry:    faultyState[signal.Registry]{i.config.faults, "sources", &i.registry},
			Credentials: &credentials{inlet: i, kept: make(map[string]keptCredential)},
			Keys:        receiver.HTTPS(i.transmitter),
			Queue:       intake{i},
			Log:         i.config.log, Observer: i, Now: time.Now,
		}))
	}
	return i.receiver
}

// ObserveSignals implements [receiver.Observer].
func (i *inlet) ObserveSignals(context.Context, receiver.Receipt) {}

// ObserveSignal implements [resolver.Observer].
func (i *inlet) ObserveSignal(context.Context, resolver.Outcome) {}

// intake is the receiver's queue.
type intake struct{ *inlet }

// Enqueue may store some messages and not others. A receiver that dies on the way has stored
// those before.
func (i intake) Enqueue(ctx context.Context, messages []signal.Message) error {
	var errs []error
	for _, m := range messages {
		if i.arrived != nil && m.Signal != nil {
			i.arrived(m)
		}
		queue := i.others
		if m.Urgent() {
			queue = i.urgent
		}
		body, err := json.Marshal(m)
		errs = append(errs, err, i.config.faults.do("queue a signal", m.Source, func() error {
			return queue.Send(ctx, body, 0)
		}))
	}
	return errors.Join(errs...)
}

// run does what the event sources do, until ctx is done.
func (i *inlet) run(ctx context.Context) {
	var sources sync.WaitGroup
	for _, queue := range []*memory.Queue{i.urgent, i.others} {
		environments := make([]*resolver.Resolver, resolvers)
		sources.Go(func() {
			_ = memory.Poller{ // its queue never fails
				Queue: queue, Workers: resolvers, Batch: resolverBatch, Timeout: resolverTimeout,
				Handle: func(ctx context.Context, worker int, bodies [][]byte) []error {
					return i.resolve(ctx, &environments[worker], bodies)
				},
			}.Run(ctx)
		})
	}
	sources.Wait()
}

// resolve passes one batch to an execution environment of the resolver.
func (i *inlet) resolve(ctx context.Context, environment **resolver.Resolver, bodies [][]byte) (errs []error) {
	if *environment == nil {
		made, err := i.newResolver()
		if err != nil {
			return failAll(bodies, err)
		}
		*environment = made
	}
	if err := survive(func() { errs = (*environment).HandleMessages(ctx, bodies) }); err != nil {
		*environment = nil
		return failAll(bodies, err)
	}
	if i.lazy {
		clear(errs)
	}
	return errs
}

func (i *inlet) newResolver() (*resolver.Resolver, error) {
	graph, err := i.newGraph()
	if err != nil {
		return nil, err
	}
	config := apply(i.spoilResolver, resolver.Config{
		Tenant: i.config.tenant, Directory: graph, Domains: stamp.NewDomains(graph), Policy: i.config.policy,
		Store: &i.registry, Queue: i.queue(), Observer: i, Log: i.config.log, Now: time.Now,
	})
	if f := i.config.faults; f != nil {
		config.Directory = faultyLookUp{f, config.Directory}
		config.Store = faultyState[signal.Registry]{f, "registry", config.Store}
		config.Queue = faultyQueue{f, config.Queue}
	}
	return resolver.New(config), nil
}

type faultyLookUp struct {
	*faults
	resolver.Directory
}

func (d faultyLookUp) LookUp(ctx context.Context, questions []directory.Question) ([]directory.Found, error) {
	return through(d.faults, "look up", "", func() ([]directory.Found, error) { return d.Directory.LookUp(ctx, questions) })
}

// longestTransit is more than Okta waits for.
const longestTransit = 6 * time.Second

// RoundTrip implements [http.RoundTripper]. On its way a POST is lost, late or doubled, or
// its answer is lost.
func (i *inlet) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	way := i.config.faults.drawWay(r.URL.Path)
	waitFor(r.Context(), way.late)
	if way.lost {
		return nil, syscall.ECONNREFUSED
	}
	answer := i.serve(r, body)
	if way.twice {
		answer = i.serve(r, body)
	}
	switch {
	case r.Context().Err() != nil: // it was served, and the sender has gone
		return nil, r.Context().Err()
	case way.unanswered:
		return nil, syscall.ECONNRESET
	}
	return answer, nil
}

// serve is API Gateway: where a function dies, it answers in its place.
func (i *inlet) serve(r *http.Request, body []byte) *http.Response {
	in := r.Clone(context.WithoutCancel(r.Context()))
	in.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	if died := survive(func() { i.current().ServeHTTP(answer, in) }); died != nil {
		i.mu.Lock()
		i.receiver = nil
		i.mu.Unlock()
		answer = httptest.NewRecorder()
		answer.WriteHeader(http.StatusInternalServerError)
	}
	response := answer.Result()
	response.Request = r
	return response
}

// A way is what becomes of a POST between provider and receiver.
type way struct {
	late                    time.Duration
	lost, twice, unanswered bool
}

func (f *faults) drawWay(path string) (w way) {
	if f == nil {
		return w
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll("transit", path)
	if over {
		return w
	}
	w.twice = dice.Float64() < f.twice // in calm worlds too
	if f.fail == 0 {
		return w
	}
	const chance = 0.08
	w.lost, w.unanswered = dice.Float64() < chance, dice.Float64() < chance
	if dice.Float64() < chance {
		w.late = time.Duration(dice.Int64N(int64(longestTransit)))
	}
	return w
}

// A signalVault is Secrets Manager, with a secret for each source.
type signalVault struct {
	mu      sync.Mutex
	secrets map[string]signal.Credential
}

func (v *signalVault) read(id string) signal.Credential {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.secrets[id]
}

// store replaces the secrets by which a source proves itself.
func (v *signalVault) store(id string, c signal.Credential, secrets ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.secrets == nil {
		v.secrets = make(map[string]signal.Credential)
	}
	c.Secrets = slices.Clone(secrets)
	v.secrets[id] = c
}

// credentials are what one receiver keeps of the vault, as package secrets does on AWS.
type credentials struct {
	*inlet
	mu   sync.Mutex
	kept map[string]keptCredential
}

type keptCredential struct {
	signal.Credential
	read time.Time
}

// credentialAge is how long a credential is kept.
const credentialAge = 5 * time.Minute

// Credential implements [receiver.Credentials].
func (c *credentials) Credential(_ context.Context, id string, fresh bool) (signal.Credential, error) {
	if c.config.faults.draw("credential", id).fail {
		return signal.Credential{}, errInjected
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.kept[id]; fresh || !ok || time.Since(kept.read) > credentialAge {
		c.kept[id] = keptCredential{c.vault.read(id), time.Now()}
	}
	return c.kept[id].Credential, nil
}

// add adds a source.
func (i *inlet) add(ctx context.Context, id string, r signal.Record, c signal.Credential) error {
	i.vault.store(id, c, c.Secrets...)
	if i.spoilRecord != nil {
		i.spoilRecord(&r)
	}
	return state.Update(ctx, &i.registry, i.config.tenant, func(registry *signal.Registry) bool {
		if registry.Sources == nil {
			registry.Sources = make(map[string]signal.Record)
		}
		registry.Sources[id] = r
		return true
	})
}
