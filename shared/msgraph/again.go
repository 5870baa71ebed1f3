package msgraph

import (
	"context"
	"errors"
	"net/http"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// A read that failed for a reason that passes is tried four times in all, at distances that
// double from firstPause to lastPause, or as far apart as Graph asks: for readPatience at
// most, the longest window of Graph's quotas. sendTime is what is left for an attempt.
const (
	firstPause   = 500 * time.Millisecond
	lastPause    = 2 * time.Second
	readPatience = 5 * time.Minute
	sendTime     = 2 * time.Second
)

// Read sends a request that changes nothing, unless err says that it could not be made,
// and sends it again while that helps. It returns an answer of success; errors are
// *directory.Error. It is for the packages below this one.
func (c *Client) Read(ctx context.Context, operation string, info *abstractions.RequestInformation, err error) (got answer.Answer, _ error) {
	made := err
	err = persist(ctx, func() error {
		got, err = c.Send(ctx, operation, info, made)
		return err
	})
	return got, err
}

// persist calls try, and again while its error is one that passes and ctx has the time.
func persist(ctx context.Context, try func() error) error {
	for pause := firstPause; ; pause *= 2 {
		err := try()
		if pause > lastPause || !passing(err) {
			return err
		}
		distance := apart(err, pause)
		if distance > readPatience || !waitInTime(ctx, distance) {
			return err
		}
	}
}

// passing tells whether the same request can succeed a moment later.
func passing(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Operation == directory.Token || e.OfCredential() {
		return false
	}
	switch status := e.StatusCode; {
	case status == 0: // lost, unless the request could not even be made
		return !e.NotDone || e.ClientRequestID != ""
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return true
	case status < 300: // the answer broke off
		return true
	default:
		return status >= 500 || e.Code == invalidToken
	}
}

// apart is how long to wait: as long as Graph asks, but not less than half the pause,
// and some of the other half, so that programs that failed together do not return
// together. The clock is random enough for that, and repeatable in a test.
func apart(err error, pause time.Duration) time.Duration {
	half := pause / 2
	jitter := time.Duration(time.Now().UnixNano()) % half
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return max(e.RetryAfter, half) + jitter
	}
	return half + jitter
}

// waitInTime tells whether there is time to wait for so long and make another attempt,
// after it has waited.
func waitInTime(ctx context.Context, pause time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < pause+sendTime {
		return false
	}
	return wait.For(ctx, pause) == nil
}
