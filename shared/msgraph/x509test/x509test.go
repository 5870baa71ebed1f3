// Package x509test makes certificates as tests need them: for a key that they have, good
// for as long as they say, and issued by whom they say.
package x509test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// Template describes a certificate that is good from a time until another, whose serial
// number is 1. What else a test needs, it sets.
func Template(commonName string, from, until time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: commonName},
		NotBefore: from, NotAfter: until,
	}
}

// Issue makes the certificate of a key, which the issuer has signed with its own. A nil
// issuer means that the certificate is self-signed; then issuerKey is not looked at.
func Issue(t testing.TB, template *x509.Certificate, key crypto.Signer, issuer *x509.Certificate, issuerKey crypto.Signer) *x509.Certificate {
	t.Helper()
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// PEM returns a certificate and its private key as text, the key in PKCS #8.
func PEM(t testing.TB, certificate *x509.Certificate, key crypto.Signer) (certificatePEM, keyPEM string) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}
