package msgraph_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

var errDenied = errors.New("AccessDeniedException")

// The secret is read when it is first needed, and a token is kept while it lives.
func TestSecretIsReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e, source := &entra{judge: knowsSecret(secret)}, &kept{kept: secret}
		client := signedIn(t, e, bySecret(source))
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
		"secret": {func(s *kept) msgraph.Auth { return bySecret(s) }, func(_, _ pair, replaced bool) func(url.Values) string {
			return knowsSecret(map[bool]string{false: "old8Q~value", true: "new8Q~value"}[replaced])
		}},
		"certificate": {func(s *kept) msgraph.Auth { return byCertificate(s) }, func(before, after pair, replaced bool) func(url.Values) string {
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

// As long as the source knows nothing better, each burst of calls costs one request
// for a token and one reload, and everybody is told why, in an error of their own.
func TestSecretIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e, source := &entra{judge: knowsSecret(secret), latency: time.Second}, &kept{kept: "old8Q~value", stored: "old8Q~value"}
		client := signedIn(t, e, bySecret(source))
		seen := make(map[*directory.Error]bool)
		for n := 1; n <= 2; n++ {
			for _, err := range burst(t.Context(), client, 20) {
				failed := graphError(t, err)
				seen[failed] = true
				if failed.Operation != "token" || failed.Code != "AADSTS7000215" || !failed.NotDone {
					t.Errorf("error %+v", failed)
				}
			}
			if e.tokens() != n {
				t.Errorf("%d requests for a token after %d bursts", e.tokens(), n)
			}
		}
		if source.check(t, false, true, true); len(seen) != 40 {
			t.Errorf("%d errors for 40 calls", len(seen))
		}
		source.stored = secret
		mustRead(t, client, userIDs(1))
	})
}

// A source that fails is an error of its own, which says what to do, and, where a fresh
// secret cannot be read, why one was needed.
func TestSecretSourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		failFresh := false
		source := &kept{kept: "old8Q~value", wait: func(_ context.Context, fresh bool) error {
			if fresh == failFresh {
				return errDenied
			}
			return nil
		}}
		client := signedIn(t, &entra{judge: knowsSecret(secret)}, bySecret(source))
		e := graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "clientSecret" || !e.NotDone || e.StatusCode != 0 || !errors.Is(e, errDenied) || !strings.Contains(e.Error(), "may read it") {
			t.Errorf("error %+v", e)
		}
		failFresh = true
		e = graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "clientSecret" || e.Code != "AADSTS7000215" || !e.NotDone || !errors.Is(e, errDenied) {
			t.Errorf("reload: %+v", e)
		}
		empty := signedIn(t, &entra{judge: knowsSecret(secret)}, bySecret(msgraph.FixedSecret("")))
		if e := graphError(t, burst(t.Context(), empty, 1)[0]); e.Operation != "clientSecret" || !strings.Contains(e.Error(), "is empty") {
			t.Errorf("empty: %+v", e)
		}
	})
}

// Neither source nor credential prints what it knows.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	source := msgraph.FixedSecret(secret)
	credential, err := msgraph.NewCredential(msgraph.CredentialOptions{
		Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID, Transport: &entra{judge: knowsSecret(secret)},
	}, bySecret(source))
	if err != nil {
		t.Fatal(err)
	}
	client, err := msgraph.NewClient(msgraph.Options{Cloud: cloudNamed(t, "global"), Credential: credential, Transport: answers(200, batchOf(partOf(1, 404, `{}`)))})
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, client, userIDs(1))
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if text := fmt.Sprintf(format, source) + fmt.Sprintf(format, credential); strings.Contains(text, secret) {
			t.Errorf("%s prints the secret: %s", format, text)
		}
	}
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
				client := signedIn(t, e, byCertificate(source))
				if err := burst(t.Context(), client, 1)[0]; !errors.Is(err, directory.ErrCertificateTime) {
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
		err := burst(t.Context(), signedIn(t, &entra{judge: knowsCertificate(certify(t, keys[1], time.Now()))}, byCertificate(source)), 1)[0]
		if e := graphError(t, err); e.Operation != "token" || e.Code != "AADSTS700027" || !e.NotDone {
			t.Errorf("error %+v", e)
		}
		shown, ok := errors.AsType[*directory.PresentedCertificate](err)
		if !ok || len(shown.Thumbprint) != 40 || !shown.Expires.Equal(mine.chain[0].NotAfter) {
			t.Errorf("presented %+v", shown)
		}
	})
}

// What is wrong with a certificate is found before Entra is asked.
func TestCertificateIsChecked(t *testing.T) {
	keys := rsaKeys()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // which is the point
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		make func(t *testing.T) pair
		says string
	}{
		"none":        {func(*testing.T) pair { return pair{} }, "there is none"},
		"no key":      {func(t *testing.T) pair { return pair{chain: pairOf(nil, certify(t, keys[0], time.Now())).chain} }, "there is none"},
		"elliptic":    {func(t *testing.T) pair { return pair{pairOf(nil, certify(t, ec, time.Now())).chain, ec} }, "RSA key"},
		"short":       {func(t *testing.T) pair { return pairOf(short, certify(t, short, time.Now())) }, "2048"},
		"another key": {func(t *testing.T) pair { return pairOf(keys[1], certify(t, keys[0], time.Now())) }, "does not belong"},
		"expired": {func(t *testing.T) pair {
			return pairOf(keys[0], certify(t, keys[0], time.Now().Add(-366*24*time.Hour)))
		}, "good from 1998-12-31"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				made, e := tt.make(t), &entra{}
				err := burst(t.Context(), signedIn(t, e, byCertificate(&kept{keptCertificate: made, storedFresh: made})), 1)[0]
				if got := graphError(t, err); got.Operation != "certificate" || !got.NotDone || got.StatusCode != 0 || !strings.Contains(got.Error(), tt.says) || e.tokens() != 0 {
					t.Errorf("error %+v after %d tokens", got, e.tokens())
				}
			})
		})
	}
}

func TestModeChoosesTheSource(t *testing.T) {
	t.Parallel()
	o := msgraph.CredentialOptions{Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID}
	all := msgraph.Auth{Secrets: msgraph.FixedSecret(secret), Certificates: new(kept), WebIdentity: new(provider).token}
	for _, mode := range directory.AuthModes() {
		all.Mode = mode
		if _, err := msgraph.NewCredential(o, all); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if _, err := msgraph.NewCredential(o, msgraph.Auth{Mode: mode}); err == nil || !strings.Contains(err.Error(), string(mode)) {
			t.Errorf("%s without a source: %v", mode, err)
		}
	}
	all.Mode = "password"
	if _, err := msgraph.NewCredential(o, all); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("an unknown mode: %v", err)
	}
}
