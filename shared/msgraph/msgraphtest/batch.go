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
	DependsOn []string          `json:"dependsOn"`
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
	return b.unevenDependencies()
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
	}
	for _, on := range p.DependsOn {
		if !before[strings.ToLower(on)] {
			return "The request '" + p.ID + "' depends on '" + on + "', which is not among the requests before it."
		}
	}
	return ""
}

// unevenDependencies refuses what Graph cannot plan. It takes batches that are
// all parallel, all serial, or whose dependent requests all depend on the same
// request.
func (b *batchRequest) unevenDependencies() string {
	serial, same := true, true
	first := ""
	for i, p := range b.Requests {
		previous := i > 0 && len(p.DependsOn) == 1 && strings.EqualFold(p.DependsOn[0], b.Requests[i-1].ID)
		serial = serial && (i == 0 || previous)
		for _, on := range p.DependsOn {
			if first == "" {
				first = on
			}
			same = same && len(p.DependsOn) == 1 && strings.EqualFold(on, first)
		}
	}
	if serial || same {
		return ""
	}
	return "The batch is neither parallel nor serial nor dependent on one request."
}

// part is one request of a $batch under way.
type part struct {
	*batchPart
	call     *call
	carryOut stage
	reply    reply
	err      error
	done     bool
}

// runBatch carries the parts out, in waves of those that depend on nothing that
// is still to be done.
func (s *Server) runBatch(c *call, requests []batchPart) (reply, error) {
	parts := make([]*part, len(requests))
	for i := range requests {
		parts[i] = s.receivePart(c, &requests[i])
	}
	for wave := ready(parts); len(wave) > 0; wave = ready(parts) {
		if err := s.runWave(c, wave); err != nil {
			return reply{}, err
		}
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
	header := make(http.Header)
	for name, value := range request.Headers {
		header.Set(name, value)
	}
	p := &part{batchPart: request, call: s.newCall(c.ctx, c.host, strings.ToUpper(request.Method), header)}
	p.call.tenant, p.call.app, p.call.roles = c.tenant, c.app, c.roles
	p.call.sized = true
	p.call.record.Part = true
	p.call.record.Tenant, p.call.record.App = c.tenant.id, c.app.id
	if body := bytes.TrimSpace(request.Body); !bytes.Equal(body, []byte("null")) {
		p.call.body = body
	}
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
	if err != nil {
		return bad("The URL is malformed.")
	}
	if err := p.call.locate(u.EscapedPath(), u.RawQuery); err != nil {
		return bad("The URL is malformed.")
	}
	switch {
	case p.call.path[0] == "$batch":
		return bad("Nested batches are not supported.")
	case len(p.call.body) > 0 && p.call.header.Get("Content-Type") == "":
		return bad("The request '" + p.ID + "' has a body but no Content-Type header.")
	}
	return func(c *call) (reply, error) { return s.handle(c), nil }
}

// ready returns the parts that can be carried out now: all that are not done and
// whose dependencies are.
func ready(parts []*part) []*part {
	done := make(map[string]*part)
	for _, p := range parts {
		if p.done {
			done[strings.ToLower(p.ID)] = p
		}
	}
	var wave []*part
	for _, p := range parts {
		waits := slices.ContainsFunc(p.DependsOn, func(on string) bool { return done[strings.ToLower(on)] == nil })
		if p.done || waits {
			continue
		}
		for _, on := range p.DependsOn {
			if done[strings.ToLower(on)].reply.status >= 400 {
				p.carryOut = always(fail(http.StatusFailedDependency, "FailedDependency",
					"The request '"+on+"', on which this one depends, failed."))
				p.call.verdict = verdict{}
			}
		}
		wave = append(wave, p)
	}
	return wave
}

// runWave carries parts out side by side: their latencies pass at the same time.
func (s *Server) runWave(c *call, wave []*part) error {
	var before, after time.Duration
	for _, p := range wave {
		before = max(before, p.call.verdict.before)
		after = max(after, p.call.verdict.after)
	}
	err := wait(c.ctx, before)
	for _, p := range wave {
		p.done = true
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

// response is the part's reply inside the envelope's.
func (p *part) response() partResponse {
	a := p.reply.encode(p.call)
	r := partResponse{ID: p.ID, Status: a.status, Headers: make(map[string]string), Body: a.body}
	for name, values := range a.header {
		r.Headers[name] = strings.Join(values, ",")
	}
	return r
}
