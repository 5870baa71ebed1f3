package msgraph_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
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

// A new client waits for Entra to hear of a federated credential that was just made, as
// long as the caller has time. One that is wrong is waited for once. The refusal tells
// what Entra must be given, and nothing else of the token.
func TestWebIdentityIsReplicated(t *testing.T) {
	for name, tt := range map[string]struct {
		lag, limit, took time.Duration
		code             string
	}{
		"at once":                   {0, time.Minute, 0, ""},
		"in a minute":               {time.Minute, 5 * time.Minute, time.Minute, ""},
		"too late for the caller":   {time.Minute, 35 * time.Second, 30 * time.Second, "AADSTS70021"},
		"too late for our patience": {time.Hour, time.Hour, 80 * time.Second, "AADSTS70021"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				known, p := time.Now().Add(tt.lag), new(provider)
				client := signedIn(t, &entra{judge: unknownUntil(known)}, p.auth())
				took, err := reading(t.Context(), client, tt.limit)
				if code := codeOf(t, err); code != tt.code || took != tt.took {
					t.Errorf("%v after %s, want %q after %s", err, took, tt.code, tt.took)
				}
				if time.Sleep(2 * time.Minute); err == nil || time.Now().After(known) {
					return
				}
				took, err = reading(t.Context(), client, tt.limit)
				shown, _ := errors.AsType[*directory.PresentedToken](err)
				if diff := cmp.Diff(&directory.PresentedToken{Issuer: awsIssuer, Subject: awsRole, Audience: exchange}, shown); diff != "" || took != 0 || shows(err.Error(), p.given[0]) {
					t.Errorf("%v after %s presented (-want +got):\n%s", err, took, diff)
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

// codedError is an error of AWS's.
type codedError struct{ error }

func (codedError) ErrorCode() string { return "SomeException" }
func (e codedError) Unwrap() error   { return e.error }

// However long a source or Entra is silent, an attempt ends in time.
func TestSignInEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		source    func(context.Context) error
		latency   time.Duration
		limit     time.Duration
		took      time.Duration
		operation string
		is        error
	}{
		"source fails":       {after(2*time.Second, codedError{errDenied}), 0, time.Hour, 2 * time.Second, directory.WebIdentityToken, errDenied},
		"source is silent":   {after(time.Hour, nil), 0, time.Hour, 20 * time.Second, directory.WebIdentityToken, context.DeadlineExceeded},
		"Entra is silent":    {nil, time.Hour, time.Hour, 20 * time.Second, "token", context.DeadlineExceeded},
		"both are slow":      {after(15*time.Second, nil), 10 * time.Second, time.Hour, 20 * time.Second, "token", context.DeadlineExceeded},
		"caller has no time": {nil, 5 * time.Second, 3 * time.Second, 3 * time.Second, "token", context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := &provider{wait: tt.source}
				client := signedIn(t, &entra{latency: tt.latency}, p.auth())
				took, err := reading(t.Context(), client, tt.limit)
				if e := graphError(t, err); e.Operation != tt.operation || !e.NotDone || !errors.Is(err, tt.is) || took != tt.took {
					t.Errorf("%+v after %s", e, took)
				}
				if code := codeOf(t, err); (code == "SomeException") != errors.Is(err, errDenied) {
					t.Errorf("code %q", code)
				}
			})
		})
	}
}

// Nobody waits for another's attempt beyond the own time.
func TestTurnEndsWithTheCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := signedIn(t, &entra{latency: 5 * time.Second}, bySecret(secret))
		first := make(chan error, 1)
		go func() {
			_, err := reading(t.Context(), client, time.Minute)
			first <- err
		}()
		time.Sleep(time.Second)
		if took, err := reading(t.Context(), client, time.Second); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("the second: %v after %s", err, took)
		}
		if err := <-first; err != nil {
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
		directory.AuthClientSecret: func(*testing.T) msgraph.Auth { return bySecret(secret) },
		directory.AuthCertificate: func(t *testing.T) msgraph.Auth {
			mine := pairOf(keys[0], certify(t, keys[0], time.Now()))
			return (&kept{keptCertificate: mine, storedFresh: mine}).byCertificate()
		},
	} {
		t.Run(string(mode), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				e, refused := new(entra), "Bearer t0k3n-1"
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
		e := new(entra)
		graph := answers(http.StatusUnauthorized, `{"error":{"code":"Authorization_IdentityNotFound","message":"The identity of the calling application could not be established."}}`)
		client := signedInTo(t, e, graph, bySecret(secret))
		for n := 1; n <= 2; n++ {
			_, err := client.Domains(t.Context())
			if failed := graphError(t, err); failed.Code != "Authorization_IdentityNotFound" || e.tokens() != n || graph.requests() != n {
				t.Errorf("%+v after %d tokens and %d requests", failed, e.tokens(), graph.requests())
			}
		}
	})
}

// Graph's refusal of a token in a $batch's part leaves the part not done, and the next
// call has a fresh token.
func TestPartRefusesToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := new(entra)
		graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
			status := http.StatusOK
			if req.Header.Get("Authorization") == "Bearer t0k3n-1" {
				status = http.StatusUnauthorized
			}
			return response(http.StatusOK, batchOf(partOf(1, status, `{"error":{"code":"InvalidAuthenticationToken"}}`))), nil
		}}
		client := signedInTo(t, e, graph, bySecret(secret))
		if failed := graphError(t, mustRevoke(t, client, userIDs(1))[0]); !failed.NotDone || graph.requests() != 1 {
			t.Errorf("%+v after %d requests", failed, graph.requests())
		}
		if err := mustRevoke(t, client, userIDs(1))[0]; err != nil || e.tokens() != 2 {
			t.Errorf("%v after %d tokens", err, e.tokens())
		}
	})
}
