package msgraph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Auth is how the app signs in. Mode chooses which of the sources is asked; the
// others may be nil.
type Auth struct {
	Mode         directory.AuthMode
	WebIdentity  WebIdentitySource
	Certificates CertificateSource
	Secrets      SecretSource
}

// NewCredential returns the credential that signs the app in. It asks its source
// when a token is first needed, and keeps what it was given, and tokens until
// shortly before they expire, so a process should make only one. It opens no
// connection yet. It is safe for concurrent use.
//
// If Entra refuses a client secret or a certificate, because it has expired or was
// replaced, the credential asks for a fresh one, once, and tries once more if it is
// another. It also does so before it refuses a certificate that is out of its time. If
// Entra knows no federated credential for a web identity token, and has
// not accepted one before, the credential tries again for 75 seconds, within the
// deadline of the context: Entra takes a while to hear of a new one. After that it
// tells a refusal at once, for ten minutes, and then is patient again.
//
// A token that a [Client] has seen Graph refuse is not given again.
//
// Each attempt ends after [DefaultCallTimeout]. Whoever waited for it meanwhile shares
// how it failed, unless the context of the one who made it had ended: a burst of calls
// costs one attempt.
//
// Errors of GetToken are *directory.Error with NotDone set: of the operation "token"
// if Entra gave none, and if the source did not give what to sign in with, of
// [directory.ClientSecret], [directory.Certificate] or [directory.WebIdentityToken].
// The cause of a refusal by Entra is a [*directory.PresentedToken] or a
// [*directory.PresentedCertificate], if one was presented.
func NewCredential(o CredentialOptions, a Auth) (azcore.TokenCredential, error) {
	switch {
	case o.Cloud.LoginHost == "":
		return nil, errors.New("msgraph: CredentialOptions.Cloud is missing")
	case o.TenantID == "", o.ClientID == "":
		return nil, errors.New("msgraph: CredentialOptions.TenantID or ClientID is missing")
	}
	switch app := (entra{o, o.clientOptions()}); {
	case a.Mode == directory.AuthWebIdentity && a.WebIdentity != nil:
		return newFederated(app, a.WebIdentity)
	case a.Mode == directory.AuthCertificate && a.Certificates != nil:
		return newStored(certificateLoader(app, a.Certificates)), nil
	case a.Mode == directory.AuthClientSecret && a.Secrets != nil:
		return newStored(secretLoader(app, a.Secrets)), nil
	}
	return nil, a.fault()
}

// fault is why nobody can sign in so.
func (a Auth) fault() error {
	if slices.Contains(directory.AuthModes(), a.Mode) {
		return fmt.Errorf("msgraph: Auth has no source for the mode %q", a.Mode)
	}
	return fmt.Errorf("msgraph: no way to sign in is called %q", a.Mode)
}

// entra is where the app signs in, and how requests get there.
type entra struct {
	CredentialOptions
	client azcore.ClientOptions
}
