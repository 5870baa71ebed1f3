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
	"slices"
	"strings"
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
// what was made by hand. The app's own certificate is the one that belongs to the
// private key. Those that issued it may stand beside it, in any order. The private key
// is an RSA key in PKCS #8 or PKCS #1, not encrypted, and may also stand in the text of
// the certificate. A key id is not kept: the thumbprint does as well, and is known
// before the certificate is. A Certificate prints as "[redacted]".
type Certificate struct {
	chain []*x509.Certificate
	key   *rsa.PrivateKey
}

// ParsePFX opens a PFX (PKCS #12), which is encrypted with a password that may be
// empty. It returns the certificates in any order, and the private key. Its errors
// say what is wrong with the PFX, and must not quote it or its password.
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
type expiry struct {
	time.Time
	bad bool
}

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (e *expiry) UnmarshalJSON(text []byte) error {
	if e.Time.UnmarshalJSON(text) != nil {
		*e = expiry{bad: true}
	}
	return nil
}

// What is wrong with a certificate. No text quotes what it is about.
var (
	errCertificate = errors.New(`it must be JSON of the form {"certificate":"PEM","privateKey":"PEM"} or {"pfx":"base64","password":"…"}`)
	errPEM         = errors.New("its certificate or private key is not readable PEM")
	errEncrypted   = errors.New("its private key is encrypted: store it in clear, or as a PFX with its password")
	errPFX         = errors.New("its PFX can't be used")
	errNoParser    = errors.New("nothing here opens one")
	errNone        = errors.New("it holds no certificate")
	errNoKey       = errors.New("it holds no private key")
	errKeys        = errors.New("it holds several private keys: store the one of the app's certificate")
	errKeyKind     = errors.New("its private key is not an RSA key, and Entra takes no other")
	errKeyPair     = errors.New("its private key belongs to none of its certificates")
	errKeyPairs    = errors.New("its private key belongs to several of its certificates: store the one that is registered with the app")
)

// DecodeCertificate reads a SecretString. parse may be nil if no PFX is accepted. Its
// error is passed on.
func DecodeCertificate(value directory.Secret, parse ParsePFX) (Certificate, error) {
	var stored certificateJSON
	if json.Unmarshal([]byte(value.Reveal()), &stored) != nil || (stored.Certificate == "") == (len(stored.PFX) == 0) {
		return Certificate{}, errCertificate
	}
	found, key, err := stored.parse(parse)
	if err != nil {
		return Certificate{}, err
	}
	return pair(found, key)
}

func (j certificateJSON) parse(parsePFX ParsePFX) ([]*x509.Certificate, crypto.Signer, error) {
	if len(j.PFX) == 0 {
		return parsePEM([]byte(j.Certificate + "\n" + j.PrivateKey))
	}
	if parsePFX == nil {
		return nil, nil, fmt.Errorf("%w: %w", errPFX, errNoParser)
	}
	found, key, err := parsePFX(j.PFX, directory.NewSecret(j.Password))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPFX, err)
	}
	return found, key, nil
}

// pair makes a Certificate of a private key and of what was found beside it.
func pair(found []*x509.Certificate, key crypto.Signer) (Certificate, error) {
	if key == nil {
		return Certificate{}, errNoKey
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return Certificate{}, errKeyKind
	}
	leaf, err := belonging(found, private)
	if err != nil {
		return Certificate{}, err
	}
	return Certificate{chainOf(leaf, found), private}, nil
}

// belonging returns the certificate that belongs to the key. What stands first is no
// sign of it: Windows and others write the issuers before what they have issued.
func belonging(found []*x509.Certificate, key *rsa.PrivateKey) (leaf *x509.Certificate, err error) {
	if len(found) == 0 {
		return nil, errNone
	}
	for _, c := range found {
		switch {
		case !key.PublicKey.Equal(c.PublicKey):
		case leaf == nil:
			leaf = c
		case !leaf.Equal(c):
			return nil, errKeyPairs
		}
	}
	if leaf == nil {
		return nil, errKeyPair
	}
	return leaf, nil
}

// chainOf returns the leaf, followed by those that issued it as far as they were found.
// It leaves out what does not belong there.
func chainOf(leaf *x509.Certificate, found []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for {
		last := chain[len(chain)-1]
		i := slices.IndexFunc(found, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && last.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			return chain
		}
		chain = append(chain, found[i])
	}
}

// parsePEM returns all certificates and the private key, nil if there is none.
func parsePEM(text []byte) (found []*x509.Certificate, key crypto.Signer, err error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, nil, errPEM
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, errPEM
			}
			found = append(found, certificate)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			another, err := parseKey(block)
			if err != nil {
				return nil, nil, err
			}
			if key != nil && !another.Equal(key) {
				return nil, nil, errKeys
			}
			key = another
		}
	}
	return found, key, nil
}

// parseKey reads a private key; Entra knows RSA alone.
func parseKey(block *pem.Block) (*rsa.PrivateKey, error) {
	var key any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errEncrypted
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default: // such as "EC PRIVATE KEY"
		return nil, errKeyKind
	}
	if err != nil {
		return nil, errPEM
	}
	if rsaKey, ok := key.(*rsa.PrivateKey); ok {
		return rsaKey, nil
	}
	return nil, errKeyKind
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
		Expires:    expiry{Time: c.Leaf().NotAfter.UTC()},
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

// Chain returns the certificates, the app's own first, each issued by the next.
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

// mayBe tells whether a key is for this certificate. One whose thumbprint is not known
// may be for any.
func (c Certificate) mayBe(key listed) bool {
	return key.thumbprint == "" || key.thumbprint == c.Thumbprint()
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
