package msgraphtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxParts is how many requests a [JSON batch] may have.
//
// [JSON batch]: https://learn.microsoft.com/graph/json-batching
const maxParts = 20

// batchRequest is the body of POST /$batch.
type batchRequest struct {
	Requests []batchPart `json:"requests"`
}

// batchPart is one request of a $batch.
type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"` // not emulated
}

// batchResponse is what a $batch is answered, in no particular order.
type batchResponse struct {
	Responses []partResponse `json:"responses"`
}

type partResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// receiveBatch reads an envelope, so that faults can see how many parts it has.
func (s *Server) receiveBatch(c *call) stage {
	var batch batchRequest
	err := json.Unmarshal(c.body, &batch)
	c.record.Parts = len(batch.Requests)
	return func(c *call) (reply, error) {
		if refusal, ok := s.authenticate(c); !ok {
			return refusal, nil
		}
		if refusal, ok := c.checkContentType(); !ok {
			return refusal, nil
		}
		if err != nil {
			return fail(http.StatusBadRequest, "BadRequest", "Invalid batch payload format."), nil
		}
		if problem := batch.problem(); problem != "" {
			return fail(http.StatusBadRequest, "BadRequest", problem), nil
		}
		return s.runBatch(c, batch.Requests)
	}
}

// problem says why a whole batch is refused, "" if it isn't.
func (b *batchRequest) problem() string {
	if len(b.Requests) == 0 {
		return "The batch has no requests."
	}
	if len(b.Requests) > maxParts {
		return fmt.Sprintf("Number of batch request steps exceeds the maximum value of %d.", maxParts)
	}
	before := make(map[string]bool) // the ids so far, in lower case
	for i := range b.Requests {
		p := &b.Requests[i]
		if problem := p.problem(before); problem != "" {
			return problem
		}
		before[strings.ToLower(p.ID)] = true
	}
	return ""
}

// problem says why a part spoils its whole batch.
func (p *batchPart) problem(before map[string]bool) string {
	switch {
	case p.ID == "":
		return "A request of the batch has no id."
	case before[strings.ToLower(p.ID)]:
		return "The request id '" + p.ID + "' is not unique within the batch."
	case p.Method == "":
		return "The request '" + p.ID + "' has no method."
	case p.URL == "" || strings.Contains(p.URL, "://"):
		return "The request '" + p.ID + "' has no relative URL."
	case len(p.DependsOn) > 0:
		return "The emulator knows no dependsOn."
	case p.writes() != (len(p.content()) > 0), p.writes() && p.header().Get("Content-Type") == "":
		return "Write request id : " + p.ID + " does not contain Content-Type header or body."
	}
	return ""
}

// writes tells a method that has a body.
func (p *batchPart) writes() bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPatch, http.MethodPut}, strings.ToUpper(p.Method))
}

// content is the body, empty where there is none.
func (p *batchPart) content() []byte {
	if body := bytes.TrimSpace(p.Body); !bytes.Equal(body, []byte("null")) {
		return body
	}
	return nil
}

func (p *batchPart) header() http.Header {
	header := make(http.Header)
	for name, value := range p.Headers {
		header.Set(name, value)
	}
	return header
}

// part is one request of a $batch under way.
type part struct {
	*batchPart
	call     *call
	carryOut stage
	reply    reply
	err      error
}

// runBatch carries the parts out.
func (s *Server) runBatch(c *call, requests []batchPart) (reply, error) {
	parts := make([]*part, len(requests))
	for i := range requests {
		parts[i] = s.receivePart(c, &requests[i])
	}
	if err := s.runParts(c, parts); err != nil {
		return reply{}, err
	}
	for _, p := range parts {
		if p.err != nil {
			return reply{}, p.err
		}
	}
	return reply{status: http.StatusOK, body: s.collect(parts)}, nil
}

// receivePart makes a call of a part. It is the envelope's caller who calls.
func (s *Server) receivePart(c *call, request *batchPart) *part {
	p := &part{batchPart: request, call: s.newCall(c.ctx, c.host, strings.ToUpper(request.Method), request.header())}
	p.call.tenant, p.call.app, p.call.roles, p.call.person = c.tenant, c.app, c.roles, c.person
	p.call.sized = true
	p.call.record.Part = true
	p.call.record.Tenant, p.call.record.App = c.tenant.id, c.app.id
	p.call.body = request.content()
	p.carryOut = s.stageOf(p)
	p.call.verdict = s.judge(p.call.record)
	return p
}

// stageOf finds out where a part goes.
func (s *Server) stageOf(p *part) stage {
	bad := func(problem string) stage {
		return always(fail(http.StatusBadRequest, "BadRequest", problem))
	}
	u, err := url.Parse("/" + strings.TrimPrefix(p.URL, "/"))
	if err == nil {
		err = p.call.locate(u.EscapedPath(), u.RawQuery)
	}
	if err != nil {
		return bad("The URL is malformed.")
	}
	if strings.EqualFold(p.call.path[0], "$batch") {
		return bad("Nested batches are not supported.")
	}
	return func(c *call) (reply, error) { return s.handle(c), nil }
}

// runParts carries parts out side by side: their latencies pass at the same time.
func (s *Server) runParts(c *call, parts []*part) error {
	var before, after time.Duration
	for _, p := range parts {
		before = max(before, p.call.verdict.before)
		after = max(after, p.call.verdict.after)
	}
	err := wait(c.ctx, before)
	for _, p := range parts {
		if err == nil {
			p.reply, p.err = s.attempt(p.call, p.carryOut)
		}
		s.note(p.call, p.reply)
	}
	if err != nil {
		return err
	}
	return wait(c.ctx, after)
}

// collect shuffles the replies, since Graph promises no order.
func (s *Server) collect(parts []*part) batchResponse {
	var all batchResponse
	for _, p := range parts {
		all.Responses = append(all.Responses, p.response())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rand.Shuffle(len(parts), func(i, j int) {
		all.Responses[i], all.Responses[j] = all.Responses[j], all.Responses[i]
	})
	return all
}

// response is the part's reply inside the envelope's, with header names in lower
// case.
func (p *part) response() partResponse {
	a := p.reply.encode(p.call)
	r := partResponse{ID: p.ID, Status: a.status, Headers: make(map[string]string), Body: a.body}
	for name, values := range a.header {
		r.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return r
}
