package x509test_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 5, 21, 0, 0, 0, 0, time.UTC)
	rootKey, leafKey := ed25519.NewKeyFromSeed(make([]byte, 32)), ed25519.NewKeyFromSeed([]byte("another key, also of 32 octets ."))
	template := x509test.Template("root", from, from.AddDate(1, 0, 0))
	template.IsCA, template.BasicConstraintsValid = true, true
	root := x509test.Issue(t, template, rootKey, nil, leafKey) // whose key is not looked at
	if err := root.CheckSignatureFrom(root); err != nil {
		t.Errorf("without an issuer it is not self-signed: %v", err)
	}
	leaf := x509test.Issue(t, x509test.Template("leaf", from, from.AddDate(0, 1, 0)), leafKey, root, rootKey)
	if err := leaf.CheckSignatureFrom(root); err != nil {
		t.Errorf("the issuer has not signed it: %v", err)
	}
	if !leafKey.Public().(ed25519.PublicKey).Equal(leaf.PublicKey) {
		t.Error("it is not the certificate of its key")
	}
	if leaf.Subject.CommonName != "leaf" || leaf.Issuer.CommonName != "root" || leaf.SerialNumber.Int64() != 1 ||
		!leaf.NotBefore.Equal(from) || !leaf.NotAfter.Equal(from.AddDate(0, 1, 0)) {
		t.Errorf("%s, issued by %s, serial number %s, is good from %s until %s", leaf.Subject, leaf.Issuer, leaf.SerialNumber, leaf.NotBefore, leaf.NotAfter)
	}
}

func TestPEM(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	certificate := x509test.Issue(t, x509test.Template("app", time.Time{}, time.Now().Add(time.Hour)), key, nil, nil)
	certificatePEM, keyPEM := x509test.PEM(t, certificate, key)
	pair, err := tls.X509KeyPair([]byte(certificatePEM), []byte(keyPEM))
	if err != nil || len(pair.Certificate) != 1 || !certificate.Equal(pair.Leaf) {
		t.Errorf("read as %v with %v", pair.Leaf, err)
	}
}
