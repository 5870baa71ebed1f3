package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	signalHost  = "a1b2c3d4e5.execute-api.ap-northeast-1.amazonaws.com"
	keycloakURL = "https://sso.example.co.jp/realms/staff"
)

// A signalWorld is a deployment that receives signals by the receiver that ships, and a
// provider whose stream can be made. It is made in a bubble.
type signalWorld struct {
	*stacktest.Deployment

	t        *testing.T
	table    *store.Table
	provider *signaltest.Transmitter
	receiver http.Handler
	// deaf keeps the resolver from working; answers is the receiver's status where it is
	// another than its own.
	deaf    bool
	answers int
	// meddle is called once, before the first call of that action.
	meddle sync.Once
	before string
	does   func()
}

func newSignalWorld(t *testing.T) *signalWorld {
	t.Helper()
	time.Sleep(time.Until(at)) // the beginning of the bubble's time is long ago
	w := &signalWorld{Deployment: stacktest.New(t), t: t}
	maps.Copy(w.Parameters, map[string]string{"SignalMode": "report", "KmsKeyArn": "arn:aws:kms:x:key/1"})
	w.Outputs = map[string]string{"SignalUrl": "https://" + signalHost + "/idp/"}
	w.Signals = make(map[string]stack.Waiting)
	maps.Copy(w.Resources, map[string]string{
		"SignalQueue": "https://sqs/signals", "UrgentSignalQueue": "https://sqs/urgent", "SignalDeadLetterQueue": "https://sqs/lost",
		"ResolverFunction": "sessionstamp-resolver", "ResolverLogGroup": "/aws/lambda/sessionstamp-resolver",
	})
	table, err := (&deployed{Deployment: w.Deployment}).find(t).Table()
	if err != nil {
		t.Fatal(err)
	}
	w.table = table
	w.provider = signaltest.New(signaltest.Options{Issuer: keycloakURL, Push: roundTripper(w.web)})
	w.receiver = receiver.New(receiver.Config{
		Tenant: w.Parameters["TenantId"], Registry: w.registry(), Credentials: w, Queue: w, Observer: w,
		Keys: receiver.HTTPS(w.provider), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	t.Cleanup(func() {
		for _, fault := range w.provider.Faults() {
			t.Error(fault)
		}
	})
	return w
}

func (w *signalWorld) registry() *store.State[signal.Registry] {
	return store.NewState[signal.Registry](w.table, store.NameSignals)
}

// sources are those of the registry, by their names.
func (w *signalWorld) sources() map[string]source {
	w.t.Helper()
	item, err := w.registry().Load(w.t.Context(), w.Parameters["TenantId"])
	if err != nil {
		w.t.Fatal(err)
	}
	sources := make(map[string]source)
	for id, r := range item.Doc.Sources {
		sources[r.Name] = source{Record: r, id: id}
	}
	return sources
}

// add writes a source as another person would, with its secret.
func (w *signalWorld) add(id string, r signal.Record, c signal.Credential) {
	w.t.Helper()
	w.AddSecret("sessionstamp/signal/"+id, textOf(c).Reveal(), time.Now())
	w.change(w.t.Context(), func(known *signal.Registry) {
		if known.Sources == nil {
			known.Sources = make(map[string]signal.Record)
		}
		known.Sources[id] = r
	})
}

func (w *signalWorld) change(ctx context.Context, do func(*signal.Registry)) {
	w.t.Helper()
	err := state.Update(ctx, w.registry(), w.Parameters["TenantId"], func(known *signal.Registry) bool { do(known); return true })
	if err != nil {
		w.t.Error(err)
	}
}

// Credential implements [receiver.Credentials].
func (w *signalWorld) Credential(_ context.Context, id string, _ bool) (signal.Credential, error) {
	text, is := w.Secrets()["sessionstamp/signal/"+id]
	if !is {
		return signal.Credential{}, signal.ErrNoCredential
	}
	return credentialIn(w.t, text), nil
}

// Enqueue implements [receiver.Queue], and is the resolver: it writes down who was heard.
func (w *signalWorld) Enqueue(ctx context.Context, messages []signal.Message) error {
	if w.deaf {
		return nil
	}
	w.change(ctx, func(known *signal.Registry) {
		for _, m := range messages {
			if m.Signal != nil {
				w.t.Error("a test was taken for a signal")
			}
			r := known.Sources[m.Source]
			r.Heard = m.Received
			known.Sources[m.Source] = r
		}
	})
	return nil
}

// ObserveSignals implements [receiver.Observer].
func (*signalWorld) ObserveSignals(context.Context, receiver.Receipt) {}

// web is what is reached over the internet.
func (w *signalWorld) web(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	switch {
	case r.URL.Path == "/realms/staff/.well-known/openid-configuration": // as Keycloak has it
		_, _ = fmt.Fprintf(answer, `{"issuer":%q,"token_endpoint":%q}`, keycloakURL, w.provider.TokenURL())
	case strings.HasPrefix(r.URL.Path, "/.well-known/openid-configuration"), strings.Contains(r.URL.Path, "/other"):
		answer.WriteHeader(http.StatusNotFound)
	case r.URL.Host != signalHost:
		return w.provider.RoundTrip(r)
	case w.answers < 0:
		return nil, http.ErrHandlerTimeout
	case w.answers > 0:
		answer.WriteHeader(w.answers)
	default:
		w.receiver.ServeHTTP(answer, in)
	}
	response := answer.Result()
	response.Request = r
	return response, nil
}

// play runs a verb of signal. What the person types follows the arguments.
func (w *signalWorld) play(args []string, change ...func(*program)) (status int, stdout, stderr string) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	defer stop()
	delivers := make(chan struct{})
	go func() { w.provider.Run(ctx); close(delivers) }()
	defer func() { stop(); <-delivers }()
	return play(ctx, func(p *program) {
		p.Env, p.Out.Live, p.Transport = stacktest.Env, true, roundTripper(w.web)
		p.Now = func() time.Time { return time.Now().In(tokyo) }
		p.AWS = roundTripper(func(r *http.Request) (*http.Response, error) {
			if w.before != "" && strings.HasSuffix(r.Header.Get("X-Amz-Target"), w.before) {
				w.meddle.Do(w.does)
			}
			return w.RoundTrip(r)
		})
		for _, f := range change {
			f(p)
		}
	}, append([]string{"signal"}, args...)...)
}

// typed is a person who types.
func typed(text string) func(*program) {
	return func(p *program) {
		p.Person, p.Stdin = true, strings.NewReader(text)
		p.Hidden = func(context.Context) (string, error) { return strings.TrimSpace(text), nil }
	}
}

// unrandom hides what is different each time.
func unrandom(text string) string {
	text = regexp.MustCompile(`[0-9a-f]{32}`).ReplaceAllString(text, "0123456789abcdef0123456789abcdef")
	text = regexp.MustCompile(`whsec_[A-Za-z0-9+/]{70}==`).ReplaceAllString(text, "whsec_…")
	return regexp.MustCompile(`Bearer [A-Za-z0-9_-]{43}`).ReplaceAllString(text, "Bearer …")
}
