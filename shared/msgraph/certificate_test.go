package msgraph_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// byCertificate signs in with the certificates of a source.
func byCertificate(source msgraph.CertificateSource) msgraph.Auth {
	return msgraph.Auth{Mode: directory.AuthCertificate, Certificates: source}
}

func bySecret(source msgraph.SecretSource) msgraph.Auth {
	return msgraph.Auth{Mode: directory.AuthClientSecret, Secrets: source}
}

// A certificate signs in, with those that issued it behind it, and is read once.
func TestCertificateSignsIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		keys := rsaKeys()
		root := certify(t, "root", keys[1], time.Now(), nil, nil)
		leaf := certify(t, "leaf", keys[0], time.Now(), root, keys[1])
		graph.app.AddCertificate(leaf.Raw)
		source := &certificateSource{kept: pairOf(keys[0], leaf, root)}
		client := graph.signedInAs(t, byCertificate(source), nil)
		for range 3 {
			mustRead(t, client, userIDs(1))
			time.Sleep(2 * time.Hour) // longer than a token lives
		}
		source.check(t, false)
		if n := graph.server.Counts().Tokens; n != 3 {
			t.Errorf("%d requests for a token, want 3", n)
		}
	})
}

// The first certificate is the one that signs in, whatever stands behind it: another
// for the same key, or one that issued something else.
func TestFirstCertificateSignsIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		keys := rsaKeys()
		leaf := certify(t, "leaf", keys[0], time.Now(), nil, nil)
		graph.app.AddCertificate(leaf.Raw)
		source := &certificateSource{kept: pairOf(keys[0], leaf,
			certify(t, "renewed", keys[0], time.Now(), nil, nil), certify(t, "stranger", keys[1], time.Now(), nil, nil))}
		mustRead(t, graph.signedInAs(t, byCertificate(source), nil), userIDs(1))
		source.check(t, false)
	})
}

// A certificate that is out of its time may be a copy of one that was replaced. Before
// anybody is refused, it is read anew, once.
func TestCertificateOutOfTimeIsReadAnew(t *testing.T) {
	const year = 366 * 24 * time.Hour
	for name, from := range map[string]time.Duration{"expired": -year, "not yet good": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
				keys := rsaKeys()
				useless := pairOf(keys[0], certify(t, "useless", keys[0], time.Now().Add(from), nil, nil))
				good := certify(t, "good", keys[1], time.Now(), nil, nil)
				graph.app.AddCertificate(good.Raw)
				source := &certificateSource{kept: useless, stored: useless}
				client := graph.signedInAs(t, byCertificate(source), nil)
				if err := burst(t.Context(), client, 1)[0]; !errors.Is(leaktest.Seen(t, err), directory.ErrCertificateTime) {
					t.Errorf("error %v", err)
				}
				source.check(t, false, true)

				source.stored = pairOf(keys[1], good)
				mustRead(t, client, userIDs(1))
				mustRead(t, client, userIDs(1))
				source.check(t, false, true, false, true)
				if n := graph.server.Counts().Tokens; n != 1 {
					t.Errorf("%d requests for a token, want 1", n)
				}
			})
		})
	}
}

// A certificate that was replaced, or has expired, costs a burst of calls one reload.
func TestCertificateIsReplaced(t *testing.T) {
	for name, later := range map[string]time.Duration{"removed": 2 * time.Hour, "expired": 400 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
				keys := rsaKeys()
				before := certify(t, "before", keys[0], time.Now(), nil, nil)
				after := certify(t, "after", keys[1], time.Now().Add(later), nil, nil)
				graph.app.AddCertificate(before.Raw)
				source := &certificateSource{kept: pairOf(keys[0], before), stored: pairOf(keys[1], after)}
				client := graph.signedInAs(t, byCertificate(source), nil)
				mustRead(t, client, userIDs(1))
				time.Sleep(later)
				if name == "removed" {
					graph.app.RemoveCertificates()
				}
				graph.app.AddCertificate(after.Raw)
				graph.slowly()
				count := graph.server.Counts().Tokens
				if err := errors.Join(burst(t.Context(), client, 20)...); err != nil {
					t.Errorf("20 calls: %v", err)
				}
				source.check(t, false, true)
				if n := graph.server.Counts().Tokens - count; n != 2 {
					t.Errorf("%d requests for a token, want 2", n)
				}
			})
		})
	}
}

// Entra's refusal names the certificate by what the portal shows of it.
func TestCertificateIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		leaf := certify(t, "leaf", rsaKeys()[0], time.Now(), nil, nil)
		both := pairOf(rsaKeys()[0], leaf)
		source := &certificateSource{kept: both, stored: both}
		err := burst(t.Context(), graph.signedInAs(t, byCertificate(source), nil), 1)[0]
		e := graphError(t, err)
		if e.Operation != "token" || e.Code != "AADSTS700027" || !e.NotDone {
			t.Errorf("error %+v", e)
		}
		shown, ok := errors.AsType[*directory.PresentedCertificate](leaktest.Seen(t, err))
		if !ok || len(shown.Thumbprint) != 40 || !shown.Expires.Equal(leaf.NotAfter) {
			t.Errorf("presented %+v", shown)
		}
		source.check(t, false, true)
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
	now := func(d time.Duration) time.Time { return time.Now().Add(d) }
	tests := map[string]struct {
		make func(t *testing.T) pair
		says string
	}{
		"none": {func(*testing.T) pair { return pair{} }, "there is none"},
		"no key": {func(t *testing.T) pair {
			return pair{chain: pairOf(nil, certify(t, "a", keys[0], now(0), nil, nil)).chain}
		}, "there is none"},
		"elliptic":    {func(t *testing.T) pair { return pair{chainOf(certify(t, "a", ec, now(0), nil, nil)), ec} }, "RSA key"},
		"short":       {func(t *testing.T) pair { return pairOf(short, certify(t, "a", short, now(0), nil, nil)) }, "2048"},
		"another key": {func(t *testing.T) pair { return pairOf(keys[1], certify(t, "a", keys[0], now(0), nil, nil)) }, "does not belong"},
		"issuer comes first": {func(t *testing.T) pair {
			root := certify(t, "root", keys[1], now(0), nil, nil)
			return pairOf(keys[0], root, certify(t, "a", keys[0], now(0), root, keys[1]))
		}, "does not belong"},
		"expired": {func(t *testing.T) pair {
			return pairOf(keys[0], certify(t, "a", keys[0], now(-366*24*time.Hour), nil, nil))
		}, "good from 1998-12-31"},
		"not yet good": {func(t *testing.T) pair { return pairOf(keys[0], certify(t, "a", keys[0], now(time.Hour), nil, nil)) }, "good from 2000-01-01T01:00:00Z"},
	}
	for _, name := range sorted(tests) {
		test := tests[name]
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
				made := test.make(t)
				source := &certificateSource{kept: made, stored: made}
				for _, c := range source.kept.chain {
					graph.app.AddCertificate(c.Raw)
				}
				e := graphError(t, burst(t.Context(), graph.signedInAs(t, byCertificate(source), nil), 1)[0])
				if e.Operation != "certificate" || !e.NotDone || e.StatusCode != 0 || !strings.Contains(leaktest.Seen(t, e).Error(), test.says) {
					t.Errorf("error %v, %+v", e, e)
				}
				if got := graph.server.Counts(); got.Tokens+got.HTTP != 0 {
					t.Errorf("counts %+v", got)
				}
			})
		})
	}
}

func chainOf(chain ...*x509.Certificate) []*x509.Certificate { return chain }

// A source that fails is an error of its own, also where Entra's refusal was why it
// was asked.
func TestCertificateSourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &certificateSource{err: errDenied}
		client := graph.signedInAs(t, byCertificate(source), nil)
		e := graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "certificate" || !errors.Is(leaktest.Seen(t, e), errDenied) || !strings.Contains(e.Error(), "may read it") {
			t.Errorf("error %v", e)
		}
		source.check(t, false)
	})
}
