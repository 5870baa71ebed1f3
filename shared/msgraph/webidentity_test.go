package msgraph_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// byWebIdentity signs in with the provider's tokens.
func byWebIdentity(p *provider) msgraph.Auth {
	return msgraph.Auth{Mode: directory.AuthWebIdentity, WebIdentity: p.token}
}

// Each of Entra's tokens costs one of the provider's, and is then kept.
func TestWebIdentitySignsIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		graph.trusts(p)
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		for range 3 {
			if err := errors.Join(burst(t.Context(), client, 20)...); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Hour) // longer than a token lives
		}
		if n := graph.server.Counts().Tokens; n != 3 || p.tokens() != 3 {
			t.Errorf("%d requests for a token, with %d of the provider's, want 3", n, p.tokens())
		}
	})
}

// reading reads a user within a limit, and tells how long it took.
func reading(ctx context.Context, client *msgraph.Client, limit time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	_, err := client.ReadUsers(ctx, userIDs(1))
	return time.Since(start), err
}

// A federated credential that was just made is waited for, as long as the caller has
// time, and once. The call itself then has all of its own time.
func TestWebIdentityIsReplicated(t *testing.T) {
	tests := []struct {
		name             string
		lag, limit, took time.Duration
		tokens           int
		code             string
	}{
		{"at once", 0, time.Minute, 0, 1, ""},
		{"in a moment", time.Second, time.Minute, 2 * time.Second, 2, ""},
		{"in seconds", 10 * time.Second, time.Minute, 14 * time.Second, 4, ""},
		{"in a minute", time.Minute, 5 * time.Minute, 74 * time.Second, 8, ""},
		{"too late for the caller", 20 * time.Second, 20 * time.Second, 14 * time.Second, 4, "AADSTS70021"},
		{"too late for our patience", time.Hour, time.Hour, 74 * time.Second, 8, "AADSTS70021"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{CredentialLag: tt.lag}, permissions...)
				p := newProvider()
				graph.trusts(p)
				client := graph.signedInAs(t, byWebIdentity(p), nil)
				took, err := reading(t.Context(), client, tt.limit)
				if code := codeOf(t, err); code != tt.code || took != tt.took || p.tokens() != tt.tokens {
					t.Errorf("%v after %s and %d tokens, want %q after %s and %d", err, took, p.tokens(), tt.code, tt.took, tt.tokens)
				}
				if tt.code != "" {
					return
				}
				graph.graphTakes(15 * time.Second)
				if took, err := reading(t.Context(), client, time.Minute); err != nil || took != 15*time.Second || p.tokens() != tt.tokens {
					t.Errorf("afterwards: %v after %s and %d tokens", err, took, p.tokens())
				}
			})
		})
	}
}

// graphTakes makes each call of Graph take so long, but none for a token.
func (e emulated) graphTakes(d time.Duration) {
	e.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return !r.Token && !r.Part }, Latency: d})
}

// The time of a call begins when there is a token for it, and then ends as ever.
func TestWebIdentityWaitTakesNothingOfTheCall(t *testing.T) {
	tests := map[string]struct {
		latency, took time.Duration
		is            error
	}{
		"Graph is slow":   {15 * time.Second, (74 + 15) * time.Second, nil},
		"Graph is silent": {time.Hour, 74*time.Second + msgraph.DefaultCallTimeout, context.DeadlineExceeded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{CredentialLag: time.Minute}, permissions...)
				p := newProvider()
				graph.trusts(p)
				graph.graphTakes(tt.latency)
				took, err := reading(t.Context(), graph.signedInAs(t, byWebIdentity(p), nil), 5*time.Minute)
				if !errors.Is(leaktest.Seen(t, err), tt.is) || took != tt.took {
					t.Errorf("%v after %s, want %v after %s", err, took, tt.is, tt.took)
				}
			})
		})
	}
}

// A wrong federated credential is waited for as if it were new, but not by each call.
func TestWebIdentityIsWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		graph.trusts(p)
		p.change = func(c jwt.MapClaims) { c["sub"] = awsRole + "-2" }
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		for _, call := range []struct {
			after, took time.Duration
			tokens      int
		}{
			{0, 74 * time.Second, 8},
			{0, 0, 1},
			{9 * time.Minute, 0, 1},
			{2 * time.Minute, 74 * time.Second, 8},
			{0, 0, 1},
		} {
			time.Sleep(call.after)
			before, start := p.tokens(), time.Now()
			_, err := client.RevokeSignInSessions(t.Context(), userIDs(1))
			took, tokens := time.Since(start), p.tokens()-before
			if e := graphError(t, err); e.Code != "AADSTS700213" || !e.NotDone || took != call.took || tokens != call.tokens {
				t.Errorf("%v after %s and %d tokens, want %s and %d", err, took, tokens, call.took, call.tokens)
			}
		}
		if n := graph.server.Counts().HTTP; n != 0 {
			t.Errorf("%d requests without a token", n)
		}
		p.change = nil
		mustRead(t, client, userIDs(1))
	})
}

// Who has little time does not end the patience of those who have more.
func TestWebIdentityWaitIsOnesOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{CredentialLag: 10 * time.Second}, permissions...)
		p := newProvider()
		graph.trusts(p)
		graph.slowly()
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		var group sync.WaitGroup
		group.Go(func() {
			if took, err := reading(t.Context(), client, 6*time.Second); codeOf(t, err) != "AADSTS70021" || took != 4*time.Second {
				t.Errorf("6 seconds: %v after %s", err, took)
			}
		})
		group.Go(func() {
			if took, err := reading(t.Context(), client, time.Minute); err != nil || took != 18*time.Second {
				t.Errorf("a minute: %v after %s", err, took)
			}
		})
		group.Wait()
	})
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	if e, ok := errors.AsType[*directory.Error](leaktest.Seen(t, err)); ok {
		return e.Code
	}
	return ""
}

// A burst of calls waits together, and costs one token of the provider's for each
// attempt. Once Entra has accepted a token, a refusal is believed at once; so is one
// that no waiting cures.
func TestWebIdentityIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		fast := graph.slowly()
		for _, err := range burst(t.Context(), client, 20) {
			if codeOf(t, err) != "AADSTS70025" {
				t.Errorf("error %v", err)
			}
		}
		if p.tokens() != 7 {
			t.Errorf("%d tokens for a burst, want 7", p.tokens())
		}
		fast()
		graph.trusts(p)
		mustRead(t, client, userIDs(1))
		time.Sleep(2 * time.Hour)
		p.change = func(c jwt.MapClaims) { c["sub"] = awsRole + "-2" }
		if took, err := reading(t.Context(), client, time.Minute); codeOf(t, err) != "AADSTS700213" || took != 0 {
			t.Errorf("after a success: %v after %s", err, took)
		}
		p.change = func(c jwt.MapClaims) { c["exp"] = time.Now().Unix() }
		other := graph.signedInAs(t, byWebIdentity(p), nil)
		if took, err := reading(t.Context(), other, time.Minute); codeOf(t, err) != "AADSTS700024" || took != 0 {
			t.Errorf("expired: %v after %s", err, took)
		}
	})
}

// A caller who gives up is told what Entra said, not that time was up.
func TestWebIdentityWaitEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		_, err := client.ReadUsers(ctx, userIDs(1))
		if took := time.Since(start); codeOf(t, err) != "AADSTS70025" || took != 3*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// The refusal tells what Entra must be given, and nothing else of the token.
func TestWebIdentityTellsItsClaims(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		err := burst(t.Context(), graph.signedInAs(t, byWebIdentity(p), nil), 1)[0]
		shown, _ := errors.AsType[*directory.PresentedToken](leaktest.Seen(t, err))
		if diff := cmp.Diff(&directory.PresentedToken{Issuer: awsIssuer, Subject: awsRole, Audience: exchange}, shown); diff != "" {
			t.Errorf("presented (-want +got):\n%s", diff)
		}
		for _, part := range strings.Split(p.given[0], ".") {
			if strings.Contains(leaktest.Seen(t, err).Error(), part) {
				t.Errorf("error %q tells the token", err)
			}
		}
	})
}

// A source that gives no token is an error of its own, with its code. It is not
// waited for.
func TestWebIdentitySourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		graph.trusts(p)
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		p.err = awsError{"AccessDenied", "allow it"}
		took, err := reading(t.Context(), client, time.Minute)
		e := graphError(t, err)
		if e.Operation != "getWebIdentityToken" || e.Code != "AccessDenied" || !e.NotDone || e.StatusCode != 0 || !errors.Is(leaktest.Seen(t, err), p.err) || took != 0 {
			t.Errorf("error %+v after %s", e, took)
		}
		if n := graph.server.Counts().Tokens; n != 0 {
			t.Errorf("%d requests for a token", n)
		}
		p.err = nil
		mustRead(t, client, userIDs(1))
	})
}

func TestWebIdentitySourceGivesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		auth := sources()
		auth.Mode = directory.AuthWebIdentity
		if e := graphError(t, burst(t.Context(), graph.signedInAs(t, auth, nil), 1)[0]); e.Operation != "getWebIdentityToken" || !e.NotDone {
			t.Errorf("error %+v", e)
		}
	})
}
