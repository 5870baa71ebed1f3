package graphclient

import (
	"context"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A prover signs the app in with a credential that is new. It implements
// [rotation.ClientSecretProver] and [rotation.CertificateProver].
type prover struct{ app app }

// ProveClientSecret implements [rotation.ClientSecretProver].
func (p prover) ProveClientSecret(ctx context.Context, secret directory.Secret) error {
	return p.prove(ctx, msgraph.Auth{Mode: directory.AuthClientSecret, Secrets: msgraph.FixedSecret(secret.Reveal())})
}

// ProveCertificate implements [rotation.CertificateProver].
func (p prover) ProveCertificate(ctx context.Context, certificate rotation.Certificate) error {
	return p.prove(ctx, msgraph.Auth{
		Mode: directory.AuthCertificate, Certificates: msgraph.FixedCertificate(certificate.Chain(), certificate.Signer()),
	})
}

// prove reads our own application with a credential of its own, which keeps tokens in
// no cache that another would find. That call changes nothing, and takes no permission
// that the rotation has not used by then: it has read the application before.
func (p prover) prove(ctx context.Context, auth msgraph.Auth) error {
	client, err := p.app.client(auth)
	if err != nil {
		return err
	}
	_, err = client.Application(p.app.clientID).Registration(ctx)
	return err
}
