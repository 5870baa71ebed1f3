package ask

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// Graph tells all its replicas of a new object in seconds, sometimes in minutes: until then
// some do not find it. So what needs an object that may be new is tried for settlePatience.
// See [Designing for eventual consistency].
//
// [Designing for eventual consistency]: https://devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra
const (
	settlePatience = 2 * time.Minute
	settlePause    = 5 * time.Second
)

// noSuchApp is how Graph refuses the service principal of an application that is too new.
const noSuchApp = "does not reference a valid application object"

// settle calls do, and again while Graph has certainly done nothing, and may do it soon.
func settle(ctx context.Context, do func() error) error {
	for began := time.Now(); ; {
		err := do()
		pause, again := early(err)
		if !again || time.Since(began)+pause > settlePatience || wait.For(ctx, pause) != nil {
			return err
		}
	}
}

// settled is settle for what returns something.
func settled[T any](ctx context.Context, do func() (T, error)) (value T, _ error) {
	err := settle(ctx, func() (err error) {
		value, err = do()
		return err
	})
	return value, err
}

// early tells whether a call came too early, and how long to wait.
func early(err error) (pause time.Duration, again bool) {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || !e.NotDone || e.Operation == directory.Token || e.OfCredential() {
		return 0, false
	}
	lost := e.StatusCode == 0 && e.ClientRequestID != "" // there was no connection
	return max(e.RetryAfter, settlePause), lost || e.NotFound() || e.Throttled() ||
		e.StatusCode == http.StatusBadRequest && strings.Contains(e.Message, noSuchApp)
}

// write sends what may change something, once. A body of nil is none.
func (c *Client) write(ctx context.Context, operation string, method abstractions.HttpMethod, body any, path string, pairs ...string) (answer.Answer, error) {
	info := c.Request(method, path, pairs...)
	if method == abstractions.PATCH && strings.Contains(path, "='{") { // by an alternate key
		info.Headers.TryAdd("Prefer", "create-if-missing")
	}
	if body == nil {
		return c.Send(ctx, operation, info, nil)
	}
	content, err := json.Marshal(body)
	info.SetStreamContentAndContentType(content, "application/json")
	return c.Send(ctx, operation, info, err)
}

// remove deletes something. What is not there is no error.
func (c *Client) remove(ctx context.Context, operation, path string, pairs ...string) error {
	return settle(ctx, func() error {
		_, err := c.write(ctx, operation, abstractions.DELETE, nil, path, pairs...)
		return gone(err)
	})
}

// gone takes what is not there for done.
func gone(err error) error {
	if notFound(err) != nil {
		return nil //nolint:nilerr // that is what it is for
	}
	return err
}
