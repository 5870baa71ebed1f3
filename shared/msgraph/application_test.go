package msgraph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// ownedBy is the permission to look after one's own application.
const ownedBy = "Application.ReadWrite.OwnedBy"

// registration reads the app's registration.
func registration(t *testing.T, app *msgraph.Application) directory.Registration {
	t.Helper()
	r, err := app.Registration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A password is made, signs in, is listed without its text, and is removed.
func TestPasswords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{}, ownedBy)
		app := graph.client.Application(clientID)
		end := time.Now().AddDate(0, 6, 0).UTC()
		made, err := app.AddPassword(t.Context(), "sessionstamp/a", end)
		if err != nil {
			t.Fatal(err)
		}
		text := made.Text.Reveal()
		want := directory.Password{KeyID: made.KeyID, DisplayName: "sessionstamp/a", Hint: text[:3], End: end}
		found := registration(t, app)
		if found.ObjectID != graph.app.ObjectID() || len(found.Passwords) != 2 || len(found.Keys) != 0 {
			t.Errorf("registration %+v", found)
		}
		if diff := cmp.Diff(fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", found.Passwords[1])); diff != "" || len(text) < 16 || found.Passwords[1].Text.Reveal() != "" {
			t.Errorf("a text of %d characters, password (-want +got):\n%s", len(text), diff)
		}
		if _, err := graph.signedInBy(t, msgraph.FixedSecret(text)).Subscriptions(t.Context()); err != nil {
			t.Errorf("sign in with it: %v", err)
		}
		if err := app.RemovePassword(t.Context(), made.KeyID); err != nil {
			t.Error(err)
		}
		if left := registration(t, app).Passwords; len(left) != 1 || left[0].KeyID == made.KeyID {
			t.Errorf("left are %+v", left)
		}
		if e := graphError(t, app.RemovePassword(t.Context(), made.KeyID)); e.StatusCode != 400 || !e.NotDone || e.Operation != "removePassword" {
			t.Errorf("removed again: %+v", e)
		}
	})
}

// A certificate is added with a proof by another, and removed with one.
func TestKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{}, ownedBy)
		keys := rsaKeys()
		first, second := certify(t, "first", keys[0], time.Now(), nil, nil), certify(t, "second", keys[1], time.Now(), nil, nil)
		graph.app.AddCertificate(first.Raw)
		app := graph.client.Application(clientID)
		objectID := registration(t, app).ObjectID
		proof := func() directory.Secret { return proofOf(t, pairOf(keys[0], first), objectID) }
		if err := app.AddKey(t.Context(), "sessionstamp/b", second.Raw, proof()); err != nil {
			t.Fatal(err)
		}
		found := registration(t, app).Keys
		if len(found) != 2 || found[1].DisplayName != "sessionstamp/b" || found[1].Thumbprint != thumbprint(second.Raw) || !found[1].End.Equal(second.NotAfter) {
			t.Errorf("keys %+v", found)
		}
		auth := byCertificate(msgraph.FixedCertificate(chainOf(second), keys[1]))
		if _, err := graph.signedInAs(t, auth, nil).Subscriptions(t.Context()); err != nil {
			t.Errorf("sign in with it: %v", err)
		}
		if err := app.RemoveKey(t.Context(), found[1].KeyID, proof()); err != nil {
			t.Error(err)
		}
		if left := registration(t, app).Keys; len(left) != 1 || left[0].Thumbprint != thumbprint(first.Raw) {
			t.Errorf("left are %+v", left)
		}
		stranger := proofOf(t, pairOf(keys[1], second), objectID)
		for operation, err := range map[string]error{
			"addKey":    app.AddKey(t.Context(), "c", second.Raw, stranger),
			"removeKey": app.RemoveKey(t.Context(), found[0].KeyID, stranger),
		} {
			if e := graphError(t, err); e.StatusCode != http.StatusUnauthorized || !e.NotDone || e.Operation != operation || strings.Contains(leaktest.Seen(t, e).Error(), stranger.Reveal()) {
				t.Errorf("%s with a wrong proof: %+v", operation, e)
			}
		}
	})
}

// proofOf is a proof of possession
// (https://learn.microsoft.com/graph/application-rollkey-prooftoken).
func proofOf(t *testing.T, p pair, objectID string) directory.Secret {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"aud": "00000002-0000-0000-c000-000000000000", "iss": objectID,
		"nbf": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix(),
	})
	signed, err := token.SignedString(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return directory.NewSecret(signed)
}

// Only one's own application can be seen or changed, and only with the permission.
func TestApplicationIsForbidden(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{}, "User.Read.All")
		_, err := graph.client.Application(clientID).Registration(t.Context())
		if e := graphError(t, err); !e.Forbidden() || e.Operation != "getApplication" || e.RequestID == "" {
			t.Errorf("without permission: %+v", e)
		}
		_, err = graph.client.Application(otherID).Registration(t.Context())
		if e := graphError(t, err); !e.Forbidden() && !e.NotFound() {
			t.Errorf("of another: %+v", e)
		}
	})
}

// applicationCalls are all there are.
func applicationCalls(app *msgraph.Application, keyID string) map[string]func(context.Context) error {
	proof := directory.NewSecret("pr00f")
	return map[string]func(context.Context) error{
		"getApplication": func(ctx context.Context) error { _, err := app.Registration(ctx); return err },
		"addPassword": func(ctx context.Context) error {
			_, err := app.AddPassword(ctx, "a", time.Unix(2e9, 0))
			return err
		},
		"removePassword": func(ctx context.Context) error { return app.RemovePassword(ctx, keyID) },
		"addKey":         func(ctx context.Context) error { return app.AddKey(ctx, "a", []byte{1}, proof) },
		"removeKey":      func(ctx context.Context) error { return app.RemoveKey(ctx, keyID, proof) },
	}
}

// Each call sends one request, whatever comes of it, and its error says whether it
// may have taken effect.
func TestApplicationCallsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for status, notDone := range map[int]bool{400: true, 403: true, 404: true, 429: true, 409: false, 500: false, 503: false} {
		graph := answers(status, `{"error":{"code":"Some_Code","message":"`+principal+`"}}`)
		for operation, call := range applicationCalls(clientOf(t, graph).Application(clientID), otherID) {
			before := graph.requests()
			e := graphError(t, call(t.Context()))
			if e.Operation != operation || e.StatusCode != status || e.NotDone != notDone || e.Code != "Some_Code" || e.Message != "" {
				t.Errorf("%s: error %+v", operation, e)
			}
			if n := graph.requests() - before; n != 1 {
				t.Errorf("%s: %d requests", operation, n)
			}
		}
	}
}

// What cannot be meant is not sent.
func TestApplicationCallsThatAreNotSent(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, "{}")
	app := clientOf(t, graph).Application(clientID)
	calls := applicationCalls(app, "not a key id")
	calls["addPassword"] = func(ctx context.Context) error { _, err := app.AddPassword(ctx, "a", time.Time{}); return err }
	calls["addKey"] = func(ctx context.Context) error { return app.AddKey(ctx, "a", nil, directory.NewSecret("p")) }
	calls["no proof"] = func(ctx context.Context) error { return app.AddKey(ctx, "a", []byte{1}, directory.Secret{}) }
	calls["end of time"] = func(ctx context.Context) error {
		_, err := app.AddPassword(ctx, "a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
		return err
	}
	delete(calls, "getApplication")
	for name, call := range applicationCalls(clientOf(t, graph).Application("not an id"), otherID) {
		calls["by no id: "+name] = call
	}
	for name, call := range calls {
		if e := graphError(t, call(t.Context())); !e.NotDone || e.Err == nil || e.StatusCode != 0 {
			t.Errorf("%s: error %+v", name, e)
		}
	}
	if n := graph.requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The requests as Graph documents them.
func TestApplicationRequests(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, `{"keyId":"`+otherID+`","secretText":"s"}`)
	app := clientOf(t, graph).Application(clientID)
	calls := applicationCalls(app, otherID)
	var told strings.Builder
	for _, operation := range sorted(calls) {
		before := graph.requests()
		_ = calls[operation](t.Context())
		req := graph.seen[before]
		fmt.Fprintf(&told, "%s %s\n%s\n", req.Method, req.URL, indented(t, graph.bodies[before]))
	}
	goldentest.Compare(t, "testdata/application-requests.golden", strings.TrimSpace(told.String())+"\n")
}

func indented(t *testing.T, body string) string {
	t.Helper()
	if body == "" {
		return ""
	}
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A password whose text did not come exists: the error must not say otherwise.
func TestPasswordWithoutText(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"keyId":"` + otherID + `"}`, `{"secretText":"` + secret + `"}`, `[`, ``} {
		_, err := clientOf(t, answers(http.StatusOK, body)).Application(clientID).AddPassword(t.Context(), "a", time.Unix(2e9, 0))
		if e := graphError(t, err); e.NotDone || e.StatusCode != 200 || strings.Contains(leaktest.Seen(t, err).Error(), secret) {
			t.Errorf("%s: error %+v", body, e)
		}
	}
	_, err := clientOf(t, fails(errDenied)).Application(clientID).AddPassword(t.Context(), "a", time.Unix(2e9, 0))
	if e := graphError(t, err); e.NotDone || !errors.Is(leaktest.Seen(t, err), errDenied) {
		t.Errorf("no answer: error %+v", e)
	}
}
