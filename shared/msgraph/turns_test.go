package msgraph_test

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// hang waits for ever.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// takes returns a source's wait that takes so long, and fails with err.
func takes(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// However signing in fails, a burst of calls costs one attempt, and nobody waits for
// longer than that takes.
func TestBurstSharesFailure(t *testing.T) {
	tests := map[string]struct {
		// source goes before each token of the provider's.
		source    func(context.Context) error
		entra     msgraphtest.Fault
		took      time.Duration
		operation string
		is        error
	}{
		"source fails":     {takes(2*time.Second, errDenied), msgraphtest.Fault{}, 2 * time.Second, directory.WebIdentityToken, errDenied},
		"source is silent": {hang, msgraphtest.Fault{}, 20 * time.Second, directory.WebIdentityToken, context.DeadlineExceeded},
		"Entra is out of reach": {takes(0, nil), msgraphtest.Fault{Latency: time.Second, Reset: true},
			time.Second, "token", syscall.ECONNRESET},
		"Entra is silent": {takes(0, nil), msgraphtest.Fault{Latency: time.Hour}, 20 * time.Second, "token", context.DeadlineExceeded},
		"both are slow": {takes(15*time.Second, nil), msgraphtest.Fault{Latency: 10 * time.Second},
			20 * time.Second, "token", context.DeadlineExceeded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
				p := newProvider()
				graph.trusts(p)
				tt.entra.Match = func(r msgraphtest.Request) bool { return r.Token && r.Method == "POST" }
				remove := graph.server.Inject(tt.entra)
				s := &gate{wait: tt.source, token: p.token}
				client := graph.signedInAs(t, msgraph.Auth{Mode: directory.AuthWebIdentity, WebIdentity: s.ask}, nil)
				for n := 1; n <= 2; n++ {
					start := time.Now()
					for _, err := range burst(t.Context(), client, 20) {
						if e := graphError(t, err); e.Operation != tt.operation || !e.NotDone || !errors.Is(leaktest.Seen(t, err), tt.is) {
							t.Errorf("error %v", err)
						}
					}
					if took := time.Since(start); took != tt.took || s.asked != n {
						t.Errorf("burst %d: %d attempts in %s, want %s", n, s.asked, took, tt.took)
					}
				}
				remove()
				s.wait = takes(time.Second, nil)
				if err := errors.Join(burst(t.Context(), client, 20)...); err != nil || s.asked != 3 {
					t.Errorf("afterwards: %v after %d attempts", err, s.asked)
				}
			})
		})
	}
}

// gate is a msgraph.WebIdentitySource that lets a test wait and fail. It is asked by
// one caller at a time.
type gate struct {
	wait  func(context.Context) error
	token msgraph.WebIdentitySource
	asked int
}

func (g *gate) ask(ctx context.Context) (string, error) {
	g.asked++
	if err := g.wait(ctx); err != nil {
		return "", err
	}
	return g.token(ctx)
}

// due is a context at its deadline which does not say so yet.
type due struct {
	context.Context
	at time.Time
}

func (d due) Deadline() (time.Time, bool) { return d.at, true }

// What ends with one caller's time is no answer to another, though it ends a moment
// earlier.
func TestOwnDeadlineIsNotShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		graph.trusts(p)
		s := &gate{token: p.token}
		s.wait = func(ctx context.Context) error {
			if s.asked == 1 {
				return takes(time.Second, errDenied)(ctx)
			}
			return nil
		}
		client := graph.signedInAs(t, msgraph.Auth{Mode: directory.AuthWebIdentity, WebIdentity: s.ask}, nil)
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := client.ReadUsers(due{t.Context(), time.Now().Add(time.Second)}, userIDs(1)); !errors.Is(leaktest.Seen(t, err), errDenied) {
				t.Errorf("the first: %v", err)
			}
		})
		time.Sleep(time.Millisecond)
		if _, err := client.ReadUsers(t.Context(), userIDs(1)); err != nil {
			t.Errorf("the second: %v", err)
		}
		group.Wait()
	})
}
