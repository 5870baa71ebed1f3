package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	tenant    = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	sourceID  = "0123456789abcdef0123456789abcdef"
	hunter2   = "hunter2-hunter2-hunter2-hunter2"
	sourceURL = "https://api.example/idp/"
)

// provider is a transmitter, the registry in which it is the one source, and its secret.
type provider struct {
	*signaltest.Transmitter
	memory.State[signal.Registry]
	during func() int // is called by each management call, and breaks it by a status
	err    error      // of reading the secret
}

func (p *provider) Credential(context.Context, string, bool) (signal.Credential, error) {
	return signal.Credential{Secrets: []string{hunter2}, Token: hunter2}, p.err
}

// change changes the source, or removes it.
func (p *provider) change(t *testing.T, change func(*signal.Record) bool) {
	t.Helper()
	err := state.Update(t.Context(), p, tenant, func(r *signal.Registry) bool {
		record := r.Sources[sourceID]
		r.Sources = map[string]signal.Record{}
		if change(&record) {
			r.Sources[sourceID] = record
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *provider) record(t *testing.T) signal.Record {
	t.Helper()
	item, err := p.Load(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return item.Doc.Sources[sourceID]
}

// streams counts those at the transmitter: each gets what is emitted.
func (p *provider) streams() int {
	return p.Emit(signaltest.PasswordChanged(signaltest.Email("a@b.example"), time.Now()))
}

// withSignals gives a function one source, and tells where its log and metrics go.
func withSignals(t *testing.T, s *stub) (*function, *provider, *bytes.Buffer) {
	t.Helper()
	p := &provider{during: func() int { return 0 }}
	p.Transmitter = signaltest.New(signaltest.Options{StaticToken: hunter2, Break: func(*http.Request) int { return p.during() }})
	base := p.Issuer()
	p.change(t, func(r *signal.Record) bool {
		*r = signal.Record{Name: "our IdP", Kind: signal.KindSSF, Added: time.Now(), Stream: signal.Stream{
			Issuer: base, ConfigurationEndpoint: base + "/ssf/streams", StatusEndpoint: base + "/ssf/status", VerificationEndpoint: base + "/ssf/verify",
		}}
		return true
	})
	out := new(bytes.Buffer)
	f := functionOf(t, s, nil, out)
	f.signals = &signals{
		tenant: tenant, url: sourceURL, registry: p, credentials: p, client: p.Client(),
		attend: f.metrics.Attend, log: f.log, now: time.Now,
	}
	return f, p, out
}

// What a run says of a source. It never fails on account of one.
func TestSignals(t *testing.T) {
	t.Parallel()
	hour := -time.Hour
	for name, tt := range map[string]struct {
		prepare   func(t *testing.T, f *function, p *provider)
		attention string
		says      string
		streams   int
	}{
		"in order": {func(*testing.T, *function, *provider) {}, "", "", 1},
		"silent": {func(t *testing.T, _ *function, p *provider) {
			p.change(t, func(r *signal.Record) bool { r.Added = time.Now().Add(7 * hour); return true })
		}, "signal_silent", "source=" + sourceID + ` name="our IdP"`, 1},
		"heard of": {func(t *testing.T, _ *function, p *provider) {
			p.change(t, func(r *signal.Record) bool {
				r.Added, r.Heard = time.Now().Add(7*hour), time.Now().Add(hour)
				return true
			})
		}, "", "", 1},
		"a quiet webhook": {func(t *testing.T, _ *function, p *provider) {
			p.change(t, func(r *signal.Record) bool { r.Kind, r.Added = signal.KindWebhook, time.Now().Add(7*hour); return true })
		}, "", "", 0},
		"refused": {func(_ *testing.T, _ *function, p *provider) {
			p.during = func() int { return http.StatusForbidden }
		}, "signal_stream", "source=" + sourceID + ` name="our IdP"`, 0},
		"down": {func(_ *testing.T, _ *function, p *provider) {
			p.during = func() int { return http.StatusBadGateway }
		}, "", "the transmitter fails", 0},
		"no secret": {func(_ *testing.T, _ *function, p *provider) { p.err = signal.ErrNoCredential }, "signal_stream", "no secret", 0},
		"off":       {func(_ *testing.T, f *function, _ *provider) { f.signals.url = "" }, "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, p, out := withSignals(t, &stub{expires: time.Now().AddDate(1, 0, 0)})
			tt.prepare(t, f, p)
			for range 2 {
				if _, err := f.keep(t.Context()); err != nil {
					t.Error(err)
				}
			}
			attended := strings.Contains(out.String(), "NeedsAttention")
			if attended != (tt.attention != "") || !strings.Contains(out.String(), tt.attention) || !strings.Contains(out.String(), tt.says) {
				t.Errorf("said:\n%s", out)
			}
			if strings.Contains(out.String(), hunter2) {
				t.Error("a secret is told")
			}
			if got := p.streams(); got != tt.streams || (p.record(t).Stream.Asked.IsZero() != (tt.streams == 0)) {
				t.Errorf("%d streams, want %d; stored %+v", got, tt.streams, p.record(t).Stream)
			}
		})
	}
}

// What others write during a run stays, and a source that is removed leaves no stream.
func TestSignalsMeanwhile(t *testing.T) {
	t.Parallel()
	for name, stays := range map[string]bool{"heard of": true, "removed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, p, out := withSignals(t, &stub{})
			heard := time.Now().UTC()
			p.during = func() int {
				p.change(t, func(r *signal.Record) bool { r.Heard, r.Stream.Scope = heard, "new"; return stays })
				return 0
			}
			f.signals.keep(t.Context())
			p.during = func() int { return 0 }
			if r := p.record(t); stays && (!r.Heard.Equal(heard) || r.Stream.Scope != "new" || r.Stream.ID == "") {
				t.Errorf("stored %+v", r)
			}
			if got := p.streams() == 1; got != stays || strings.Contains(out.String(), "NeedsAttention") {
				t.Errorf("a stream is left: %t\n%s", got, out)
			}
		})
	}
}

// hanging never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Transmitters that hang take a bounded time, after the subscription.
func TestSignalsHang(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sources, asked int
		takes          time.Duration
	}{"one": {1, 1, sourceTime}, "many": {6, 4, signalTime}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &stub{err: errGraph}
				f, p, out := withSignals(t, s)
				f.signals.client = &http.Client{Transport: hanging{}}
				err := state.Update(t.Context(), p, tenant, func(r *signal.Registry) bool {
					for i := range tt.sources - 1 {
						r.Sources[string(rune('a'+i))] = r.Sources[sourceID]
					}
					return true
				})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := f.keep(t.Context()); !errors.Is(err, s.err) || time.Since(began) != tt.takes {
					t.Errorf("%v after %s", err, time.Since(began))
				}
				if got := strings.Count(out.String(), "does not answer"); got != tt.asked || strings.Contains(out.String(), "signal_stream") {
					t.Errorf("%d transmitters did not answer, want %d:\n%s", got, tt.asked, out)
				}
			})
		})
	}
}

// When the stack is deleted the stream is, too, and afterwards nobody makes it again.
func TestSignalsTakenDown(t *testing.T) {
	t.Parallel()
	s := &stub{}
	f, p, out := withSignals(t, s)
	f.signals.keep(t.Context())
	p.during = func() int { return http.StatusBadGateway }
	f.takeDown(t.Context())
	if p.streams() != 1 || !strings.Contains(out.String(), "left behind") {
		t.Errorf("%d streams, log:\n%s", p.streams(), out)
	}
	p.during = func() int { return 0 }
	f.takeDown(t.Context())
	s.found = keeper.FoundTakenDown
	if _, err := f.keep(t.Context()); err != nil || p.streams() != 0 {
		t.Errorf("%v, %d streams", err, p.streams())
	}
}
