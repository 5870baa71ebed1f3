package secrets_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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

func TestCertificate(t *testing.T) {
	t.Parallel()
	issuer := certify(t, "issuer", issuerKey())
	leaf := issue(t, "leaf", rsaKey(), issuer, issuerKey())
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := x509test.PEM(t, leaf, rsaKey())
	issuerPEM, _ := x509test.PEM(t, issuer, issuerKey())
	curvePEM, curveKey := x509test.PEM(t, certify(t, "curve", curve), curve)
	inPFX := func(file []byte) map[string]any { return map[string]any{"pfx": file, "password": password} }
	tests := []struct {
		name   string
		fields map[string]any
		fault  string
	}{
		{"PEM", map[string]any{"certificate": certificate, "privateKey": key}, ""},
		{"PEM, key first", map[string]any{"certificate": key + certificate}, ""},
		{"PEM with its issuer", map[string]any{"certificate": certificate + issuerPEM, "privateKey": key}, ""},
		{"PFX, today's encryption", inPFX(pfx(t, pkcs12.Modern, rsaKey(), leaf, issuer)), ""},
		{"PFX, issuer first", inPFX(pfx(t, pkcs12.LegacyDES, rsaKey(), issuer, leaf)), ""},
		{"PFX of OpenSSL 3", inPFX(made(t, "openssl3.pfx.txt")), ""},
		{"PFX of OpenSSL 1", inPFX(made(t, "openssl1.pfx.txt")), ""},
		{"PFX without its password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey(), leaf)}, "can't be opened with the password beside it"},
		{"PFX with another password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey(), leaf), "password": "hunter2"}, "can't be opened with the password beside it"},
		{"PFX of the issuer alone", inPFX(pfx(t, pkcs12.Modern, rsaKey(), issuer)), "belongs to none of its certificates"},
		{"PFX without a key", inPFX(trustStore(t, leaf)), "its one private key"},
		{"PFX with an elliptic key", inPFX(pfx(t, pkcs12.Modern, curve, certify(t, "curve", curve))), "not an RSA key"},
		{"PFX that is none", inPFX([]byte(key)), "export"},
		{"PFX that is not base64", map[string]any{"pfx": "hunter2!"}, "base64"},
		{"another key", map[string]any{"certificate": issuerPEM, "privateKey": key}, "does not match"},
		{"elliptic key", map[string]any{"certificate": curvePEM, "privateKey": curveKey}, "not an RSA key"},
		{"line breaks lost", map[string]any{"certificate": strings.ReplaceAll(certificate+key, "\n", " ")}, "with all line breaks"},
		{"no key", map[string]any{"certificate": certificate}, "then the private key"},
		{"encrypted key", map[string]any{"certificate": certificate, "privateKey": strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE")}, "encrypted"},
		{"both forms", map[string]any{"certificate": certificate, "pfx": "hunter2"}, "of the form"},
		{"a client secret", map[string]any{"clientSecret": "hunter2"}, "of the form"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(test.fields)
			if err != nil {
				t.Fatal(err)
			}
			source := secrets.NewCertificate(config(holding(string(text)), io.Discard))
			chain, signer, err := source.Certificate(t.Context(), false)
			checkFault(t, err, test.fault)
			ends, expiryErr := source.Expires(t.Context())
			checkFault(t, expiryErr, test.fault)
			if test.fault != "" {
				if chain != nil || signer != nil {
					t.Errorf("%d certificates beside the error", len(chain))
				}
				return
			}
			public, ok := signer.Public().(*rsa.PublicKey)
			if !ok || len(chain) != 1 || !public.Equal(chain[0].PublicKey) || !ends.Equal(chain[0].NotAfter) {
				t.Errorf("%d certificates, the first until %s, said to expire %s", len(chain), chain[0].NotAfter, ends)
			}
		})
	}
}
