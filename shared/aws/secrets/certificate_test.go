package secrets_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

// password opens the PFX files of these tests. No error may tell it.
const password = "c4nary-password"

// expires is when the certificates of these tests do.
var expires = time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)

// rsaKey is the app's, and issuerKey that of who issued its certificate. They are made
// once for the process: that costs time.
var rsaKey, issuerKey = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// certify makes a certificate that its own key signs.
func certify(t *testing.T, name string, key crypto.Signer) *x509.Certificate {
	t.Helper()
	return issue(t, name, key, nil, key)
}

// issue makes a certificate that the issuer's key signs.
func issue(t *testing.T, name string, key crypto.Signer, issuer *x509.Certificate, with crypto.Signer) *x509.Certificate {
	t.Helper()
	template := x509test.Template(name, expires.AddDate(-1, 0, 0), expires)
	template.IsCA, template.BasicConstraintsValid = true, true
	return x509test.Issue(t, template, key, issuer, with)
}

// inPEM is a block of PEM.
func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// document is a secret's text.
func document(t *testing.T, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pfx is a PFX that an encoder of the library makes. The certificates stand in it in
// the order given.
func pfx(t *testing.T, encoder *pkcs12.Encoder, key any, certificates ...*x509.Certificate) []byte {
	t.Helper()
	file, err := encoder.Encode(key, certificates[0], certificates[1:], password)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// negative is a certificate in DER whose serial number, 1, was made negative.
func negative(c *x509.Certificate) []byte {
	der := bytes.Clone(c.Raw)
	serial := []byte{0xa0, 3, 2, 1, 2, 2, 1, 1} // version 3, serial number 1
	der[bytes.Index(der, serial)+len(serial)-1] = 0xff
	return der
}

// passwordless is a PFX in clear, which OpenSSL's -nomac makes.
func passwordless(t *testing.T, certificate *x509.Certificate) []byte {
	t.Helper()
	file, err := pkcs12.Passwordless.Encode(rsaKey(), certificate, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// trustStore is a PFX that holds a certificate and no key, as Java writes one.
func trustStore(t *testing.T, certificate *x509.Certificate) []byte {
	t.Helper()
	file, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{certificate}, password)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// made is a PFX that OpenSSL has made: openssl pkcs12 -export.
func made(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// stored makes a manager that holds a text, over the real client of the SDK.
func stored(t *testing.T, text string) secrets.Manager {
	t.Helper()
	return serve(t, map[string]string{"AWSCURRENT": document(t, map[string]any{"SecretString": text})})
}

func TestCertificate(t *testing.T) { //nolint:funlen // one table
	t.Parallel()
	issuer := certify(t, "issuer", issuerKey())
	leaf := issue(t, "leaf", rsaKey(), issuer, issuerKey())
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := inPEM("CERTIFICATE", leaf.Raw), inPEM("PRIVATE KEY", pkcs8)
	withPassword := func(file []byte) map[string]any { return map[string]any{"pfx": file, "password": password} }
	tests := []struct {
		name   string
		fields map[string]any
		chain  int
		fault  string
	}{
		{"PEM", map[string]any{"certificate": certificate, "privateKey": key}, 1, ""},
		{"PEM with its issuer", map[string]any{"certificate": certificate + inPEM("CERTIFICATE", issuer.Raw), "privateKey": key}, 2, ""},
		{"PEM, issuer first", map[string]any{"certificate": inPEM("CERTIFICATE", issuer.Raw) + certificate, "privateKey": key}, 2, ""},
		{"PFX, today's encryption", withPassword(pfx(t, pkcs12.Modern, rsaKey(), leaf)), 1, ""},
		{"PFX, older encryption", withPassword(pfx(t, pkcs12.LegacyDES, rsaKey(), leaf, issuer)), 2, ""},
		{"PFX, issuer first", withPassword(pfx(t, pkcs12.Modern, rsaKey(), issuer, leaf)), 2, ""},
		{"PFX, oldest encryption", withPassword(pfx(t, pkcs12.LegacyRC2, rsaKey(), leaf)), 1, ""},
		{"PFX of OpenSSL 3", withPassword(made(t, "openssl3.pfx.txt")), 1, ""},
		{"PFX of OpenSSL 1", withPassword(made(t, "openssl1.pfx.txt")), 1, ""},
		{"PFX without its password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey(), leaf)}, 0, "its PFX can't be used: the password beside it does not open it"},
		{"PFX with another password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey(), leaf), "password": password + "x"}, 0, "password beside it does not open it"},
		{"PFX of the issuer alone", withPassword(pfx(t, pkcs12.Modern, rsaKey(), issuer)), 0, "belongs to none of its certificates"},
		{"PFX with two of one key", withPassword(pfx(t, pkcs12.Modern, rsaKey(), leaf, certify(t, "renewed", rsaKey()))), 0, "belongs to several of its certificates"},
		{"PFX without a key", withPassword(trustStore(t, leaf)), 0, "no private key"},
		{"PFX without a certificate", withPassword(made(t, "no-certificate.pfx.txt")), 0, "no certificate"},
		{"PFX with an elliptic key", withPassword(pfx(t, pkcs12.Modern, curve, certify(t, "curve", curve))), 0, "not an RSA key"},
		{"PFX, unknown encryption", withPassword(made(t, "camellia.pfx.txt")), 0, "AES"},
		{"PFX that is none", withPassword([]byte(key)), 0, "damaged"},
		{"PEM with blanks", map[string]any{"certificate": strings.ReplaceAll(certificate, "\n", " "), "privateKey": strings.ReplaceAll(key, "\n", " ")}, 1, ""},
		{"PEM with line breaks in letters", map[string]any{"certificate": strings.ReplaceAll(certificate, "\n", `\n`), "privateKey": strings.ReplaceAll(key, "\n", `\r\n`)}, 1, ""},
		{"PEM with an indent", map[string]any{"certificate": strings.ReplaceAll(certificate, "\n", "\n    "), "privateKey": strings.ReplaceAll(key, "\n", "\n\t")}, 1, ""},
		{"PEM, issuer unreadable", map[string]any{"certificate": inPEM("CERTIFICATE", negative(issuer)) + certificate, "privateKey": key}, 1, ""},
		{"PEM, leaf unreadable", map[string]any{"certificate": inPEM("CERTIFICATE", negative(leaf)), "privateKey": key}, 0, "negative serial"},
		{"PFX, issuer unreadable", withPassword(pfx(t, pkcs12.Modern, rsaKey(), leaf, &x509.Certificate{Raw: negative(issuer)})), 1, ""},
		{"PFX, leaf unreadable", withPassword(pfx(t, pkcs12.Modern, rsaKey(), &x509.Certificate{Raw: negative(leaf)})), 0, "negative serial"},
		{"PFX without a MAC", withPassword(passwordless(t, leaf)), 0, "MAC"},
		{"PFX in the armour of a certificate", map[string]any{"pfx": inPEM("CERTIFICATE", pfx(t, pkcs12.Modern, rsaKey(), leaf)), "password": password}, 1, ""},
		{"PFX that is not base64", map[string]any{"pfx": "c4nary!"}, 0, "base64"},
		{"another key", map[string]any{"certificate": certificate, "privateKey": inPEM("PRIVATE KEY", pkcs8[:100])}, 0, "PEM"},
		{"no key", map[string]any{"certificate": certificate}, 0, "no private key"},
		{"encrypted key", map[string]any{"certificate": certificate, "privateKey": inPEM("ENCRYPTED PRIVATE KEY", pkcs8)}, 0, "encrypted"},
		{"a client secret", map[string]any{"clientSecret": "c4nary-secret"}, 0, "of the form"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			source := secrets.NewCertificate(config(t, stored(t, document(t, test.fields)), io.Discard))
			chain, signer, err := source.Certificate(t.Context(), false)
			checkFault(t, err, test.fault)
			if err != nil && strings.Contains(err.Error(), "c4nary") || len(chain) != test.chain || (signer == nil) != (err != nil) {
				t.Errorf("%d certificates, error %v", len(chain), err)
			}
			if test.fault != "" {
				return
			}
			if public, ok := signer.Public().(*rsa.PublicKey); !ok || !public.Equal(chain[0].PublicKey) {
				t.Error("the first certificate is not the key's")
			}
			if ends, err := source.Expires(t.Context()); err != nil || !ends.Equal(chain[0].NotAfter) {
				t.Errorf("expires %s, %v", ends, err)
			}
		})
	}
}

// Entra refuses the certificate, so the copy is of no use.
func TestFreshCertificate(t *testing.T) {
	t.Parallel()
	text := func(name string) string { return x509test.Stored(t, certify(t, name, rsaKey()), rsaKey()) }
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put(text("first"))
		s := secrets.NewCertificate(config(t, m, io.Discard))
		ask := func(fresh bool, want string, requests int) {
			t.Helper()
			chain, _, err := s.Certificate(t.Context(), fresh)
			if err != nil || chain[0].Subject.CommonName != want {
				t.Errorf("%v, want %s", err, want)
			}
			expectRequests(t, m, requests)
		}
		ask(false, "first", 1)
		m.put(text("second"))
		time.Sleep(time.Second)
		ask(false, "first", 0)
		ask(true, "second", 1)
		m.set(true, 0)
		time.Sleep(time.Second)
		if chain, signer, err := s.Certificate(t.Context(), true); err == nil || chain != nil || signer != nil {
			t.Errorf("%v, %v, %v from a manager that is down", chain, signer, err)
		}
	})
}

// What is stored beside the client secret tells when it expires.
func TestClientSecretExpires(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stored string
		want   time.Time
	}{
		"made by a rotation": {`{"clientSecret":"a8Q~","keyId":"k","expires":"2027-05-21T00:00:00Z"}`, expires},
		"made by hand":       {`{"clientSecret":"a8Q~"}`, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := secrets.NewClientSecret(config(t, stored(t, test.stored), io.Discard))
			if got, err := s.Expires(t.Context()); err != nil || !got.Equal(test.want) {
				t.Errorf("expires %s, %v, want %s", got, err, test.want)
			}
		})
	}
	s := secrets.NewClientSecret(config(t, stored(t, `{}`), io.Discard))
	if _, err := s.Expires(t.Context()); err == nil {
		t.Error("no error for a secret that is none")
	}
}
