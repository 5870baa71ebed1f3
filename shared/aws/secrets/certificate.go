package secrets

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// Certificate is the certificate that the app signs in to Entra with, and its private
// key. It is stored in one of two forms:
//
//	{"certificate":"PEM…","privateKey":"PEM…"}
//	{"pfx":"base64…","password":"…"}
//
// The private key is an RSA key and, in PEM, not encrypted. It may also stand in the text
// of the certificate, which begins with the app's own.
type Certificate struct{ reader reader[KeyPair] }

// KeyPair is a private key and its certificate.
type KeyPair struct {
	Certificate *x509.Certificate
	Key         *rsa.PrivateKey
}

// NewCertificate makes a Certificate. It asks for nothing yet.
func NewCertificate(c Config) *Certificate {
	return &Certificate{reader[KeyPair]{Config: c, decode: ParseKeyPair}}
}

// Certificate returns the certificate alone, without those that issued it, and the
// private key, which belongs to it. With fresh it is read again, and not being able to is
// an error.
func (s *Certificate) Certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	pair, err := s.reader.get(ctx, fresh)
	if err != nil {
		return nil, nil, err
	}
	return []*x509.Certificate{pair.Certificate}, pair.Key, nil
}

// Expires returns when the certificate expires.
func (s *Certificate) Expires(ctx context.Context) (time.Time, error) {
	pair, err := s.reader.get(ctx, false)
	if err != nil {
		return time.Time{}, err
	}
	return pair.Certificate.NotAfter, nil
}

// What is wrong with a certificate. No text quotes what it is about.
var (
	errCertificate = errors.New(`it must be JSON of the form {"certificate":"PEM","privateKey":"PEM"} or {"pfx":"base64","password":"…"}`)
	errEncrypted   = errors.New("its private key is encrypted: store it in clear, or as a PFX with its password")
	errKeyKind     = errors.New("its private key is not an RSA key, and Entra takes no other")
	errKeyPair     = errors.New("its private key belongs to none of its certificates")
	errPFXText     = errors.New("its PFX is not base64: store the file as base64 prints it, without lines such as BEGIN")
	errPFXPassword = errors.New("its PFX can't be opened with the password beside it")
	errPFX         = errors.New("its PFX can't be read: export the certificate and its one private key again, without those that issued it, with a password and encrypted by AES-256")
)

// ParseKeyPair reads the text of a secret that is a [Certificate]. Its errors do not quote it.
func ParseKeyPair(text string) (KeyPair, error) {
	var stored struct {
		Certificate string `json:"certificate"`
		PrivateKey  string `json:"privateKey"`
		PFX         string `json:"pfx"`
		Password    string `json:"password"`
	}
	if unmarshal(text, &stored) != nil || (stored.Certificate == "") == (stored.PFX == "") {
		return KeyPair{}, errCertificate
	}
	if stored.PFX != "" {
		return parsePFX(stored.PFX, stored.Password)
	}
	return parsePEM(stored.Certificate + "\n" + stored.PrivateKey)
}

// parsePEM reads the first certificate and the first private key.
func parsePEM(text string) (KeyPair, error) {
	if strings.Contains(text, "ENCRYPTED") {
		return KeyPair{}, errEncrypted
	}
	pair, err := tls.X509KeyPair([]byte(text), []byte(text))
	if err != nil {
		return KeyPair{}, fmt.Errorf("its PEM can't be used: store the certificate, then the private key, with all line breaks: %w", err)
	}
	return newKeyPair(pair.PrivateKey, pair.Leaf)
}

// parsePFX opens a PFX. The texts of the library are not passed on.
func parsePFX(text, password string) (KeyPair, error) {
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return KeyPair{}, errPFXText
	}
	key, first, others, err := pkcs12.DecodeChain(file, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return KeyPair{}, errPFXPassword
	case err != nil:
		return KeyPair{}, errPFX
	}
	return newKeyPair(key, append([]*x509.Certificate{first}, others...)...)
}

// newKeyPair finds the certificate that belongs to the key. What stands first is no sign
// of it: Windows and others write the issuers before what they have issued.
func newKeyPair(key any, certificates ...*x509.Certificate) (KeyPair, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return KeyPair{}, errKeyKind
	}
	for _, c := range certificates {
		if private.PublicKey.Equal(c.PublicKey) {
			return KeyPair{c, private}, nil
		}
	}
	return KeyPair{}, errKeyPair
}
