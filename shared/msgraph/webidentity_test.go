package msgraph_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// byWebIdentity signs in with the provider's tokens.
func byWebIdentity(p *provider) msgraph.Auth {
	return msgraph.Auth{Mode: msgraph.AuthWebIdentity, WebIdentity: p.token}
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

// A federated credential that was just made is waited for, as long as there is time.
func TestWebIdentityIsReplicated(t *testing.T) {
	tests := []struct {
		name               string
		lag, timeout, took time.Duration
		tokens             int
		code               string
	}{
		{"at once", 0, time.Minute, 0, 1, ""},
		{"in a moment", time.Second, time.Minute, 2 * time.Second, 2, ""},
		{"in seconds", 10 * time.Second, time.Minute, 14 * time.Second, 4, ""},
		{"in a minute", time.Minute, 5 * time.Minute, 74 * time.Second, 8, ""},
		{"too late for the call", 20 * time.Second, 20 * time.Second, 14 * time.Second, 4, "AADSTS70021"},
		{"too late for our patience", time.Hour, time.Hour, 74 * time.Second, 8, "AADSTS70021"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{CredentialLag: tt.lag}, permissions...)
				p := newProvider()
				graph.trusts(p)
				took, err := reading(t.Context(), graph.patient(t, byWebIdentity(p)), tt.timeout)
				if code := codeOf(err); code != tt.code || took != tt.took || p.tokens() != tt.tokens {
					t.Errorf("%v after %s and %d tokens, want %q after %s and %d", err, took, p.tokens(), tt.code, tt.took, tt.tokens)
				}
			})
		})
	}
}

// patient returns a client whose calls have as much time as their context.
func (e emulated) patient(t testing.TB, auth msgraph.Auth) *msgraph.Client {
	t.Helper()
	credential, err := msgraph.NewCredential(msgraph.CredentialOptions{
		Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID, Transport: e.server}, auth)
	if err != nil {
		t.Fatal(err)
	}
	client, err := msgraph.NewClient(msgraph.Options{
		Cloud: cloudNamed(t, "global"), Credential: credential, Transport: e.server, CallTimeout: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return e.Code
	}
	return ""
}

// Who waits for the one who has patience shares the outcome. Once Entra has accepted
// a token, a refusal is believed at once; so is one that no waiting cures.
func TestWebIdentityIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		for _, err := range burst(t.Context(), client, 20) {
			if codeOf(err) != "AADSTS70025" {
				t.Errorf("error %v", err)
			}
		}
		if p.tokens() != 4 {
			t.Errorf("%d tokens for a burst, want 4", p.tokens())
		}
		graph.trusts(p)
		mustRead(t, client, userIDs(1))
		time.Sleep(2 * time.Hour)
		p.change = func(c jwt.MapClaims) { c["sub"] = awsRole + "-2" }
		if took, err := reading(t.Context(), client, time.Minute); codeOf(err) != "AADSTS700213" || took != 0 {
			t.Errorf("after a success: %v after %s", err, took)
		}
		p.change = func(c jwt.MapClaims) { c["exp"] = time.Now().Unix() }
		other := graph.signedInAs(t, byWebIdentity(p), nil)
		if took, err := reading(t.Context(), other, time.Minute); codeOf(err) != "AADSTS700024" || took != 0 {
			t.Errorf("expired: %v after %s", err, took)
		}
	})
}

// A caller who gives up is told what Entra said, not that time was up.
func TestWebIdentityWaitEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		client := graph.patient(t, byWebIdentity(p))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		_, err := client.ReadUsers(ctx, userIDs(1))
		if took := time.Since(start); codeOf(err) != "AADSTS70025" || took != 3*time.Second {
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
		shown, _ := errors.AsType[*directory.PresentedToken](err)
		if diff := cmp.Diff(&directory.PresentedToken{Issuer: awsIssuer, Subject: awsRole, Audience: exchange}, shown); diff != "" {
			t.Errorf("presented (-want +got):\n%s", diff)
		}
		for _, part := range strings.Split(p.given[0], ".") {
			if strings.Contains(err.Error(), part) {
				t.Errorf("error %q tells the token", err)
			}
		}
	})
}

// A source that gives no token is an error of its own, with its code. It is not
// waited for, and not shared with others.
func TestWebIdentitySourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		p := newProvider()
		graph.trusts(p)
		client := graph.signedInAs(t, byWebIdentity(p), nil)
		p.err = awsError{"AccessDenied", "allow it"}
		took, err := reading(t.Context(), client, time.Minute)
		e := graphError(t, err)
		if e.Operation != "getWebIdentityToken" || e.Code != "AccessDenied" || !e.NotDone || e.StatusCode != 0 || !errors.Is(err, p.err) || took != 0 {
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
		auth.Mode = msgraph.AuthWebIdentity
		if e := graphError(t, burst(t.Context(), graph.signedInAs(t, auth, nil), 1)[0]); e.Operation != "getWebIdentityToken" || !e.NotDone {
			t.Errorf("error %+v", e)
		}
	})
}
