package msgraph

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// maxAnswer is the most that is read of an answer, in bytes. Twenty users are
// some 20 KiB; a page of 999 users or of domains is less than 1 MiB.
const maxAnswer = 8 << 20

// idleConnections is how long an unused connection is kept. A Lambda environment
// is frozen between invocations while the other side closes its end; to write
// into such a connection ends in a reset, of which nobody can say whether the
// request arrived. net/http judges the age by the wall clock, so it holds after
// a thaw.
const idleConnections = 30 * time.Second

// orDefault returns the transport, or if there is none, a copy of net/http's.
func orDefault(transport http.RoundTripper) http.RoundTripper {
	if transport != nil {
		return transport
	}
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	standard = standard.Clone()
	standard.IdleConnTimeout = idleConnections
	return standard
}

// limited ends an answer that grows beyond maxAnswer with an error.
type limited struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err == nil && resp != nil && resp.Body != nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// wire is the last step before the transport. It tells failures before a request
// left from those after, and keeps the SDK and net/http from sending one twice.
type wire struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. Its errors are *undelivered.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, &undelivered{err: err, unsent: true}
	}
	var conn connection
	req, err := measured(req.WithContext(httptrace.WithClientTrace(req.Context(), conn.trace())))
	if err != nil {
		return nil, &undelivered{err: err, unsent: true}
	}
	resp, err := limited(w).RoundTrip(req)
	if err != nil {
		return nil, &undelivered{
			err:             err,
			clientRequestID: req.Header.Get(answer.ClientRequestID),
			unsent:          conn.missing() || isDial(err),
		}
	}
	return once(resp, req), nil
}

// measured gives a request its Content-Length, for which Graph answers 411 and
// which the SDK leaves to its compression handler. The body gets no GetBody, so
// net/http cannot send it a second time on another connection.
func measured(req *http.Request) (*http.Request, error) {
	if req.Body == nil {
		return req, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	req.GetBody = nil
	return req, nil
}

// once takes from a response what would make the layers above send the request
// again or fail in doing so: the SDK follows a claims challenge, and panics on
// one without quotes; net/http fails on a Location that is not an address.
func once(resp *http.Response, req *http.Request) *http.Response {
	resp.Header.Del("WWW-Authenticate")
	resp.Header.Del("Location")
	// What we called the request is more certain than what the answer repeats.
	resp.Header.Set(answer.ClientRequestID, req.Header.Get(answer.ClientRequestID))
	return resp
}

// connection watches whether a request that asked for a connection got one.
type connection struct{ asked, got atomic.Bool }

func (c *connection) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { c.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.got.Store(true) },
	}
}

// missing tells that there was never a connection to write to. A transport that
// is not net/http's tells nothing, and then it is not certain.
func (c *connection) missing() bool { return c.asked.Load() && !c.got.Load() }

// isDial tells whether err is a connection that could not be opened.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// undelivered is a request that got no answer.
type undelivered struct {
	err             error
	clientRequestID string
	// unsent tells that the request certainly did not leave.
	unsent bool
}

func (u *undelivered) Error() string { return u.err.Error() }
func (u *undelivered) Unwrap() error { return u.err }
