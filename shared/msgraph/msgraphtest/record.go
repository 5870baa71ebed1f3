package msgraphtest

import (
	"net/http"
	"strings"
	"time"
)

// A Request is one request or one part of a $batch, as the server saw it.
type Request struct {
	Time time.Time
	// Tenant and App are ids: those the bearer token names, good or not, or
	// those the token endpoint was asked for.
	Tenant, App string
	Method      string
	Host        string
	// Path is after /v1.0 for Graph ("/$batch" for an envelope), the whole
	// path for a login host; escaped as it was sent.
	Path string
	// Query is as it was sent, without the question mark.
	Query string
	// Part tells a part of a $batch; Parts counts those of an envelope.
	Part  bool
	Parts int
	// Status and Code are those of the answer; they are not known yet when a
	// [Fault] is matched. Status is 0 where no answer came.
	Status int
	Code   string
	// Token tells a login host: the token endpoint or its discovery.
	Token bool
	// Wrote tells that the call took effect as a write to the directory,
	// whatever was answered.
	Wrote bool
}

// issuesToken tells whether the request is for the token endpoint itself.
func (r *Request) issuesToken() bool { return r.Token && r.Method == http.MethodPost }

// revokes tells a call of revokeSignInSessions, however it is written.
func (r *Request) revokes() bool {
	return strings.HasSuffix(strings.ToLower(r.Path), "revokesigninsessions")
}

// Counts are how much a [Server] was asked.
type Counts struct {
	// HTTP counts requests to Graph over the wire: a $batch is one.
	HTTP int
	// Parts counts parts of $batches.
	Parts int
	// Throttled counts calls and parts that were answered 429.
	Throttled int
	// Writes counts calls and parts that took effect as a write to the
	// directory; subscriptions are none.
	Writes int
}

// Counts returns what the server was asked so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// note counts and records a call that has ended.
func (s *Server) note(c *call, r reply) {
	c.record.Time = c.now
	c.record.Status, c.record.Code = r.status, r.code()
	s.mu.Lock()
	s.counts.add(&c.record)
	s.mu.Unlock()
	if s.opts.Record != nil {
		s.opts.Record(c.record)
	}
}

func (n *Counts) add(r *Request) {
	switch {
	case r.Part:
		n.Parts++
	case !r.Token:
		n.HTTP++
	}
	if r.Status == http.StatusTooManyRequests {
		n.Throttled++
	}
	if r.Wrote {
		n.Writes++
	}
}
