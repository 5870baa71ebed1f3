package directory

// AuthMode is how the app proves to Entra who it is.
type AuthMode string

// The ways there are.
const (
	// AuthWebIdentity: by a token of another issuer, which a federated credential of
	// the app trusts. No secret is stored.
	AuthWebIdentity AuthMode = "web-identity"
	// AuthCertificate: by a certificate and its private key, which a secret holds.
	AuthCertificate AuthMode = "certificate"
	// AuthClientSecret: by a client secret, which a secret holds.
	AuthClientSecret AuthMode = "client-secret"
)

// AuthModes returns them, the recommended one first.
func AuthModes() []AuthMode { return []AuthMode{AuthWebIdentity, AuthCertificate, AuthClientSecret} }

// Stored tells whether a secret holds what the app signs in with. Of a mode that there
// is not, it is false.
func (m AuthMode) Stored() bool { return m == AuthCertificate || m == AuthClientSecret }
