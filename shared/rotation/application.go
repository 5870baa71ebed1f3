package rotation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// PasswordApplication changes the client secrets of our own application, which
// takes Application.ReadWrite.OwnedBy and a service principal that owns its
// application. Each method makes one attempt. Errors are of type
// [*directory.Error].
type PasswordApplication interface {
	// Registration is GET /applications(appId='…') with
	// $select=id,passwordCredentials,keyCredentials.
	Registration(ctx context.Context) (directory.Registration, error)
	// AddPassword is POST …/addPassword
	// (https://learn.microsoft.com/graph/api/application-addpassword). The answer
	// holds the text, which is shown once.
	AddPassword(ctx context.Context, displayName string, end time.Time) (directory.Password, error)
	// RemovePassword is POST …/removePassword
	// (https://learn.microsoft.com/graph/api/application-removepassword).
	RemovePassword(ctx context.Context, keyID string) error
}

// KeyApplication changes the certificates of our own application. To add and remove
// keys takes no permission but a proof; to read them takes
// Application.ReadWrite.OwnedBy. Each method makes one attempt. Errors are of type
// [*directory.Error].
type KeyApplication interface {
	// Registration is GET /applications(appId='…') with
	// $select=id,passwordCredentials,keyCredentials.
	Registration(ctx context.Context) (directory.Registration, error)
	// AddKey is POST …/addKey with a keyCredential of the type AsymmetricX509Cert
	// and the usage Verify, whose key is the certificate in DER
	// (https://learn.microsoft.com/graph/api/application-addkey).
	AddKey(ctx context.Context, displayName string, certificate []byte, proof directory.Secret) error
	// RemoveKey is POST …/removeKey
	// (https://learn.microsoft.com/graph/api/application-removekey).
	RemoveKey(ctx context.Context, keyID string, proof directory.Secret) error
}

// The longest names, in bytes: Graph shortens a longer displayName
// (https://learn.microsoft.com/graph/api/resources/keycredential), and a longer
// common name is not one (RFC 5280, A.1).
const (
	maxDisplayName = 90
	maxCommonName  = 64
	maxStackPart   = 20
)

// ownPrefix is what the displayName of every credential begins with that a rotation
// made, whoever's.
const ownPrefix = "sessionstamp/"

// mark tells apart whose rotations made a credential: those of one secret. Its ARN is
// the only one of its kind, and its versions tell which credentials are in use. So
// whoever rotates this secret may judge them, under whatever name of a stack, and
// nobody else.
func mark(secretARN string) string {
	digest := sha256.Sum256([]byte(secretARN))
	return hex.EncodeToString(digest[:4])
}

// owner is the beginning of the displayName of a credential that is made for a secret.
// The name of the stack is for people to read.
func owner(stack, secretARN string) string {
	return ownPrefix + cut(stack, maxStackPart) + "/" + mark(secretARN) + "/"
}

// madeFor tells by its displayName whether a rotation made a credential, and whether it
// was one of this secret. Where addKey was not given a name that it kept, Graph shows
// the certificate's subject instead.
func madeFor(secretARN, displayName string) (byRotation, ours bool) {
	rest, byRotation := strings.CutPrefix(strings.TrimPrefix(displayName, subjectPrefix), ownPrefix)
	_, rest, _ = strings.Cut(rest, "/")
	return byRotation, byRotation && strings.HasPrefix(rest, mark(secretARN)+"/")
}

// subjectPrefix is what a subject begins with that is a common name alone.
const subjectPrefix = "CN="

// isNamed tells whether a credential has a name, which is cut where Graph shows the
// certificate's subject.
func isNamed(displayName, name string) bool {
	if subject, ok := strings.CutPrefix(displayName, subjectPrefix); ok {
		return subject == cut(name, maxCommonName)
	}
	return displayName == name
}

// cut shortens an ASCII text.
func cut(s string, most int) string { return s[:min(len(s), most)] }

// refusedState tells whether Graph refused a change perhaps because it was made
// already: to remove what is not there, or to add what is.
func refusedState(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.NotFound() || e.Conflict() || e.StatusCode == http.StatusBadRequest)
}

// looks is how often the application is looked at until a change shows.
const looks = 5

// eventually tells whether the application comes to look as it should. What Graph
// lists may lag behind what it has done.
func (r *run) eventually(ctx context.Context, read func(context.Context) (directory.Registration, error), as func(directory.Registration) bool) bool {
	for range looks {
		if now, err := read(ctx); err == nil && as(now) {
			return true
		}
		if !r.wait(ctx, r.Settings.ProofPauseMax) {
			return false
		}
	}
	return false
}
