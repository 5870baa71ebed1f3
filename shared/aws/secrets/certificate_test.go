package secrets_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

// password opens the PFX files of these tests. No error may tell it.
const password = "c4nary-password"

// expires is when the certificates of these tests do.
var expires = time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)

// rsaKey is made once for the process: it costs time.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func certify(t *testing.T, name string, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: expires.AddDate(-1, 0, 0), NotAfter: expires}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
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

// pfx is a PFX that an encoder of the library makes.
func pfx(t *testing.T, encoder *pkcs12.Encoder, key any, issuers ...*x509.Certificate) []byte {
	t.Helper()
	signer, _ := key.(crypto.Signer)
	file, err := encoder.Encode(key, certify(t, "leaf", signer), issuers, password)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// made is a PFX that OpenSSL has made.
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

func TestCertificate(t *testing.T) {
	t.Parallel()
	leaf, other := certify(t, "leaf", rsaKey()), certify(t, "issuer", rsaKey())
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
		{"PEM with its issuer", map[string]any{"certificate": certificate + inPEM("CERTIFICATE", other.Raw), "privateKey": key}, 2, ""},
		{"PFX, today's encryption", withPassword(pfx(t, pkcs12.Modern, rsaKey())), 1, ""},
		{"PFX, older encryption", withPassword(pfx(t, pkcs12.LegacyDES, rsaKey(), other)), 2, ""},
		{"PFX, oldest encryption", withPassword(pfx(t, pkcs12.LegacyRC2, rsaKey())), 1, ""},
		{"PFX of OpenSSL 3", withPassword(made(t, "openssl3.pfx.txt")), 1, ""},
		{"PFX of OpenSSL 1", withPassword(made(t, "openssl1.pfx.txt")), 1, ""},
		{"PFX without its password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey())}, 0, "password"},
		{"PFX with another password", map[string]any{"pfx": pfx(t, pkcs12.Modern, rsaKey()), "password": password + "x"}, 0, "password"},
		{"PFX that is none", withPassword([]byte(key)), 0, "password"},
		{"another key", map[string]any{"certificate": certificate, "privateKey": inPEM("PRIVATE KEY", pkcs8[:100])}, 0, "PEM"},
		{"no key", map[string]any{"certificate": certificate}, 0, "PEM"},
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
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	text := func(name string) string {
		return document(t, map[string]any{
			"certificate": inPEM("CERTIFICATE", certify(t, name, rsaKey()).Raw), "privateKey": inPEM("PRIVATE KEY", pkcs8)})
	}
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
