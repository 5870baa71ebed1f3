package msgraph

import (
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
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
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// connection watches whether a request that asked for a connection got one.
type connection struct{ asked, got atomic.Bool }

func (c *connection) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { c.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.got.Store(true) },
	}
}

// missing tells that there was never a connection to write to, so that the request
// certainly did not leave. A transport that is not net/http's tells nothing, and then it
// is not certain.
func (c *connection) missing() bool { return c.asked.Load() && !c.got.Load() }

// clock is Graph's, as far as the Date headers of its answers tell, which have whole
// seconds: it is never ahead of Graph, and never goes back.
type clock struct {
	mu       sync.Mutex
	at, read time.Time // Graph's moment, and ours when we read it
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed()
}

func (c *clock) passed() time.Time {
	if c.at.IsZero() {
		return c.at
	}
	return c.at.Add(time.Since(c.read))
}

func (c *clock) set(date string) {
	at, err := http.ParseTime(date)
	c.mu.Lock()
	defer c.mu.Unlock()
	// It never goes back, so a Date that is nonsense would stay.
	if err == nil && at.Year() < 2100 && at.After(c.passed()) {
		c.at, c.read = at, time.Now()
	}
}
