package secrets

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// Certificate is the certificate that the app signs in to Entra with, and its
// private key, as [rotation.Certificate] stores them: in PEM, or as a PFX with its
// password beside it. It implements msgraph.CertificateSource.
type Certificate struct {
	cache *cache[rotation.Certificate]
}

// NewCertificate makes a Certificate. It asks for nothing yet.
func NewCertificate(c Config) *Certificate {
	return &Certificate{newCache(&c, c.certificate)}
}

// Certificate returns the certificate, followed by those that issued it, and the
// private key, which belongs to it. With fresh it is read again, and not being able
// to is an error: the caller knows that the old one is of no use.
func (s *Certificate) Certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	certificate, err := s.cache.get(ctx, fresh)
	if err != nil {
		return nil, nil, err
	}
	return certificate.Chain(), certificate.Signer(), nil
}

// Expires returns when the certificate expires.
func (s *Certificate) Expires(ctx context.Context) (time.Time, error) {
	certificate, err := s.cache.get(ctx, false)
	if err != nil {
		return time.Time{}, err
	}
	return certificate.Leaf().NotAfter, nil
}

func (c *Config) certificate(ctx context.Context) (rotation.Certificate, error) {
	v, err := c.read(ctx, stageCurrent)
	if err != nil {
		return rotation.Certificate{}, err
	}
	certificate, err := rotation.DecodeCertificate(directory.NewSecret(v.text), ParsePFX)
	if err != nil {
		return rotation.Certificate{}, c.unusable(stageCurrent, err)
	}
	return certificate, nil
}

// What is wrong with a PFX. The texts of the library are not passed on.
var (
	errPFXPassword   = errors.New("the password beside it does not open it")
	errPFXEncryption = errors.New("it is encrypted in a way that is not known here: export it again, with AES-256")
	errPFXNone       = errors.New("it holds no certificate")
	errPFXNoKey      = errors.New("it holds no private key: export it again, with the key")
	errPFXKeyKind    = errors.New("its private key can't sign")
	errPFX           = errors.New("it is no PFX, or a damaged one: export the certificate and its key again")
)

// ParsePFX is a [rotation.ParsePFX] for all the ways of encryption that Windows,
// OpenSSL and Key Vault have written PFX files in.
func ParsePFX(pfx []byte, password directory.Secret) ([]*x509.Certificate, crypto.Signer, error) {
	// The library takes the first certificate for the key's. It need not be.
	key, first, others, err := pkcs12.DecodeChain(pfx, password.Reveal())
	if err != nil {
		return nil, nil, pfxFault(err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, errPFXKeyKind
	}
	return append([]*x509.Certificate{first}, others...), signer, nil
}

// pfxFault is what an error of the library means.
func pfxFault(err error) error {
	_, unknown := errors.AsType[pkcs12.NotImplementedError](err)
	switch {
	case unknown:
		return errPFXEncryption
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return errPFXPassword
	}
	switch err.Error() { // the library has no values for these
	case "pkcs12: certificate missing":
		return errPFXNone
	case "pkcs12: private key missing":
		return errPFXNoKey
	}
	return errPFX
}
