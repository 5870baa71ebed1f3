package msgraph_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// Each of Entra's tokens costs one of the provider's, and is then kept.
func TestWebIdentitySignsIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := new(provider)
		e := &entra{judge: func(form url.Values) string {
			if form.Get("client_assertion") != p.given[len(p.given)-1] {
				return "AADSTS50027"
			}
			return ""
		}}
		client := signedIn(t, e, p.auth())
		for range 3 {
			if err := errors.Join(burst(t.Context(), client, 20)...); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Hour) // longer than a token lives
		}
		if e.tokens() != 3 || p.tokens() != 3 {
			t.Errorf("%d requests for a token, with %d of the provider's, want 3", e.tokens(), p.tokens())
		}
	})
}

// A federated credential that was just made is waited for, as long as the caller has
// time.
func TestWebIdentityIsReplicated(t *testing.T) {
	for name, tt := range map[string]struct {
		lag, limit, took time.Duration
		tokens           int
		code             string
	}{
		"at once":                   {0, time.Minute, 0, 1, ""},
		"in seconds":                {10 * time.Second, time.Minute, 14 * time.Second, 4, ""},
		"in a minute":               {time.Minute, 5 * time.Minute, 74 * time.Second, 8, ""},
		"too late for the caller":   {20 * time.Second, 20 * time.Second, 14 * time.Second, 4, "AADSTS70021"},
		"too late for our patience": {time.Hour, time.Hour, 74 * time.Second, 8, "AADSTS70021"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				known, p := time.Now().Add(tt.lag), new(provider)
				client := signedIn(t, &entra{judge: unknownUntil(known)}, p.auth())
				took, err := reading(t.Context(), client, tt.limit)
				if code := codeOf(t, err); code != tt.code || took != tt.took || p.tokens() != tt.tokens {
					t.Errorf("%v after %s and %d tokens, want %q after %s and %d", err, took, p.tokens(), tt.code, tt.took, tt.tokens)
				}
			})
		})
	}
}

// unknownUntil knows no federated credential until then.
func unknownUntil(known time.Time) func(url.Values) string {
	return func(url.Values) string {
		if time.Now().Before(known) {
			return "AADSTS70021"
		}
		return ""
	}
}

// A wrong federated credential is waited for as if it were new, but not by each call. The
// refusal tells what Entra must be given, and nothing else of the token.
func TestWebIdentityIsWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e, p := &entra{judge: func(url.Values) string { return "AADSTS700213" }}, new(provider)
		client := signedIn(t, e, p.auth())
		for _, call := range []struct{ after, took time.Duration }{{0, 74 * time.Second}, {0, 0}, {9 * time.Minute, 0}, {2 * time.Minute, 74 * time.Second}, {0, 0}} {
			time.Sleep(call.after)
			start := time.Now()
			_, err := client.RevokeSignInSessions(t.Context(), userIDs(1))
			if failed := graphError(t, err); failed.Code != "AADSTS700213" || !failed.NotDone || time.Since(start) != call.took {
				t.Errorf("%v after %s, want %s", err, time.Since(start), call.took)
			}
			shown, _ := errors.AsType[*directory.PresentedToken](err)
			if diff := cmp.Diff(&directory.PresentedToken{Issuer: awsIssuer, Subject: awsRole, Audience: exchange}, shown); diff != "" || shows(err.Error(), p.given[0]) {
				t.Errorf("%v presented (-want +got):\n%s", err, diff)
			}
		}
		e.judge = func(url.Values) string { return "" }
		mustRead(t, client, userIDs(1))
	})
}

// However signing in fails, a burst of calls costs one attempt, and nobody waits for
// longer than that takes.
func TestBurstSharesFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		source    func(context.Context) error
		latency   time.Duration
		entra     error
		took      time.Duration
		operation string
		is        error
	}{
		"source fails":          {after(2*time.Second, errDenied), 0, nil, 2 * time.Second, directory.WebIdentityToken, errDenied},
		"source is silent":      {after(time.Hour, nil), 0, nil, 20 * time.Second, directory.WebIdentityToken, context.DeadlineExceeded},
		"Entra is out of reach": {nil, time.Second, syscall.ECONNRESET, time.Second, "token", syscall.ECONNRESET},
		"Entra is silent":       {nil, time.Hour, nil, 20 * time.Second, "token", context.DeadlineExceeded},
		"both are slow":         {after(15*time.Second, nil), 10 * time.Second, nil, 20 * time.Second, "token", context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				e, p := &entra{judge: func(url.Values) string { return "" }, latency: tt.latency, err: tt.entra}, &provider{wait: tt.source}
				client := signedIn(t, e, p.auth())
				for n := 1; n <= 2; n++ {
					start := time.Now()
					for _, err := range burst(t.Context(), client, 20) {
						if failed := graphError(t, err); failed.Operation != tt.operation || !failed.NotDone || !errors.Is(err, tt.is) {
							t.Errorf("error %v", err)
						}
					}
					if took := time.Since(start); took != tt.took || p.tokens() != n {
						t.Errorf("burst %d: %d attempts in %s, want %s", n, p.tokens(), took, tt.took)
					}
				}
			})
		})
	}
}

// What ends with one caller's time is no answer to another.
func TestOwnDeadlineIsNotShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := signedIn(t, &entra{judge: knowsSecret(secret), latency: 5 * time.Second}, bySecret(msgraph.FixedSecret(secret)))
		first := make(chan error, 1)
		go func() {
			_, err := reading(t.Context(), client, 3*time.Second)
			first <- err
		}()
		time.Sleep(time.Second)
		if took, err := reading(t.Context(), client, time.Minute); err != nil || took != 7*time.Second {
			t.Errorf("the second: %v after %s", err, took)
		}
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first: %v", err)
		}
	})
}

// A token that Graph refuses is fetched anew, once, whatever the app signs in with and
// whatever the call; a burst costs one.
func TestRefusedTokenIsDropped(t *testing.T) {
	keys := rsaKeys()
	for mode, auth := range map[directory.AuthMode]func(*testing.T) msgraph.Auth{
		directory.AuthWebIdentity:  func(*testing.T) msgraph.Auth { return new(provider).auth() },
		directory.AuthClientSecret: func(*testing.T) msgraph.Auth { return bySecret(msgraph.FixedSecret(secret)) },
		directory.AuthCertificate: func(t *testing.T) msgraph.Auth {
			return byCertificate(&kept{keptCertificate: pairOf(keys[0], certify(t, keys[0], time.Now()))})
		},
	} {
		t.Run(string(mode), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				e, refused := &entra{judge: func(url.Values) string { return "" }}, "Bearer t0k3n-1"
				graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
					time.Sleep(time.Second)
					if req.Header.Get("Authorization") == refused {
						return response(http.StatusUnauthorized, `{"error":{"code":"InvalidAuthenticationToken","message":"no"}}`), nil
					}
					return response(http.StatusOK, batchOf(partOf(1, http.StatusOK, userJSON(userID(0), "")))), nil
				}}
				client := signedInTo(t, e, graph, auth(t))
				if err := errors.Join(burst(t.Context(), client, 20)...); err != nil || e.tokens() != 2 || graph.requests() != 40 {
					t.Errorf("%v after %d tokens and %d requests", err, e.tokens(), graph.requests())
				}
				refused = "Bearer t0k3n-2"
				if errs, err := client.RevokeSignInSessions(t.Context(), userIDs(1)); err != nil || errs[0] != nil || e.tokens() != 3 {
					t.Errorf("write: %v, %v after %d tokens", err, errs, e.tokens())
				}
			})
		})
	}
}

// After any other 401 the next call has a fresh token. The app that the tenant does not
// know waits for consent.
func TestConsentIsMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := &entra{judge: knowsSecret(secret)}
		graph := answers(http.StatusUnauthorized, `{"error":{"code":"Authorization_IdentityNotFound","message":"The identity of the calling application could not be established."}}`)
		client := signedInTo(t, e, graph, bySecret(msgraph.FixedSecret(secret)))
		for n := 1; n <= 2; n++ {
			_, err := client.Domains(t.Context())
			if failed := graphError(t, err); failed.Refusal() != directory.NotConsented || e.tokens() != n || graph.requests() != n {
				t.Errorf("%+v after %d tokens and %d requests", failed, e.tokens(), graph.requests())
			}
		}
	})
}

// Entra's endless refusal of a token by a $batch's part leaves the part not done, and the
// next call has a fresh token.
func TestPartRefusesToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := &entra{judge: knowsSecret(secret)}
		graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
			status := http.StatusOK
			if req.Header.Get("Authorization") == "Bearer t0k3n-1" {
				status = http.StatusUnauthorized
			}
			return response(http.StatusOK, batchOf(partOf(1, status, `{"error":{"code":"InvalidAuthenticationToken"}}`))), nil
		}}
		client := signedInTo(t, e, graph, bySecret(msgraph.FixedSecret(secret)))
		if failed := graphError(t, mustRevoke(t, client, userIDs(1))[0]); !failed.NotDone || graph.requests() != 1 {
			t.Errorf("%+v after %d requests", failed, graph.requests())
		}
		if err := mustRevoke(t, client, userIDs(1))[0]; err != nil || e.tokens() != 2 {
			t.Errorf("%v after %d tokens", err, e.tokens())
		}
	})
}
