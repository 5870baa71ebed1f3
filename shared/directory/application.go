package directory

import (
	"errors"
	"fmt"
	"time"
)

// A Registration is what Graph shows of the credentials of our own [application].
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
type Registration struct {
	// ObjectID is the application's object id, which is not its client id.
	ObjectID string
	// Passwords are its passwordCredentials, Keys its keyCredentials of the type
	// AsymmetricX509Cert.
	Passwords []Password
	Keys      []Key
}

// A Password is a [passwordCredential].
//
// [passwordCredential]: https://learn.microsoft.com/graph/api/resources/passwordcredential
type Password struct {
	// KeyID is the id to remove it by, a lower-case GUID.
	KeyID string
	// DisplayName tells who made it.
	DisplayName string
	// Hint is the first three characters of its text, "" where Graph does not show
	// them.
	Hint string
	// End is endDateTime.
	End time.Time
	// Text is the secretText, which only addPassword answers.
	Text Secret
}

// A Key is a [keyCredential].
//
// [keyCredential]: https://learn.microsoft.com/graph/api/resources/keycredential
type Key struct {
	// KeyID is the id to remove it by, a lower-case GUID.
	KeyID string
	// DisplayName tells who made it.
	DisplayName string
	// Thumbprint is the SHA-1 of the certificate in lower-case hexadecimal digits,
	// "" where it is not known.
	Thumbprint string
	// End is endDateTime.
	End time.Time
}

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

// The causes of an [Error] of the operation [Certificate] where the certificate is out
// of its time: it has expired, or, where the error is the second too, is not good yet.
var (
	ErrCertificateTime  = errors.New("the certificate is out of its time")
	ErrCertificateEarly = fmt.Errorf("%w, which has not begun", ErrCertificateTime)
)
