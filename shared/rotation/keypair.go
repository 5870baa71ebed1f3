package rotation

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra names certificates by it: RFC 7515, 4.1.7
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Certificate is the certificate that the app signs in with, and its private key, as
// a secret holds them, in one of two forms:
//
//	{"certificate":"PEM…","privateKey":"PEM…","expires":"…"}
//	{"pfx":"base64…","password":"…"}
//
// A rotation writes the first; the second, and the first without expires, are for
// what was made by hand. The certificate is the app's own, perhaps followed by those
// that issued it. The private key is in PKCS #8 or PKCS #1, not encrypted, and may
// also stand in the text of the certificate. A key id is not kept: the thumbprint
// does as well, and is known before the certificate is. A Certificate prints as
// "[redacted]".
type Certificate struct {
	chain []*x509.Certificate
	key   crypto.Signer
}

// ParsePFX opens a PFX (PKCS #12), which is encrypted with a password that may be
// empty. Its errors must not quote either.
type ParsePFX func(pfx []byte, password directory.Secret) ([]*x509.Certificate, crypto.Signer, error)

// certificateJSON is a Certificate as it is stored, and shown to nobody.
type certificateJSON struct {
	Certificate string `json:"certificate,omitempty"`
	PrivateKey  string `json:"privateKey,omitempty"`
	PFX         []byte `json:"pfx,omitempty"`
	Password    string `json:"password,omitempty"`
	Expires     expiry `json:"expires,omitzero"`
}

// expiry is the end of a credential as it is stored beside it. One that can't be read
// is none: nobody must be kept from signing in by it.
type expiry struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (e *expiry) UnmarshalJSON(text []byte) error {
	if e.Time.UnmarshalJSON(text) != nil {
		*e = expiry{}
	}
	return nil
}

// What is wrong with a certificate. No text quotes what it is about.
var (
	errCertificate = errors.New(`it must be JSON of the form {"certificate":"PEM","privateKey":"PEM"} or {"pfx":"base64","password":"…"}`)
	errPEM         = errors.New("its certificate or private key is not readable PEM")
	errEncrypted   = errors.New("its private key is encrypted: store it in clear, or as a PFX with its password")
	errPFX         = errors.New("its PFX can't be opened: its password or its way of encryption is wrong")
	errKeyPair     = errors.New("its private key does not belong to its certificate")
)

// DecodeCertificate reads a SecretString. parse may be nil if no PFX is accepted.
func DecodeCertificate(value directory.Secret, parse ParsePFX) (Certificate, error) {
	var stored certificateJSON
	if json.Unmarshal([]byte(value.Reveal()), &stored) != nil || (stored.Certificate == "") == (len(stored.PFX) == 0) {
		return Certificate{}, errCertificate
	}
	c, err := stored.parse(parse)
	if err != nil {
		return Certificate{}, err
	}
	public, ok := c.key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(c.Leaf().PublicKey) {
		return Certificate{}, errKeyPair
	}
	return c, nil
}

func (j certificateJSON) parse(parsePFX ParsePFX) (Certificate, error) {
	if len(j.PFX) == 0 {
		return parsePEM([]byte(j.Certificate + "\n" + j.PrivateKey))
	}
	if parsePFX == nil {
		return Certificate{}, errPFX
	}
	chain, key, err := parsePFX(j.PFX, directory.NewSecret(j.Password))
	if err != nil || len(chain) == 0 || key == nil {
		return Certificate{}, errPFX
	}
	return Certificate{chain, key}, nil
}

func parsePEM(text []byte) (c Certificate, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return Certificate{}, errPEM
			}
			c.chain = append(c.chain, certificate)
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return Certificate{}, errEncrypted
		default:
			if c.key, err = parseKey(block); err != nil {
				return Certificate{}, err
			}
		}
	}
	if len(c.chain) == 0 || c.key == nil {
		return Certificate{}, errPEM
	}
	return c, nil
}

// parseKey reads a private key; Entra knows RSA alone.
func parseKey(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "RSA PRIVATE KEY" {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errPEM
		}
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PrivateKey); err == nil && ok {
		return rsaKey, nil
	}
	return nil, errPEM
}

// newRSAKey makes a key of the size that Microsoft's examples have.
func newRSAKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// clockSkew is how far ahead of Entra's our clock may be.
const clockSkew = 5 * time.Minute

// selfSigned makes a certificate for signing in.
func selfSigned(key *rsa.PrivateKey, commonName string, now time.Time, life time.Duration) (Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(life),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return Certificate{[]*x509.Certificate{leaf}, key}, nil
}

// Encode writes the SecretString, in the form with PEM.
func (c Certificate) Encode() (directory.Secret, error) {
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return directory.Secret{}, errors.New("the private key can't be written as PKCS #8")
	}
	stored := certificateJSON{
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		Expires:    expiry{c.Leaf().NotAfter.UTC()},
	}
	for _, certificate := range c.chain {
		stored.Certificate += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	text, err := json.Marshal(stored) //nolint:gosec // this is what a secret is for
	if err != nil {
		return directory.Secret{}, errEncode
	}
	return directory.NewSecret(string(text)), nil
}

// Chain returns the certificates, the app's own first.
func (c Certificate) Chain() []*x509.Certificate { return c.chain }

// Leaf returns the app's own certificate.
func (c Certificate) Leaf() *x509.Certificate { return c.chain[0] }

// Signer returns the private key. It is the only way to it.
func (c Certificate) Signer() crypto.Signer { return c.key }

// Thumbprint returns the SHA-1 of the certificate in lower-case hexadecimal digits.
func (c Certificate) Thumbprint() string {
	digest := c.digest()
	return hex.EncodeToString(digest[:])
}

// x5t is the thumbprint as JSON Web Signatures name it (RFC 7515, 4.1.7).
func (c Certificate) x5t() string {
	digest := c.digest()
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func (c Certificate) digest() [sha1.Size]byte { return sha1.Sum(c.Leaf().Raw) } //nolint:gosec // see the import

// redacted stands wherever a Certificate would have been printed.
const redacted = "[redacted]"

// String hides the private key.
func (Certificate) String() string { return redacted }

// GoString hides the private key from %#v.
func (Certificate) GoString() string { return redacted }

// Format hides the private key from every verb of package fmt.
func (Certificate) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the private key from package log/slog.
func (Certificate) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the private key from package encoding/json.
func (Certificate) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
