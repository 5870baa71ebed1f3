package secrets

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Certificate is the certificate that the app signs in to Entra with, and its private
// key. It is stored in one of two forms:
//
//	{"certificate":"PEM…","privateKey":"PEM…"}
//	{"pfx":"base64…","password":"…"}
//
// The app's own certificate is the one that belongs to the private key. Those that
// issued it may stand beside it, in any order. The private key is an RSA key in PKCS #8
// or PKCS #1, not encrypted, and may also stand in the text of the certificate.
type Certificate struct{ cache *cache[keyPair] }

// keyPair is a private key and its certificate, followed by those that issued it.
type keyPair struct {
	chain []*x509.Certificate
	key   *rsa.PrivateKey
}

// NewCertificate makes a Certificate. It asks for nothing yet.
func NewCertificate(c Config) *Certificate {
	return &Certificate{newCache(&c, c.keyPair)}
}

// Certificate returns the certificate, followed by those that issued it, and the
// private key, which belongs to it. With fresh it is read again, and not being able
// to is an error: the caller knows that the old one is of no use.
func (s *Certificate) Certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	pair, err := s.cache.get(ctx, fresh)
	if err != nil {
		return nil, nil, err
	}
	return pair.chain, pair.key, nil
}

// Expires returns when the certificate expires.
func (s *Certificate) Expires(ctx context.Context) (time.Time, error) {
	pair, err := s.cache.get(ctx, false)
	if err != nil {
		return time.Time{}, err
	}
	return pair.chain[0].NotAfter, nil
}

func (c *Config) keyPair(ctx context.Context) (keyPair, error) {
	text, err := c.read(ctx, stageCurrent)
	if err != nil {
		return keyPair{}, err
	}
	pair, err := decodeKeyPair(text)
	if err != nil {
		return keyPair{}, c.unusable(stageCurrent, err)
	}
	return pair, nil
}

// What is wrong with a certificate. No text quotes what it is about.
var (
	errCertificate = errors.New(`it must be JSON of the form {"certificate":"PEM","privateKey":"PEM"} or {"pfx":"base64","password":"…"}`)
	errNone        = errors.New("it holds no certificate")
	errNoKey       = errors.New("it holds no private key")
	errKeys        = errors.New("it holds several private keys: store the one of the app's certificate")
	errKeyKind     = errors.New("its private key is not an RSA key, and Entra takes no other")
	errKeyPair     = errors.New("its private key belongs to none of its certificates")
	errKeyPairs    = errors.New("its private key belongs to several of its certificates: store the one that is registered with the app")
)

// decodeKeyPair reads a SecretString.
func decodeKeyPair(text string) (keyPair, error) {
	var stored struct {
		Certificate string `json:"certificate"`
		PrivateKey  string `json:"privateKey"`
		PFX         string `json:"pfx"`
		Password    string `json:"password"`
	}
	if unmarshal(text, &stored) != nil || (stored.Certificate == "") == (stored.PFX == "") {
		return keyPair{}, errCertificate
	}
	if stored.PFX != "" {
		found, err := parsePFX(stored.PFX, stored.Password)
		if err != nil {
			return keyPair{}, fmt.Errorf("its PFX can't be used: %w", err)
		}
		return found.pair()
	}
	found, err := parsePEM(stored.Certificate + "\n" + stored.PrivateKey)
	if err != nil {
		return keyPair{}, err
	}
	return found.pair()
}

// finds are what a secret holds.
type finds struct {
	certificates []*x509.Certificate
	key          *rsa.PrivateKey
	// unread is why a certificate could not be read. It need not be the app's own.
	unread error
}

// addCertificate takes a certificate in DER. One that Go can't read is passed over: an
// issuer may have a negative serial number, and Entra does not need the issuer.
func (f *finds) addCertificate(der []byte) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		f.unread = err
		return
	}
	f.certificates = append(f.certificates, certificate)
}

func (f *finds) addKey(key any) error {
	private, ok := key.(*rsa.PrivateKey)
	switch {
	case !ok:
		return errKeyKind
	case f.key != nil && !private.Equal(f.key):
		return errKeys
	}
	f.key = private
	return nil
}

// pair makes a keyPair of what was found.
func (f *finds) pair() (keyPair, error) {
	if f.key == nil {
		return keyPair{}, errNoKey
	}
	leaf, err := f.leaf()
	if err != nil && f.unread != nil {
		return keyPair{}, fmt.Errorf("%w, and one certificate can't be read: %w", err, f.unread)
	}
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{f.chain(leaf), f.key}, nil
}

// leaf returns the certificate that belongs to the key. What stands first is no sign of
// it: Windows and others write the issuers before what they have issued.
func (f *finds) leaf() (leaf *x509.Certificate, err error) {
	if len(f.certificates) == 0 {
		return nil, errNone
	}
	for _, c := range f.certificates {
		switch {
		case !f.key.PublicKey.Equal(c.PublicKey):
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

// chain returns the leaf, followed by those that issued it as far as they were found.
// It leaves out what does not belong there.
func (f *finds) chain(leaf *x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for {
		last := chain[len(chain)-1]
		i := slices.IndexFunc(f.certificates, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && last.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			return chain
		}
		chain = append(chain, f.certificates[i])
	}
}
