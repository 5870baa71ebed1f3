package msgraph

import (
	"context"
	"errors"
	"net/http"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// A read that failed for a reason that passes is tried again maxRepeats times, at
// distances that double from firstPause, or as far apart as Graph asks: for readPatience
// at most, the longest window of Graph's quotas, or for partPatience where others of a
// $batch wait for the one that failed.
const (
	maxRepeats   = 4
	firstPause   = 500 * time.Millisecond
	readPatience = 5 * time.Minute
	partPatience = 5 * time.Second
)

// invalidToken is the code by which Graph refuses a token that was revoked, or whose key
// it does not know.
const invalidToken = "InvalidAuthenticationToken"

// read sends a request that changes nothing, and sends it again while that helps.
func (c *Client) read(ctx context.Context, operation string, info *abstractions.RequestInformation) (got answer.Answer, err error) {
	err = persist(ctx, func() error {
		got, err = c.send(ctx, operation, info)
		return err
	})
	return got, err
}

// persist calls try, and again while its error is one that passes and ctx has the time.
func persist(ctx context.Context, try func() error) error {
	pause := firstPause
	for range maxRepeats {
		err := try()
		if !passing(err) {
			return err
		}
		distance := apart(err, pause)
		if distance > readPatience || !wait(ctx, distance) {
			return err
		}
		pause *= 2
	}
	return try()
}

// passing tells whether the same request can succeed a moment later.
func passing(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Operation == opToken || e.OfCredential() || errors.Is(e, errHuge) {
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

// readBatch asks about each of ids in one $batch, and again about those that failed for a
// reason that soon passes. What it asks must change nothing.
func (c *Client) readBatch(ctx context.Context, operation string, ids []string, request newRequest) ([]answer.Part, error) {
	parts, answered := make([]answer.Part, len(ids)), false
	due := make([]int, len(ids))
	for i := range due {
		due[i] = i
	}
	err := persist(ctx, func() error {
		asked := make([]string, len(due))
		for i, place := range due {
			asked[i] = ids[place]
		}
		got, err := c.batch(ctx, operation, asked, request)
		if err != nil {
			return err
		}
		answered = true
		due, err = settle(parts, due, got)
		return err
	})
	if !answered {
		return nil, err
	}
	return parts, nil
}

// settle puts each part in its place. It returns the places to ask about again, and an
// error that stands for theirs.
func settle(parts []answer.Part, places []int, got []answer.Part) (due []int, err error) {
	for i, p := range got {
		parts[places[i]] = p
		if passing(p.Err) && apart(p.Err, firstPause) <= partPatience {
			due = append(due, places[i])
			err = p.Err
		}
	}
	return due, err
}
