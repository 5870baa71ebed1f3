package msgraphtest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request to Graph, on its own or as a part of a $batch, or to a
// login host.
type call struct {
	ctx             context.Context //nolint:containedctx // a call lives no longer than its request
	tenant          *Tenant         // from the bearer token
	app             *App            // the caller
	method          string          // "GET", ...
	path            []string        // decoded segments after /v1.0; users('x') is two
	query           url.Values      // decoded by url.ParseQuery: '+' is a space
	header          http.Header     // the request's
	body            []byte          // at most 4 MiB
	requestID       string          // Graph's request-id
	clientRequestID string          // the caller's, or the same
	now             time.Time       // read once, when the call is carried out
	host            string          // the Graph host called, for nextLinks and @odata.context

	sized   bool     // the request told its Content-Length, or is a part
	record  Request  // what is known of it so far
	verdict verdict  // what the injected faults do to it
	roles   []string // permissions in the token, of the app or delegated by a person
	person  string   // object id of who delegated them, "" for an app of its own
	route   *route   // once found
}

// reply is what a handler answers.
type reply struct {
	status int
	header http.Header // may be nil
	body   any         // nil: no body; else marshalled as JSON
}

// handler carries a call out. It is called without s.mu and takes it itself. A
// refusal is its error.
type handler func(s *Server, c *call) (reply, error)

// route is one thing Graph can do.
type route struct {
	method      string
	pattern     string   // "/users/{id}/revokeSignInSessions"
	permissions []string // application or delegated, any of which suffices; empty: none needed
	units       int      // resource units (throttling), 0 means 1
	write       bool     // counts against the write quota
	service     service  // whose throttling limits apply; "" is the directory
	sized       bool     // takes no body, so its Content-Length must be told: 411
	handle      handler
}

// stage carries out a call that no fault has stopped. An error means that no
// answer comes: the connection broke or the caller gave up.
type stage func(*call) (reply, error)

// run takes a call through its faults and latencies to its end.
func (s *Server) run(c *call, carryOut stage) (reply, error) {
	if err := wait(c.ctx, c.verdict.before); err != nil {
		s.note(c, reply{})
		return reply{}, err
	}
	r, err := s.attempt(c, carryOut)
	if err == nil {
		err = wait(c.ctx, c.verdict.after)
	}
	if err != nil {
		r = reply{}
	}
	s.note(c, r)
	return r, err
}

// attempt carries a call out between the faults that strike before and after.
func (s *Server) attempt(c *call, carryOut stage) (reply, error) {
	c.now = s.now()
	if c.verdict.refuses(false) {
		return c.verdict.fault.apply(c)
	}
	r, err := carryOut(c)
	if err == nil && c.verdict.refuses(true) {
		return c.verdict.fault.apply(c)
	}
	return r, err
}

// dispatch carries out a call of Graph that is not a $batch.
func (s *Server) dispatch(c *call) (reply, error) {
	if refusal, ok := s.authenticate(c); !ok {
		return refusal, nil
	}
	return s.handle(c), nil
}

// handle routes, authorizes and throttles an authenticated call before it lets
// its handler have it.
func (s *Server) handle(c *call) reply {
	if refusal, ok := s.find(c); !ok {
		return refusal
	}
	if c.route.sized && !c.sized {
		return fail(http.StatusLengthRequired, "LengthRequired", "A Content-Length header is required on the request.")
	}
	if refusal, ok := c.checkContentType(); !ok {
		return refusal
	}
	if needed := c.route.permissions; len(needed) > 0 && !c.hasRole(needed...) {
		return refusalReply(errForbidden())
	}
	admission, ok := s.throttle(c)
	if !ok {
		return admission
	}
	r := s.carryOut(c)
	c.record.Wrote = c.route.write && r.status < 300 && !c.verdict.ignores()
	for name, values := range admission.header {
		r.setHeader(name, values)
	}
	return r
}

// carryOut runs the handler, or pretends to.
func (s *Server) carryOut(c *call) reply {
	if c.verdict.ignores() {
		return reply{status: http.StatusOK, body: map[string]any{
			"@odata.context": c.context("Edm.Boolean"), "value": true}}
	}
	r, err := c.route.handle(s, c)
	if err != nil {
		return refusalReply(err)
	}
	return r
}

func (r *reply) setHeader(name string, values []string) {
	if r.header == nil {
		r.header = make(http.Header)
	}
	r.header[name] = values
}

// segments are those of the pattern.
func (r *route) segments() []string { return strings.Split(r.pattern[1:], "/") }

// matched counts how many of the leading segments of path the route matches.
func (r *route) matched(path []string) int {
	segments := r.segments()
	for i := range min(len(path), len(segments)) {
		if !strings.HasPrefix(segments[i], "{") && !strings.EqualFold(segments[i], path[i]) {
			return i
		}
	}
	return min(len(path), len(segments))
}

// find sets the route of a call, the first that matches, or refuses it: 405 where
// only the method is wrong, else 400 with the first segment that leads nowhere.
func (s *Server) find(c *call) (refusal reply, ok bool) {
	deepest, known := 0, false
	for i := range s.routes {
		r := &s.routes[i]
		n := r.matched(c.path)
		deepest = max(deepest, n)
		if n != len(c.path) || n != len(r.segments()) {
			continue
		}
		known = true
		if r.method == c.method {
			c.route = r
			return reply{}, true
		}
	}
	if known {
		return fail(http.StatusMethodNotAllowed, "Request_BadRequest",
			"Specified HTTP method is not allowed for the request target."), false
	}
	return noSuchSegment(c.path[min(deepest, len(c.path)-1)]), false
}
