package msgraphtest

import (
	"cmp"
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// receive makes a call of what came in, asks the injected faults about it, and
// says who carries it out.
func (s *Server) receive(ctx context.Context, in arrival) (*call, stage) {
	c := s.newCall(ctx, in.host, in.method, in.header)
	c.body, c.sized = in.body, in.sized
	c.record.Query = in.url.RawQuery
	var carryOut stage
	switch {
	case isLogin(in.host):
		carryOut = s.receiveLogin(c, in.url)
	default:
		carryOut = s.receiveGraph(c, in.url)
	}
	if in.refusal != nil {
		carryOut = always(*in.refusal)
	}
	c.verdict = s.judge(c.record)
	return c, carryOut
}

// newCall fills in what direct calls and parts have in common.
func (s *Server) newCall(ctx context.Context, host, method string, header http.Header) *call {
	c := &call{ctx: ctx, host: host, method: method, header: header, now: s.now()}
	s.mu.Lock()
	c.requestID = s.newID()
	s.mu.Unlock()
	c.clientRequestID = cmp.Or(header.Get("client-request-id"), c.requestID)
	c.record = Request{Time: c.now, Method: method, Host: host}
	return c
}

// receiveGraph takes the API version off the path. Only v1.0 is emulated, and
// an app that calls beta breaks an invariant of the product.
func (s *Server) receiveGraph(c *call, u *url.URL) stage {
	c.record.Tenant, c.record.App = s.peek(bearer(c.header))
	version, rest, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if version != "v1.0" {
		c.record.Path = u.EscapedPath()
		return s.wrongVersion(version)
	}
	if err := c.locate("/"+rest, u.RawQuery); err != nil {
		return always(fail(http.StatusBadRequest, "BadRequest", err.Error()))
	}
	if len(c.path) == 1 && strings.EqualFold(c.path[0], "$batch") && c.method == http.MethodPost {
		return s.receiveBatch(c)
	}
	return s.dispatch
}

// locate sets path and query of a call from their escaped forms.
func (c *call) locate(escapedPath, rawQuery string) error {
	c.record.Path, c.record.Query = escapedPath, rawQuery
	for part := range strings.SplitSeq(strings.TrimPrefix(escapedPath, "/"), "/") {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return err
		}
		c.path = append(c.path, segments(decoded)...)
	}
	var err error
	c.query, err = url.ParseQuery(rawQuery)
	return err
}

// segments takes what OData lets a client write as one segment apart, and leaves
// out what makes no difference: users('id') is users/id, the alternate
// key of applications(appId='id') a segment of its own, and
// microsoft.graph.delta() is delta.
func segments(part string) []string {
	if name, key, ok := strings.Cut(part, "('"); ok && strings.HasSuffix(key, "')") {
		return []string{name, strings.TrimSuffix(key, "')")}
	}
	if name, key, ok := strings.Cut(part, "("); ok && strings.Contains(key, "='") && strings.HasSuffix(key, "')") {
		return []string{name, strings.TrimSuffix(key, ")")}
	}
	part = strings.TrimSuffix(strings.TrimPrefix(part, "microsoft.graph."), "()")
	return []string{part}
}

func (s *Server) wrongVersion(version string) stage {
	return func(c *call) (reply, error) {
		if version == "beta" {
			s.mu.Lock()
			s.violate("the beta version of Graph was called: " + c.method + " " + c.record.Path)
			s.mu.Unlock()
			return fail(http.StatusNotFound, "BadRequest", "The emulator has v1.0 only, not beta."), nil
		}
		return fail(http.StatusBadRequest, "BadRequest", "Invalid version: "+version), nil
	}
}

// always answers the same whatever the call.
func always(r reply) stage {
	return func(*call) (reply, error) { return r, nil }
}

// checkContentType refuses a body of which the caller doesn't say that it is
// JSON.
func (c *call) checkContentType() (refusal reply, ok bool) {
	if len(c.body) == 0 {
		return reply{}, true
	}
	given := c.header.Get("Content-Type")
	if given == "" {
		return fail(http.StatusBadRequest, "Request_BadRequest",
			"Write requests (excluding DELETE) must contain the Content-Type header declaration."), false
	}
	if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "Request_BadRequest",
			"The media type '"+given+"' is not supported."), false
	}
	return reply{}, true
}
