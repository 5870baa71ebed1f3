package stream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// world is a transmitter, a receiver that reads what is pushed to it, and a keeper.
type world struct {
	t           *testing.T
	transmitter *signaltest.Transmitter
	manager     stream.Manager
	now         time.Time
	credential  signal.Credential
	stored      signal.Stream
	keys        *signal.Keys
	beats       int // verifications taken
	broken      int // what management calls are answered with, unless 0
}

func newWorld(t *testing.T, o signaltest.Options) *world {
	t.Helper()
	w := &world{t: t, now: start, credential: signal.Credential{
		Secrets: []string{secret}, ClientID: signaltest.ClientID, ClientSecret: signaltest.ClientSecret,
	}}
	o.Push, o.Now, o.Break = w, func() time.Time { return w.now }, func(*http.Request) int { return w.broken }
	w.transmitter = signaltest.New(o)
	w.manager = stream.Manager{HTTP: w.transmitter.Client(), Now: o.Now}
	w.keys = signal.NewKeys(w)
	var err error
	if w.stored, err = stream.Discover(t.Context(), w.transmitter.Client(), w.transmitter.Issuer()); err != nil {
		t.Fatal(err)
	}
	w.stored.TokenEndpoint, w.stored.Scope = w.transmitter.TokenURL(), "ssf.read ssf.manage"
	return w
}

// FetchKeys implements [signal.KeyFetcher].
func (w *world) FetchKeys(context.Context) ([]byte, error) {
	answer, err := w.transmitter.Client().Get(w.stored.KeysURI)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(answer.Body)
}

// RoundTrip receives what the transmitter pushes.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusBadRequest
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	post := signal.Request{Body: body, Header: r.Header, Received: w.now}
	source, err := signal.Record{Kind: signal.KindSSF, Domains: []string{"contoso.com"}, Stream: w.stored}.Open("s", w.credential, w.keys)
	if err == nil && r.URL.String() == endpoint && source.Authenticate(r.Context(), post) == nil {
		if d, err := source.Decode(post); err == nil {
			status = http.StatusAccepted
			if d.Heartbeat {
				w.beats++
			}
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// keep is one run of the keeper after a time, and the delivery of what it has caused.
func (w *world) keep(after time.Duration) stream.Problem {
	w.t.Helper()
	w.now = w.now.Add(after)
	var err error
	w.stored, err = w.manager.Keep(w.t.Context(), endpoint, w.stored, w.credential)
	w.transmitter.Deliver(w.t.Context())
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return e.Problem
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return ""
}

// writes counts the calls so far that change a stream.
func (w *world) writes() (n int) {
	for _, c := range w.transmitter.Calls() {
		if slices.Contains([]string{http.MethodPost, http.MethodPatch}, c.Method) && c.Path == "/ssf/streams" && c.Status < 300 {
			n++
		}
	}
	return n
}

// Each story begins with a stream that was made, stored and verified.
func TestStories(t *testing.T) {
	t.Parallel()
	const run = 15 * time.Minute
	keycloak := signaltest.Options{Profile: signaltest.Keycloak, TokenLife: 5 * time.Minute, MinVerification: time.Minute}
	for name, tt := range map[string]struct {
		options signaltest.Options
		story   func(w *world)
		problem stream.Problem // at last
		beats   int
		writes  int
	}{
		"nothing happens":          {story: func(w *world) { w.keep(run); w.keep(run); w.keep(run) }, beats: 1, writes: 1},
		"a day":                    {story: func(w *world) { hours(w, 24, run) }, beats: 25, writes: 1},
		"verified seldom":          {options: signaltest.Options{MinVerification: 3 * time.Hour}, story: func(w *world) { hours(w, 24, run) }, beats: 9, writes: 1},
		"half an hour of patience": {options: signaltest.Options{Inactivity: 30 * time.Minute}, story: func(w *world) { hours(w, 3, run) }, beats: 13, writes: 1},
		"no patience at all":       {options: signaltest.Options{Inactivity: 5 * time.Minute}, story: func(w *world) { w.transmitter.Deliver(w.t.Context()); w.keep(run) }, beats: 2, writes: 1},
		"paused":                   {story: func(w *world) { w.transmitter.Pause(""); w.keep(time.Hour) }, beats: 2, writes: 1},
		"told late of a pause":     {story: func(w *world) { w.stored.Status = "paused" }, beats: 1, writes: 1},
		"a day of Keycloak":        {options: keycloak, story: func(w *world) { w.transmitter.Pause("tea"); hours(w, 24, run) }, beats: 25, writes: 1},
		"disabled":                 {story: func(w *world) { w.transmitter.Disable("") }, problem: stream.NotEnabled, beats: 1, writes: 1},
		"keys are changed":         {story: func(w *world) { w.transmitter.Rotate(); w.transmitter.Withdraw(); w.keep(time.Hour) }, beats: 2, writes: 1},
		"tokens expire":            {story: func(w *world) { w.transmitter.ExpireTokens(); w.keep(time.Hour) }, beats: 2, writes: 1},
		"the client is refused":    {story: func(w *world) { w.credential.ClientSecret = "old" }, problem: stream.NoToken, beats: 1, writes: 1},
		"another secret":           {story: func(w *world) { w.credential.Secrets = []string{secret + "2", secret}; w.keep(time.Hour) }, beats: 2, writes: 2},
		"revoked sessions too":     {story: func(w *world) { w.manager.SessionsRevoked = true }, beats: 1, writes: 2},
		"throttled":                {story: func(w *world) { w.broken = http.StatusTooManyRequests }, problem: stream.Unavailable, beats: 1, writes: 1},
		"down, then up":            {story: func(w *world) { w.broken = 503; w.keep(time.Hour); w.broken = 0; w.keep(run) }, beats: 2, writes: 1},
		"forgotten here":           {story: func(w *world) { w.stored.ID, w.stored.Given = "", ""; w.keep(0); w.keep(time.Hour) }, beats: 2, writes: 2},
		"deleted there": {story: func(w *world) {
			if err := w.manager.Remove(w.t.Context(), w.stored, w.credential); err != nil {
				w.t.Error(err)
			}
			w.keep(run)
			w.keep(run)
		}, beats: 2, writes: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.options)
			before := len(w.transmitter.Faults()) // asking about tokens is none of the framework
			w.keep(0)
			w.keep(0)
			tt.story(w)
			if got := w.keep(0); got != tt.problem || w.beats != tt.beats || w.writes() != tt.writes {
				t.Errorf("%q, %d verifications, %d writes; want %q, %d, %d", got, w.beats, w.writes(), tt.problem, tt.beats, tt.writes)
			}
			if tt.problem == "" && w.stored.Status != "enabled" {
				t.Errorf("stored as %q", w.stored.Status)
			}
			if slices.ContainsFunc(w.transmitter.Deliveries(), func(d signaltest.Delivery) bool { return d.Refused }) {
				t.Error("a good SET was refused")
			}
			if faults := w.transmitter.Faults()[before:]; len(faults) > 0 && tt.problem != stream.NoToken {
				t.Error(faults)
			}
		})
	}
}

func hours(w *world, n int, run time.Duration) {
	for range time.Duration(n) * time.Hour / run {
		w.keep(run)
	}
}
