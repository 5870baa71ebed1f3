package rotation_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

func TestDecodeClientSecret(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		stored string
		want   rotation.ClientSecret
		fault  bool
	}{
		"by hand":      {stored: `{"clientSecret":"a8Q~"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
		"by rotation":  {stored: `{"clientSecret":"a8Q~","keyId":"k","expires":"2027-05-21T00:00:00Z"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~"), KeyID: "k", Expires: end}},
		"with a note":  {stored: `{"clientSecret":"a8Q~","note":["x"]}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
		"plain":        {stored: canary, fault: true},
		"empty":        {stored: `{"clientSecret":""}`, fault: true},
		"another time": {stored: `{"clientSecret":"a8Q~","keyId":"k","expires":"soon"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~"), KeyID: "k"}},
		"a number":     {stored: `{"clientSecret":"a8Q~","expires":20270521}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rotation.DecodeClientSecret(directory.NewSecret(test.stored))
			if (err != nil) != test.fault || err != nil && strings.Contains(err.Error(), canary) {
				t.Fatalf("error %v", err)
			}
			if got.Text.Reveal() != test.want.Text.Reveal() || got.KeyID != test.want.KeyID || !got.Expires.Equal(test.want.Expires) {
				t.Errorf("got key id %q until %v", got.KeyID, got.Expires)
			}
			if test.fault {
				return
			}
			encoded, err := got.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := rotation.DecodeClientSecret(encoded); err != nil || again.KeyID != got.KeyID || again.Text.Reveal() != got.Text.Reveal() {
				t.Errorf("encoded and decoded it is another: %v", err)
			}
		})
	}
}

// pair returns a certificate and its key in PEM.
func pair(t *testing.T) (certificate, key string, der []byte) {
	t.Helper()
	w := &world{t: t}
	c := w.certificate("pair")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(pool()[0])
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", c.Raw), block("PRIVATE KEY", pkcs8), c.Raw
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestDecodeCertificate(t *testing.T) {
	t.Parallel()
	certificate, key, der := pair(t)
	other, err := x509.MarshalPKCS8PrivateKey(pool()[1])
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, _ := x509.MarshalPKCS8PrivateKey(curve)
	for name, test := range map[string]struct {
		stored map[string]any
		fault  string
	}{
		"two members":        {stored: map[string]any{"certificate": certificate, "privateKey": key}},
		"one text":           {stored: map[string]any{"certificate": key + certificate}},
		"PKCS #1":            {stored: map[string]any{"certificate": certificate, "privateKey": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(pool()[0]))}},
		"no line break":      {stored: map[string]any{"certificate": strings.TrimSpace(certificate), "privateKey": key}},
		"another time":       {stored: map[string]any{"certificate": certificate, "privateKey": key, "expires": "soon"}},
		"PFX":                {stored: map[string]any{"pfx": der, "password": "p"}},
		"PFX, wrong":         {stored: map[string]any{"pfx": der, "password": canary}, fault: "can't be opened"},
		"both":               {stored: map[string]any{"certificate": certificate, "pfx": der}, fault: "of the form"},
		"neither":            {stored: map[string]any{"privateKey": key}, fault: "of the form"},
		"no key":             {stored: map[string]any{"certificate": certificate}, fault: "PEM"},
		"no certificate":     {stored: map[string]any{"certificate": key}, fault: "PEM"},
		"another's key":      {stored: map[string]any{"certificate": certificate, "privateKey": block("PRIVATE KEY", other)}, fault: "does not belong"},
		"encrypted":          {stored: map[string]any{"certificate": certificate, "privateKey": block("ENCRYPTED PRIVATE KEY", other)}, fault: "encrypted"},
		"not RSA":            {stored: map[string]any{"certificate": certificate, "privateKey": block("PRIVATE KEY", curveDER)}, fault: "PEM"},
		"broken key":         {stored: map[string]any{"certificate": certificate, "privateKey": block("PRIVATE KEY", []byte(canary))}, fault: "PEM"},
		"broken PKCS #1":     {stored: map[string]any{"certificate": certificate, "privateKey": block("RSA PRIVATE KEY", []byte(canary))}, fault: "PEM"},
		"broken certificate": {stored: map[string]any{"certificate": block("CERTIFICATE", []byte(canary)), "privateKey": key}, fault: "PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rotation.DecodeCertificate(directory.NewSecret(encode(test.stored)), openPFX)
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) || strings.Contains(err.Error(), canary) {
					t.Errorf("error %v, want %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := got.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := rotation.DecodeCertificate(encoded, nil)
			if err != nil || again.Thumbprint() != got.Thumbprint() || len(again.Chain()) != 1 {
				t.Errorf("encoded and decoded it is another: %v", err)
			}
		})
	}
	if _, err := rotation.DecodeCertificate(directory.NewSecret(encode(map[string]any{"pfx": der})), nil); err == nil {
		t.Error("a PFX is accepted that nobody can open")
	}
}

// openPFX stands for what opens a PFX with the password "p".
func openPFX(pfx []byte, password directory.Secret) ([]*x509.Certificate, crypto.Signer, error) {
	if password.Reveal() != "p" {
		return nil, nil, errors.New(password.Reveal())
	}
	c, err := x509.ParseCertificate(pfx)
	return []*x509.Certificate{c}, pool()[0], err
}

func TestNeverPrinted(t *testing.T) {
	t.Parallel()
	certificate, key, _ := pair(t)
	text := encode(map[string]string{"certificate": certificate, "privateKey": key})
	c, err := rotation.DecodeCertificate(directory.NewSecret(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := directory.NewSecret(canary)
	primes := fmt.Sprint(pool()[0].Primes[0])
	for name, value := range map[string]any{
		"secret":             secret,
		"map":                map[directory.Secret]directory.Secret{secret: secret},
		"version":            rotation.Version{Value: secret},
		"client secret":      rotation.ClientSecret{Text: secret},
		"password":           &directory.Password{Text: secret},
		"unexported":         struct{ hidden directory.Secret }{secret},
		"certificate":        c,
		"hidden certificate": struct{ hidden rotation.Certificate }{c},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%40v"} {
				fmt.Fprintf(&out, verb+"\n", value)
			}
			for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
				slog.New(handler).Info("value", "value", value)
			}
			if err := json.NewEncoder(&out).Encode(value); err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), primes, "PRIVATE KEY"} {
				if strings.Contains(out.String(), form) {
					t.Errorf("%q appears in:\n%s", form, out.String())
				}
			}
		})
	}
	if fmt.Sprint(secret, c) != "[redacted] [redacted]" || secret.String()+c.String() != "[redacted][redacted]" {
		t.Error("redacted is not said")
	}
}

// Whatever is stored is decoded or refused, and never told.
func FuzzDecode(f *testing.F) {
	f.Add(`{"clientSecret":"x","keyId":"k","expires":"2027-05-21T00:00:00Z"}`)
	f.Add(`{"certificate":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n","privateKey":""}`)
	f.Add(`{"clientSecret":"x","expires":"9999-12-31T23:59:59-01:00"}`)
	f.Add(`{"pfx":"AAAA","password":"p"}`)
	f.Fuzz(func(t *testing.T, stored string) {
		value := directory.NewSecret(stored)
		if c, err := rotation.DecodeClientSecret(value); err == nil {
			encoded, err := c.Encode()
			if err != nil {
				return // its time is after the year 9999 in UTC
			}
			if again, err := rotation.DecodeClientSecret(encoded); err != nil || again.Text.Reveal() != c.Text.Reveal() {
				t.Errorf("encoded and decoded it is another: %v", err)
			}
		}
		if c, err := rotation.DecodeCertificate(value, nil); err == nil && c.Signer() == nil {
			t.Error("a certificate without a key")
		}
	})
}
