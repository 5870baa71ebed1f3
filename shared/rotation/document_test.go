package rotation_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

func TestDecodeClientSecret(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		stored string
		want   rotation.ClientSecret
		fault  string
	}{
		"by hand":      {stored: `{"clientSecret":"a8Q~"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
		"by rotation":  {stored: `{"clientSecret":"a8Q~","keyId":"k","expires":"2027-05-21T00:00:00Z"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~"), KeyID: "k", Expires: end}},
		"with a note":  {stored: `{"clientSecret":"a8Q~","note":["x"]}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
		"plain":        {stored: canary, fault: "of the form"},
		"empty":        {stored: `{"clientSecret":""}`, fault: "of the form"},
		"another time": {stored: `{"clientSecret":"a8Q~","keyId":"k","expires":"soon"}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~"), KeyID: "k", BadExpires: true}},
		"a number":     {stored: `{"clientSecret":"a8Q~","expires":20270521}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~"), BadExpires: true}},
		"no time":      {stored: `{"clientSecret":"a8Q~","expires":null}`, want: rotation.ClientSecret{Text: directory.NewSecret("a8Q~")}},
		"a blank":      {stored: `{"clientSecret":"` + canary + ` "}`, fault: "blanks"},
		"a line break": {stored: `{"clientSecret":"` + canary + `\n"}`, fault: "blanks"},
		"not ASCII":    {stored: `{"clientSecret":"` + canary + `é"}`, fault: "blanks"},
		"secret ID":    {stored: `{"clientSecret":"0f1e2d3c-4B5a-6978-8796-a5b4c3d2e1f0"}`, fault: "secret ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rotation.DecodeClientSecret(directory.NewSecret(test.stored))
			if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) ||
				err != nil && strings.Contains(err.Error(), canary) {
				t.Fatalf("error %v, want %q", leaktest.Seen(t, err), test.fault)
			}
			if got.Text.Reveal() != test.want.Text.Reveal() || got.KeyID != test.want.KeyID ||
				!got.Expires.Equal(test.want.Expires) || got.BadExpires != test.want.BadExpires {
				t.Errorf("got key id %q until %v, not to be read %t", got.KeyID, got.Expires, got.BadExpires)
			}
			if test.fault != "" {
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
	certificate, key = x509test.PEM(t, c, pool()[0])
	return certificate, key, c.Raw
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
	sec1, _ := x509.MarshalECPrivateKey(curve)
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
		"PFX, wrong":         {stored: map[string]any{"pfx": der, "password": canary}, fault: "its PFX can't be used: that is not its password"},
		"both":               {stored: map[string]any{"certificate": certificate, "pfx": der}, fault: "of the form"},
		"neither":            {stored: map[string]any{"privateKey": key}, fault: "of the form"},
		"no PEM":             {stored: map[string]any{"certificate": canary}, fault: "PEM"},
		"no key":             {stored: map[string]any{"certificate": certificate}, fault: "no private key"},
		"no certificate":     {stored: map[string]any{"certificate": key}, fault: "no certificate"},
		"another's key":      {stored: map[string]any{"certificate": certificate, "privateKey": block("PRIVATE KEY", other)}, fault: "belongs to none"},
		"the key twice":      {stored: map[string]any{"certificate": key + certificate, "privateKey": key}},
		"two keys":           {stored: map[string]any{"certificate": certificate, "privateKey": key + block("PRIVATE KEY", other)}, fault: "several private keys"},
		"encrypted":          {stored: map[string]any{"certificate": certificate, "privateKey": block("ENCRYPTED PRIVATE KEY", other)}, fault: "encrypted"},
		"not RSA":            {stored: map[string]any{"certificate": certificate, "privateKey": block("PRIVATE KEY", curveDER)}, fault: "not an RSA key"},
		"not RSA, SEC 1":     {stored: map[string]any{"certificate": certificate, "privateKey": block("EC PRIVATE KEY", sec1)}, fault: "not an RSA key"},
		"parameters before":  {stored: map[string]any{"certificate": certificate, "privateKey": block("EC PARAMETERS", []byte(canary)) + block("EC PRIVATE KEY", sec1)}, fault: "not an RSA key"},
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

// issue makes a certificate for one of the keys, signed by the issuer with its own; a
// nil issuer means the key itself.
func issue(t *testing.T, serial int64, key *rsa.PrivateKey, issuer *x509.Certificate, issuerKey *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := x509test.Template("issued", time.Now().Add(-time.Hour), never())
	template.SerialNumber = big.NewInt(serial)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	return x509test.Issue(t, template, key, issuer, issuerKey)
}

// In whatever order the certificates are stored, the one that belongs to the key is
// the app's, and those that issued it follow.
func TestCertificateIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	keys := pool()
	root := issue(t, 1, keys[2], nil, nil)
	between := issue(t, 2, keys[1], root, keys[2])
	leaf := issue(t, 3, keys[0], between, keys[1])
	renewed, stranger := issue(t, 4, keys[0], between, keys[1]), issue(t, 5, keys[3], nil, nil)
	type certificates = []*x509.Certificate
	for name, test := range map[string]struct {
		key         crypto.Signer
		found, want certificates
		fault       string
	}{
		"alone":                 {keys[0], certificates{leaf}, certificates{leaf}, ""},
		"in order":              {keys[0], certificates{leaf, between, root}, certificates{leaf, between, root}, ""},
		"root first":            {keys[0], certificates{root, between, leaf}, certificates{leaf, between, root}, ""},
		"between":               {keys[0], certificates{between, leaf, root}, certificates{leaf, between, root}, ""},
		"twice":                 {keys[0], certificates{root, leaf, root, leaf}, certificates{leaf}, ""},
		"with another's":        {keys[0], certificates{stranger, leaf, between}, certificates{leaf, between}, ""},
		"none":                  {keys[0], nil, nil, "no certificate"},
		"none that belongs":     {keys[0], certificates{root, between}, nil, "belongs to none of its certificates"},
		"several that belong":   {keys[0], certificates{root, leaf, renewed}, nil, "belongs to several of its certificates"},
		"no key":                {nil, certificates{leaf}, nil, "no private key"},
		"a key that is not RSA": {ed25519.NewKeyFromSeed(make([]byte, 32)), certificates{leaf}, nil, "not an RSA key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parse := func([]byte, directory.Secret) ([]*x509.Certificate, crypto.Signer, error) {
				return test.found, test.key, nil
			}
			got, err := rotation.DecodeCertificate(directory.NewSecret(`{"pfx":"AAAA"}`), parse)
			if test.fault != "" {
				if leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("error %v, want %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got.Chain(), test.want, (*x509.Certificate).Equal) || got.Leaf() != got.Chain()[0] {
				t.Errorf("%d certificates, or in another order", len(got.Chain()))
			}
		})
	}
}

var errPassword = errors.New("that is not its password")

// openPFX stands for what opens a PFX with the password "p".
func openPFX(pfx []byte, password directory.Secret) ([]*x509.Certificate, crypto.Signer, error) {
	if password.Reveal() != "p" {
		return nil, nil, errPassword
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

// Whatever is stored is decoded or refused, and never told. What is decoded can be sent.
func FuzzDecode(f *testing.F) {
	f.Add(`{"clientSecret":"x","keyId":"k","expires":"2027-05-21T00:00:00Z"}`)
	f.Add(`{"certificate":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n","privateKey":""}`)
	f.Add(`{"clientSecret":"x","expires":"9999-12-31T23:59:59-01:00"}`)
	for _, stored := range []string{
		`{"clientSecret":"abc8Q~x","expires":1}`, `{"clientSecret":" "}`, `{"clientSecret":"\u0000"}`, `{"clientSecret":1}`,
		`{"clientSecret":"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}`, `null`, `[]`, ``, `{`, "\xff",
	} {
		f.Add(stored)
	}
	f.Add(`{"pfx":"AAAA","password":"p"}`)
	f.Fuzz(func(t *testing.T, stored string) {
		value := directory.NewSecret(stored)
		if c, err := rotation.DecodeClientSecret(value); err == nil {
			unsendable := func(r rune) bool { return r <= ' ' || r > '~' }
			if text := c.Text.Reveal(); text == "" || strings.ContainsFunc(text, unsendable) {
				t.Errorf("got %q as a secret", text)
			}
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
