package directory

import (
	"errors"
	"fmt"
	"time"
)

// A PresentedToken is the cause of a refusal by Entra: the claims of the token that
// it was given in place of a secret. A [federatedIdentityCredential] of the app must
// have the very same. They are told as the token has them, unverified.
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
type PresentedToken struct{ Issuer, Subject, Audience string }

// Error tells all three.
func (p *PresentedToken) Error() string {
	return fmt.Sprintf("the token presented has the issuer %q, the subject %q and the audience %q", p.Issuer, p.Subject, p.Audience)
}

// A PresentedCertificate is the cause of a refusal by Entra: the certificate that it
// was given in place of a secret.
type PresentedCertificate struct {
	// Thumbprint is the SHA-1 in upper-case hexadecimal digits, as Entra's portal
	// shows it.
	Thumbprint string
	// Expires is its notAfter.
	Expires time.Time
}

// Error tells both.
func (p *PresentedCertificate) Error() string {
	return fmt.Sprintf("the certificate presented has the thumbprint %s and is good until %s", p.Thumbprint, p.Expires.UTC().Format(time.DateOnly))
}

// ErrCertificateTime is the cause of an [Error] of the operation [Certificate] where the
// certificate has expired, or is not good yet.
var ErrCertificateTime = errors.New("the certificate is out of its time")
