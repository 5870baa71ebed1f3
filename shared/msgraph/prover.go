package msgraph

import (
	"context"
	"crypto"
	"crypto/x509"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A Prover tells whether Entra accepts a credential of the app, before anything relies
// on it. Each proof is one attempt, with a client of its own, which has no token yet.
// Errors are *directory.Error: of the operation "token" where Entra refused the
// credential.
type Prover struct {
	// ClientID is the application (client) id of the app registration.
	ClientID string
	// NewClient makes a client that signs in so.
	NewClient func(Auth) (*Client, error)
}

// ProveClientSecret signs in with the client secret.
func (p Prover) ProveClientSecret(ctx context.Context, secret directory.Secret) error {
	return p.prove(ctx, Auth{Mode: directory.AuthClientSecret, Secrets: FixedSecret(secret.Reveal())})
}

// ProveCertificate signs in with the private key of the certificate that comes first in
// the chain.
func (p Prover) ProveCertificate(ctx context.Context, chain []*x509.Certificate, key crypto.Signer) error {
	return p.prove(ctx, Auth{Mode: directory.AuthCertificate, Certificates: FixedCertificate(chain, key)})
}

// prove reads the app's own registration. That changes nothing, and takes no permission
// that a rotation has not used by then: it has read the registration before.
func (p Prover) prove(ctx context.Context, auth Auth) error {
	client, err := p.NewClient(auth)
	if err != nil {
		return err
	}
	_, err = client.Application(p.ClientID).Registration(ctx)
	return err
}
