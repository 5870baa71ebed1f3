package msgraph

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra's portal names certificates by it
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A CertificateSource knows the certificate that the app signs in with.
type CertificateSource interface {
	// Certificate returns the certificate, followed by those that issued it if
	// there are any, and its private key. If fresh is set, the one before was of no
	// use: Entra has refused it, or it is out of its time. Then no copy kept by the
	// source will do. Errors must not hold the key.
	Certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error)
}

// minRSABits is the size of the keys in Microsoft's examples
// (https://learn.microsoft.com/entra/identity-platform/howto-create-self-signed-certificate).
const minRSABits = 2048

// What is wrong with a certificate. No text quotes it.
var (
	errNoCertificate = errors.New("there is none")
	errKeyKind       = fmt.Errorf("its private key is not an RSA key of at least %d bits, which is all that Entra takes", minRSABits)
	errKeyPair       = errors.New("its private key does not belong to its first certificate")
)

// certificateLoader loads the certificate. Of that, nothing is kept but a hash, its
// thumbprint, and what azidentity keeps.
func certificateLoader(app entra, certificates CertificateSource) loader {
	return func(ctx context.Context, fresh bool) (material, error) {
		chain, key, err := certificates.Certificate(ctx, fresh)
		if err != nil {
			return material{}, unread(opCertificate, "certificate", err)
		}
		if err := checkCertificate(chain, key, time.Now()); err != nil {
			return material{}, &directory.Error{Operation: opCertificate, NotDone: true, Err: fmt.Errorf("nobody can sign in with what is stored: %w", err)}
		}
		leaf := chain[0]
		return material{
			digest: sha256.Sum256(leaf.Raw),
			presented: &directory.PresentedCertificate{
				Thumbprint: fmt.Sprintf("%X", sha1.Sum(leaf.Raw)), //nolint:gosec // see the import
				Expires:    leaf.NotAfter,
			},
			credential: func() (azcore.TokenCredential, error) { return app.withCertificate(leaf, key) },
		}, nil
	}
}

// checkCertificate finds what would otherwise be Entra's to refuse, in fewer words.
func checkCertificate(chain []*x509.Certificate, key crypto.Signer, now time.Time) error {
	if len(chain) == 0 || key == nil {
		return errNoCertificate
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < minRSABits {
		return errKeyKind
	}
	leaf := chain[0]
	if !private.PublicKey.Equal(leaf.PublicKey) {
		return errKeyPair
	}
	return checkTime(leaf, now)
}

// checkTime tells whether a certificate is good by now, and still.
func checkTime(leaf *x509.Certificate, now time.Time) error {
	fault := directory.ErrCertificateTime
	switch {
	case now.Before(leaf.NotBefore):
		fault = directory.ErrCertificateEarly
	case !now.After(leaf.NotAfter):
		return nil
	}
	return fmt.Errorf("%w: it is good from %s to %s", fault,
		leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
}

// withCertificate makes azidentity's credential of a certificate. Those that issued it
// are not handed on: Entra knows the certificate itself, and azidentity would take the
// last that belongs to the key.
func (e entra) withCertificate(leaf *x509.Certificate, key crypto.Signer) (azcore.TokenCredential, error) {
	return azidentity.NewClientCertificateCredential(e.TenantID, e.ClientID, []*x509.Certificate{leaf}, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions:            e.client,
		DisableInstanceDiscovery: true, // as in withSecret
	})
}
