package resolver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	tenant = "7e000000-0000-4000-8000-000000000001"
	// canary stands in every subject and name, and must not be found in any log record or
	// error.
	canary = "canary-4711"
)

var source, other = strings.Repeat("a", 32), strings.Repeat("b", 32)

func userID(n int) string { return fmt.Sprintf("05e40000-0000-4000-8000-%012d", n) }

// A world is a directory, the registry and both queues, in the virtual time of a synctest
// bubble.
type world struct {
	*resolver.Resolver
	t        *testing.T
	start    time.Time
	users    map[directory.Question][]directory.User
	fail     func(directory.Question) error // of one question
	spoil    func([]directory.Question) error
	lookedUp []lookup
	registry store
	queue    *memory.Queue
	postpone error // once it is done
	domains  error
	outcomes []resolver.Outcome
	log      bytes.Buffer
}

type lookup struct {
	at        time.Duration
	questions []directory.Question
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, start: time.Now().UTC(), users: make(map[directory.Question][]directory.User)}
	w.queue = memory.NewQueue(memory.QueueOptions{Visibility: 3 * time.Minute, MaxReceives: 20})
	policy := stamp.DefaultPolicy
	policy.Exclusions = stamp.Exclusions{Patterns: []string{"svc-*"}}
	w.Resolver = resolver.New(resolver.Config{
		Tenant: tenant, Directory: w, Domains: stamp.NewDomains(w), Policy: policy, Store: &w.registry, Queue: w, Observer: w,
		Log: slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return time.Now().UTC() },
	})
	w.save(signal.Registry{Sources: map[string]signal.Record{
		source: {Kind: signal.KindWebhook, Domains: []string{"contoso.com", "managed.example"}},
		other:  {Kind: signal.KindSSF, Domains: []string{"fabrikam.com"}, SessionsRevoked: true},
	}})
	t.Cleanup(func() {
		if strings.Contains(w.log.String(), canary) {
			t.Errorf("the log names somebody:\n%s", w.log.String())
		}
	})
	return w
}

// LookUp implements [resolver.Directory].
func (w *world) LookUp(_ context.Context, questions []directory.Question) ([]directory.Found, error) {
	w.lookedUp = append(w.lookedUp, lookup{time.Since(w.start), questions})
	if len(questions) == 0 || len(questions) > resolver.MaxBatch {
		w.t.Errorf("%d questions", len(questions))
	}
	if w.spoil != nil {
		if err := w.spoil(questions); err != nil {
			return nil, err
		}
	}
	found := make([]directory.Found, len(questions))
	for i, q := range questions {
		found[i].Users = w.users[q]
		if w.fail != nil {
			if err := w.fail(q); err != nil {
				found[i] = directory.Found{Err: err}
			}
		}
	}
	return found, nil
}

// Domains implements [stamp.DomainLister].
func (w *world) Domains(context.Context) ([]directory.Domain, error) {
	return []directory.Domain{
		{Name: "contoso.com", Federated: true, Verified: true}, {Name: "fabrikam.com", Federated: true, Verified: true},
		{Name: "managed.example", Verified: true},
	}, w.domains
}

// Postpone implements [stamp.Queue].
func (w *world) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	for _, r := range requests {
		if err := r.Request.Validate(); err != nil {
			w.t.Error(err)
		}
	}
	if err := (memory.Requests{Queue: w.queue}).Postpone(ctx, requests); err != nil {
		return err
	}
	return w.postpone
}

// ObserveSignal implements [resolver.Observer].
func (w *world) ObserveSignal(_ context.Context, o resolver.Outcome) {
	w.outcomes = append(w.outcomes, o)
	if o.User == "" && o.Reason == resolver.Queued || o.Left && o.Err == nil {
		w.t.Errorf("outcome %+v", o)
	}
}

func (w *world) save(r signal.Registry) {
	w.t.Helper()
	item, err := w.registry.State.Load(w.t.Context(), tenant)
	if err == nil {
		item.Doc = r
		_, err = w.registry.State.Save(w.t.Context(), tenant, item)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(source string) signal.Record {
	w.t.Helper()
	item, err := w.registry.State.Load(w.t.Context(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	return item.Doc.Sources[source]
}

// user adds a member whom the subject's question of that property finds.
func (w *world) user(n int, p directory.Property, value, upn string, change ...func(*directory.User)) {
	u := directory.User{ID: userID(n), UserPrincipalName: upn, UserType: "Member"}
	for _, f := range change {
		f(&u)
	}
	q := directory.Question{Property: p, Value: value}
	w.users[q] = append(w.users[q], u)
}

// employee adds a member of contoso.com, and returns the signal that the password was
// changed a minute ago, by the user or, if urgent, by somebody else.
func (w *world) employee(n int, urgent bool) signal.Message {
	upn := fmt.Sprintf("%s-%d@contoso.com", canary, n)
	w.user(n, directory.PropertyUPN, upn, upn)
	m := w.message(signal.UPN, upn)
	m.Signal.ByAdmin = urgent
	return m
}

// message is a signal that was received now, of a minute ago.
func (w *world) message(format signal.Format, value string) signal.Message {
	now := time.Now().UTC()
	return signal.Message{Tenant: tenant, Source: source, Received: now, Signal: &signal.Signal{
		Source: source, Kind: signal.PasswordChanged, Subject: signal.Subject{Format: format, Value: value},
		At: now.Add(-time.Minute).Truncate(time.Second), ID: strings.Repeat("1", 32),
	}}
}

// handle hands over the messages as JSON, and returns the reasons.
func (w *world) handle(ctx context.Context, messages ...signal.Message) (reasons []signal.Reason) {
	w.t.Helper()
	bodies := make([][]byte, len(messages))
	for i, m := range messages {
		body, err := json.Marshal(m)
		if err != nil {
			w.t.Fatal(err)
		}
		bodies[i] = body
	}
	return w.handleBodies(ctx, bodies...)
}

func (w *world) handleBodies(ctx context.Context, bodies ...[]byte) (reasons []signal.Reason) {
	w.t.Helper()
	w.outcomes = nil
	errs := w.HandleMessages(ctx, bodies)
	if len(errs) != len(bodies) || len(w.outcomes) != len(bodies) {
		w.t.Fatalf("%d messages had %d results and %d outcomes", len(bodies), len(errs), len(w.outcomes))
	}
	for i, o := range w.outcomes {
		if (errs[i] != nil) != o.Left || errs[i] != nil && strings.Contains(errs[i].Error(), canary) {
			w.t.Errorf("%s: left %t, error %v", o.Reason, o.Left, errs[i])
		}
		reasons = append(reasons, o.Reason)
	}
	return reasons
}

// want compares reasons.
func (w *world) want(got []signal.Reason, want ...signal.Reason) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("reasons %v, want %v", got, want)
	}
}

// queued are the requests that can be received now.
func (w *world) queued() (requests []stamp.Request) {
	w.t.Helper()
	for w.queue.Visible() > 0 {
		messages, err := w.queue.Receive(w.t.Context(), 10)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, m := range messages {
			r, err := stamp.DecodeRequest(m.Body)
			if err != nil {
				w.t.Error(err)
			}
			requests = append(requests, r)
		}
		_ = w.queue.Delete(messages...)
	}
	return requests
}

// store counts what is written, and fails as it is told.
type store struct {
	memory.State[signal.Registry]
	load, save error
	saves      int
}

func (s *store) Load(ctx context.Context, tenant string) (item, error) {
	if s.load != nil {
		return item{}, s.load
	}
	return s.State.Load(ctx, tenant)
}

func (s *store) Save(ctx context.Context, tenant string, i item) (item, error) {
	if s.save != nil {
		return item{}, s.save
	}
	s.saves++
	return s.State.Save(ctx, tenant, i)
}
