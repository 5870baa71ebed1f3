// Package stream makes and keeps the streams of transmitters of the [Shared Signals
// Framework], section 8: a stream is made or adopted, compared, resumed, and asked to show
// that it still delivers. One pure function decides about the next call; the calls are thin.
//
// [Shared Signals Framework]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
package stream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// A Manager calls a transmitter's management API.
type Manager struct {
	// HTTP makes the calls. It follows no redirection, which would take the token elsewhere.
	HTTP *http.Client
	Now  func() time.Time
	// SessionsRevoked asks for revoked sessions too ([signal.Record]).
	SessionsRevoked bool
}

// description tells people at the provider whose stream it is.
const description = "sessionstamp: changed passwords and disabled users"

// Keep makes the stream that is described, or adopts it, corrects and resumes it, and asks
// for a verification when one is due. endpoint is the https address of the source. It
// returns what is to be stored, also with an error, which is of type [*Error].
//
// Nothing is kept where the transmitter has no management API: then an administrator makes
// the stream there.
func (m Manager) Keep(ctx context.Context, endpoint string, s signal.Stream, c signal.Credential) (signal.Stream, error) {
	if s.ConfigurationEndpoint == "" {
		return s, nil
	}
	if len(c.Secrets) == 0 {
		return s, &Error{Problem: NoCredential, Doing: keeping}
	}
	a := newAPI(m.HTTP)
	if err := a.signIn(ctx, s, c); err != nil {
		return s, err
	}
	w := m.wanted(endpoint, s, c.Secrets[0])
	r := &run{api: a, stream: s, want: w, given: fingerprint(w), retired: c.Secrets[1:], state: c.State()}
	err := r.keep(ctx, m.Now())
	return r.stream, err
}

// wanted is what the stream is made with.
func (m Manager) wanted(endpoint string, s signal.Stream, secret string) wanted {
	w := wanted{
		Events: eventsOf(s.Provider, m.SessionsRevoked), Description: description,
		Delivery: delivery{Method: s.Method, Endpoint: endpoint, Authorization: secret},
	}
	if w.Delivery.Method == "" {
		w.Delivery.Method = push
	}
	if s.Provider == signal.Authentik {
		w.Format, w.Audiences = "iss_sub", []string{endpoint}
	}
	return w
}

// Remove deletes the stream. One that is gone is no error. The error is of type [*Error].
func (m Manager) Remove(ctx context.Context, s signal.Stream, c signal.Credential) error {
	if s.ConfigurationEndpoint == "" || s.ID == "" {
		return nil
	}
	a := newAPI(m.HTTP)
	if err := a.signIn(ctx, s, c); err != nil {
		return err
	}
	return a.remove(ctx, s)
}

func (a *api) remove(ctx context.Context, s signal.Stream) error {
	err := a.do(ctx, request{doing: "delete the stream", method: http.MethodDelete, address: withStream(s.ConfigurationEndpoint, s.ID)})
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// keeping is what is done as a whole.
const keeping = "keep the stream"

// A run keeps one stream once.
type run struct {
	api    *api
	stream signal.Stream
	want   wanted
	given  string // the fingerprint of want
	// retired are our earlier secrets.
	retired []string
	state   string
	// found is the stream at the transmitter, nil for none yet.
	found *configuration
}

func (r *run) keep(ctx context.Context, now time.Time) error {
	stored := r.stream.ID
	for _, step := range []func(context.Context) error{r.find, r.correct, r.enable} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	// What comes on a new stream is only understood once the stream is stored.
	if r.stream.VerificationEndpoint == "" || r.stream.ID != stored || !r.found.due(r.stream.Asked, now) {
		return nil
	}
	return r.verify(ctx, now)
}

// find reads the stream, or makes it.
func (r *run) find(ctx context.Context) error {
	if err := r.look(ctx); err != nil || r.found != nil {
		return err
	}
	return r.create(ctx)
}

// look reads the stream by its id, else finds it among all that are ours.
func (r *run) look(ctx context.Context) error {
	read := request{doing: "read the stream", method: http.MethodGet, address: r.stream.ConfigurationEndpoint}
	if r.stream.ID != "" {
		var found configuration
		read.address, read.into = withStream(read.address, r.stream.ID), &found
		err := r.api.do(ctx, read)
		if unsupported(status(err)) { // authentik's streams can't be read: it is as it was made
			found = configuration{ID: r.stream.ID, Audiences: r.stream.Audiences}
			err = nil
		}
		if status(err) != http.StatusNotFound {
			return r.hold(&found, err)
		}
		r.forget() // it was deleted there
	}
	var all several
	read.address, read.into = r.stream.ConfigurationEndpoint, &all
	if err := r.api.do(ctx, read); err != nil && !absent(status(err)) {
		return err
	}
	if c := choose(all, r.want.Delivery.Endpoint); c != nil {
		return r.hold(c, nil)
	}
	return nil
}

// hold keeps what the transmitter says of the stream, unless that was an error.
func (r *run) hold(c *configuration, err error) error {
	switch {
	case err != nil:
		return err
	case c.Issuer != "" && c.Issuer != r.stream.Issuer:
		return &Error{Problem: OtherIssuer, Doing: keeping}
	case c.ID == "" || len(c.Audiences) == 0 || slices.Contains(c.Audiences, ""):
		return &Error{Problem: Unreadable, Doing: keeping}
	}
	r.found, r.stream.ID, r.stream.Audiences = c, c.ID, c.Audiences
	return nil
}

func (r *run) forget() {
	r.found = nil
	r.stream.ID, r.stream.Given, r.stream.Status, r.stream.Asked = "", "", "", time.Time{}
}

// create makes the stream. After a conflict another run has made it, or a person has.
func (r *run) create(ctx context.Context) error {
	var made configuration
	err := r.api.do(ctx, request{
		doing: "create the stream", method: http.MethodPost, address: r.stream.ConfigurationEndpoint, body: r.want, into: &made,
	})
	if status(err) != http.StatusConflict {
		return r.give(&made, err)
	}
	if err := r.look(ctx); err != nil || r.found != nil {
		return err
	}
	return &Error{Problem: Occupied, Doing: keeping}
}

// give is hold of a stream to which all was given that is ours.
func (r *run) give(c *configuration, err error) error {
	if err = r.hold(c, err); err == nil {
		r.stream.Given = r.given
	}
	return err
}

// correct gives the stream what is ours again, where it has something else.
func (r *run) correct(ctx context.Context) error {
	if r.differs() {
		if err := r.update(ctx); err != nil {
			return err
		}
	}
	if r.outdated() { // all that comes would be refused, once the earlier secret is gone
		if err := r.renew(ctx); err != nil {
			return err
		}
	}
	if r.differs() {
		return &Error{Problem: NotAccepted, Doing: keeping}
	}
	return nil
}

// update sends all that is ours: Keycloak refuses a part without the delivery, and takes a
// property that is missing as one to be deleted
// (https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/ssf/transmitter/stream/StreamService.java).
func (r *run) update(ctx context.Context) error {
	w, made := r.want, configuration{}
	w.ID, w.Audiences = r.found.ID, nil // an audience can't be changed
	err := r.api.do(ctx, request{
		doing: "update the stream", method: http.MethodPatch, address: r.stream.ConfigurationEndpoint, body: w, into: &made,
	})
	if unsupported(status(err)) { // authentik's can only be made anew
		return r.renew(ctx)
	}
	if err == nil && made.ID == "" { // 202: accepted, not done yet
		made = *r.found
		made.Delivery.Endpoint = w.Delivery.Endpoint
		made.Requested = append(made.Requested, w.Events...)
	}
	return r.give(&made, err)
}

// renew deletes the stream and makes it anew. What waits in it is lost.
func (r *run) renew(ctx context.Context) error {
	if err := r.api.remove(ctx, r.stream); err != nil {
		return err
	}
	r.forget()
	return r.create(ctx)
}

// enable reads the status, and resumes a paused stream.
func (r *run) enable(ctx context.Context) error {
	if r.stream.StatusEndpoint != "" {
		err := r.ask(ctx, request{
			doing: "read the stream's status", method: http.MethodGet, address: withStream(r.stream.StatusEndpoint, r.stream.ID),
		})
		if err == nil && r.stream.Status == signal.StreamPaused {
			err = r.ask(ctx, request{
				doing: "resume the stream", method: http.MethodPost, address: r.stream.StatusEndpoint,
				body: condition{ID: r.stream.ID, Status: signal.StreamEnabled},
			})
		}
		if err != nil {
			return err
		}
	}
	if r.stream.Status != signal.StreamEnabled && r.stream.Status != "" {
		return &Error{Problem: NotEnabled, Doing: keeping}
	}
	return nil
}

// ask makes a call that is answered with the status.
func (r *run) ask(ctx context.Context, call request) error {
	var said condition
	call.into = &said
	err := r.api.do(ctx, call)
	if absent(status(err)) { // Okta has the first call in some orgs only, the second nowhere
		return nil
	}
	if said.Status = strings.ToLower(said.Status); err == nil && signal.IsStreamStatus(said.Status) {
		r.stream.Status = said.Status
	}
	return err
}

func (r *run) verify(ctx context.Context, now time.Time) error {
	err := r.api.do(ctx, request{
		doing: "ask for a verification", method: http.MethodPost, address: r.stream.VerificationEndpoint,
		body: verification{ID: r.stream.ID, State: r.state},
	})
	if err == nil {
		r.stream.Asked = now.UTC()
	}
	// Keycloak delivers it before it answers, and says in this way that it could not:
	// https://github.com/keycloak/keycloak/blob/main/ssf/transmitter/src/main/java/org/keycloak/ssf/transmitter/resources/SsfStreamVerificationResource.java
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusBadRequest {
		e.Problem = NotDelivered
	}
	return err
}
