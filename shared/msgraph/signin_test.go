package msgraph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

var errDenied = errors.New("AccessDeniedException")

// What Entra or azidentity says in words may quote a secret, so only a code and the
// transport's own error are passed on. Package answer has more of these.
func TestNoToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		entra *fake
		want  directory.Error
	}{
		"refused": {
			entraFake(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret `+secret+` provided.","correlation_id":"9a3f0b1a"}`),
			directory.Error{StatusCode: 401, Code: "AADSTS7000215", RequestID: "9a3f0b1a"},
		},
		"unwell": {entraFake(503, `<html>`+principal+`</html>`), directory.Error{StatusCode: 503}},
		"unknown tenant": { // already where its endpoints are asked for
			answers(400, `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}`),
			directory.Error{StatusCode: 400, Code: "AADSTS90002"},
		},
		"connection refused": {fails(syscall.ECONNREFUSED), directory.Error{Err: syscall.ECONNREFUSED}},
		"half a token":       {entraFake(200, `{"access_token":"`+secret+`",`), directory.Error{}},
		"token of no type":   {entraFake(200, `{"access_token":7}`), directory.Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusOK, batchOf())
			_, err := signedInTo(t, tt.entra, graph, bySecret(secret)).ReadUsers(t.Context(), userIDs(1))
			e := graphError(t, err)
			if !errors.Is(err, tt.want.Err) && tt.want.Err != nil || strings.Contains(err.Error(), secret) || graph.requests() != 0 {
				t.Errorf("error %v after %d requests to Graph", err, graph.requests())
			}
			tt.want.Operation, tt.want.NotDone = "token", true
			got := *e
			got.Err, tt.want.Err = nil, nil
			if tt.want.StatusCode == 0 {
				got.StatusCode, got.RequestID = 0, ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// The secret is read when it is first needed, and a token is kept while it lives.
func TestSecretIsReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e, source := &entra{judge: knowsSecret(secret)}, &kept{kept: secret}
		client := signedIn(t, e, source.bySecret())
		source.check(t)
		for range 3 {
			mustRead(t, client, userIDs(1))
			mustRead(t, client, userIDs(1))
			time.Sleep(2 * time.Hour) // longer than a token lives
		}
		if source.check(t, false); e.tokens() != 3 {
			t.Errorf("%d requests for a token, want 3", e.tokens())
		}
	})
}

// What was replaced costs the calls of the moment a second request for a token, and a
// burst of them one reload.
func TestCredentialIsReplaced(t *testing.T) {
	keys := rsaKeys()
	for name, tt := range map[string]struct {
		auth  func(*kept) msgraph.Auth
		judge func(before, after pair, replaced bool) func(url.Values) string
	}{
		"secret": {(*kept).bySecret, func(_, _ pair, replaced bool) func(url.Values) string {
			return knowsSecret(map[bool]string{false: "old8Q~value", true: "new8Q~value"}[replaced])
		}},
		"certificate": {(*kept).byCertificate, func(before, after pair, replaced bool) func(url.Values) string {
			return knowsCertificate(map[bool]pair{false: before, true: after}[replaced].chain[0])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				before, after := pairOf(keys[0], certify(t, keys[0], time.Now())), pairOf(keys[1], certify(t, keys[1], time.Now()))
				source := &kept{kept: "old8Q~value", stored: "new8Q~value", keptCertificate: before, storedFresh: after}
				e := &entra{judge: tt.judge(before, after, false), latency: time.Second}
				client := signedIn(t, e, tt.auth(source))
				mustRead(t, client, userIDs(1))
				time.Sleep(2 * time.Hour)
				e.judge = tt.judge(before, after, true)
				if err := errors.Join(burst(t.Context(), client, 20)...); err != nil {
					t.Errorf("20 calls: %v", err)
				}
				if source.check(t, false, true); e.tokens() != 3 {
					t.Errorf("%d requests for a token, want 3", e.tokens())
				}
			})
		})
	}
}

// As long as the source knows nothing better, each call costs one reload. Once the secret
// is replaced, the next call has a token.
func TestSecretIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e, source := &entra{judge: knowsSecret(secret)}, &kept{kept: "old8Q~value", stored: "old8Q~value"}
		client := signedIn(t, e, source.bySecret())
		for range 2 {
			failed := graphError(t, burst(t.Context(), client, 1)[0])
			if failed.Operation != "token" || failed.Code != "AADSTS7000215" || !failed.NotDone {
				t.Errorf("error %+v", failed)
			}
		}
		if source.check(t, false, true, true); e.tokens() != 4 {
			t.Errorf("%d requests for a token, want 4", e.tokens())
		}
		source.stored = secret
		mustRead(t, client, userIDs(1))
	})
}

// A source that fails is an error of its own, which says what to do. Where a fresh secret
// cannot be read, it is the cause of the refusal that made one needed.
func TestSecretSourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		failFresh := false
		source := &kept{kept: "old8Q~value", wait: func(_ context.Context, fresh bool) error {
			if fresh == failFresh {
				return errDenied
			}
			return nil
		}}
		client := signedIn(t, &entra{judge: knowsSecret(secret)}, source.bySecret())
		e := graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "clientSecret" || !e.NotDone || e.StatusCode != 0 || !errors.Is(e, errDenied) || !strings.Contains(e.Error(), "may read it") {
			t.Errorf("error %+v", e)
		}
		failFresh = true
		e = graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "token" || e.Code != "AADSTS7000215" || !e.NotDone || !errors.Is(e, errDenied) {
			t.Errorf("reload: %+v", e)
		}
	})
}

// The client does not print what it knows.
func TestSecretIsNotPrinted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := signedIn(t, &entra{judge: knowsSecret(secret)}, bySecret(secret))
		mustRead(t, client, userIDs(1))
		for _, format := range []string{"%v", "%+v", "%#v"} {
			if text := fmt.Sprintf(format, client); strings.Contains(text, secret) {
				t.Errorf("%s prints the secret: %s", format, text)
			}
		}
	})
}

// A certificate that is out of its time may be a copy of one that was replaced. Before
// anybody is refused, it is read anew, once.
func TestCertificateOutOfTimeIsReadAnew(t *testing.T) {
	for name, from := range map[string]time.Duration{"expired": -366 * 24 * time.Hour, "not yet good": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				keys := rsaKeys()
				useless, good := pairOf(keys[0], certify(t, keys[0], time.Now().Add(from))), pairOf(keys[1], certify(t, keys[1], time.Now()))
				e, source := &entra{judge: knowsCertificate(good.chain[0])}, &kept{keptCertificate: useless, storedFresh: useless}
				client := signedIn(t, e, source.byCertificate())
				err := burst(t.Context(), client, 1)[0]
				if failed := graphError(t, err); failed.Operation != "certificate" || !failed.NotDone || !errors.Is(err, directory.ErrCertificateTime) || !strings.Contains(err.Error(), "it is good from") {
					t.Errorf("error %v", err)
				}
				source.storedFresh = good
				mustRead(t, client, userIDs(1))
				if source.check(t, false, true, false, true); e.tokens() != 1 {
					t.Errorf("%d requests for a token, want 1", e.tokens())
				}
			})
		})
	}
}

// Entra's refusal names the certificate by what the portal shows of it.
func TestCertificateIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := rsaKeys()
		mine := pairOf(keys[0], certify(t, keys[0], time.Now()))
		source := &kept{keptCertificate: mine, storedFresh: mine}
		err := burst(t.Context(), signedIn(t, &entra{judge: knowsCertificate(certify(t, keys[1], time.Now()))}, source.byCertificate()), 1)[0]
		if e := graphError(t, err); e.Operation != "token" || e.Code != "AADSTS700027" || !e.NotDone {
			t.Errorf("error %+v", e)
		}
		shown, ok := errors.AsType[*directory.PresentedCertificate](err)
		if !ok || len(shown.Thumbprint) != 40 || !shown.Expires.Equal(mine.chain[0].NotAfter) {
			t.Errorf("presented %+v", shown)
		}
	})
}

func TestNobodyCanSignIn(t *testing.T) {
	t.Parallel()
	if _, err := msgraph.NewClient(msgraph.Options{Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID}); err == nil {
		t.Error("a client without a source")
	}
	invalid, err := msgraph.NewClient(msgraph.Options{Cloud: cloudNamed(t, "global"), TenantID: "../" + tenantID, ClientID: clientID, Auth: bySecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = invalid.Domains(t.Context())
	if e := graphError(t, err); e.Operation != "token" || !e.NotDone {
		t.Errorf("error %+v", e)
	}
}
