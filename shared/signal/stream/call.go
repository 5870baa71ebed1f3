package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// maxAnswer is how much of an answer is read, in bytes. A stream has about 3,000; what is
// kept of it must fit into a document of the state table.
const maxAnswer = 1 << 16

// api makes calls of one transmitter.
type api struct {
	client *http.Client
	// token is empty for what anybody may read.
	token string
}

// newAPI never follows a redirection, which would take the token elsewhere.
func newAPI(client *http.Client) *api {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &api{client: &own}
}

// signIn takes the token that is stored, else gets one for the client (RFC 6749, 4.4).
func (a *api) signIn(ctx context.Context, s signal.Stream, c signal.Credential) error {
	const doing = "get a token"
	switch {
	case c.Token != "":
		a.token = c.Token
		return nil
	case c.ClientID == "" || c.ClientSecret == "" || s.TokenEndpoint == "":
		return &Error{Problem: NoCredential, Doing: doing}
	case !secure(s.TokenEndpoint):
		return &Error{Problem: NotSecure, Doing: doing}
	}
	config := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: s.TokenEndpoint, Scopes: strings.Fields(s.Scope),
	}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, a.client))
	if err != nil {
		return tokenError(doing, err)
	}
	a.token = token.AccessToken
	return nil
}

// tokenError leaves out what the token endpoint wrote.
func tokenError(doing string, err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		e := refusal(doing, refused.Response.StatusCode)
		if !e.Passing() {
			e.Problem = NoToken
		}
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return &Error{Problem: NoAnswer, Doing: doing, Err: e.Err}
	}
	return &Error{Problem: NoToken, Doing: doing}
}

// A request is one call. Its answer is decoded into what into points to, unless that is
// nil or the answer is empty.
type request struct {
	doing, method, address string
	body, into             any
}

// do makes a call. Its error is of type [*Error].
func (a *api) do(ctx context.Context, r request) error {
	if !secure(r.address) {
		return &Error{Problem: NotSecure, Doing: r.doing}
	}
	answer, err := a.send(ctx, r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return &Error{Problem: NoAnswer, Doing: r.doing, Err: err}
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		return refusal(r.doing, answer.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return &Error{Problem: NoAnswer, Doing: r.doing, Err: err}
	}
	if r.into != nil && len(raw) > 0 && json.Unmarshal(raw, r.into) != nil {
		return &Error{Problem: Unreadable, Doing: r.doing, Status: answer.StatusCode}
	}
	return nil
}

func (a *api) send(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	call, err := http.NewRequestWithContext(ctx, r.method, r.address, body)
	if err != nil {
		return nil, err
	}
	call.Header.Set("Accept", "application/json")
	if r.body != nil {
		call.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		call.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.client.Do(call)
}

// refusal says what an answer other than success means.
func refusal(doing string, status int) *Error {
	e := &Error{Problem: NotAccepted, Doing: doing, Status: status}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Problem = NotAllowed
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		e.Problem = Unavailable
	}
	return e
}

// secure tells whether a token may be sent to an address.
func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// withStream adds the stream's id to an endpoint's address, which may have a query.
func withStream(endpoint, id string) string {
	u, err := url.Parse(endpoint)
	if err != nil || id == "" {
		return endpoint
	}
	query := u.Query()
	query.Set("stream_id", id)
	u.RawQuery = query.Encode()
	return u.String()
}

// status is the HTTP status that an error of this package tells of, else 0.
func status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}
