package msgraphtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// How Graph sends notifications, from "Receive notifications" (April 2026) in
// https://learn.microsoft.com/graph/change-notifications-delivery-webhooks.
const (
	firstAllowance = 3 * time.Second  // for the answer to a first try
	retryAllowance = 10 * time.Second // for the answer to each retry
	retriedFor     = 4 * time.Hour    // from the first try
)

// What Graph keeps to itself, and we had to choose.
const (
	firstBackoff   = 10 * time.Second       // doubled by every retry
	batchWindow    = 100 * time.Millisecond // notifications that close together may share a POST
	maxConcurrency = 16                     // POSTs under way to one endpoint
	maxAnswer      = 64 << 10               // bytes read of an answer
)

// parcel is what one POST carries.
type parcel struct {
	tenant        *Tenant
	url           string
	notifications []*notification
	attempts      int           // so far
	first         time.Duration // when it was first tried
}

// mergeable tells whether other may travel in the same POST.
func (p *parcel) mergeable(other *parcel) bool {
	return p.attempts+other.attempts == 0 && p.tenant == other.tenant && p.url == other.url
}

// abandoned tells whether every subscription that the parcel is for has ended.
func (p *parcel) abandoned() bool {
	for _, n := range p.notifications {
		if !n.sub.ended {
			return false
		}
	}
	return true
}

// allowance is the time the subscriber has to answer the next try.
func (p *parcel) allowance() time.Duration {
	if p.attempts == 0 {
		return firstAllowance
	}
	return retryAllowance
}

// endpoint is where notifications go: a host and path, whatever the query. That
// Graph judges it by how slowly it answers is not emulated.
type endpoint struct {
	later   map[time.Duration][]*parcel // by when they are due
	ready   []*parcel                   // due, and not sent yet
	sending int                         // POSTs under way
}

// endpoint finds the one that a notification URL leads to. s.mu is held.
func (s *Server) endpoint(rawURL string) *endpoint {
	key := rawURL
	if u, err := url.Parse(rawURL); err == nil {
		key = u.Host + u.EscapedPath()
	}
	if s.hub.endpoints[key] == nil {
		s.hub.endpoints[key] = &endpoint{later: make(map[time.Duration][]*parcel)}
	}
	return s.hub.endpoints[key]
}

// enqueue lets the parcel be sent after the wait. Where parcels may be merged
// or shuffled, those of one window become due together. s.mu is held.
func (s *Server) enqueue(ep *endpoint, p *parcel, wait time.Duration) {
	now := s.hub.clock()
	due := now + wait
	if s.opts.Delivery.BatchMax > 1 || s.opts.Delivery.Shuffle {
		due = due.Truncate(batchWindow) + batchWindow
	}
	if len(ep.later[due]) == 0 {
		time.AfterFunc(due-now, func() { s.mature(ep, due) })
	}
	ep.later[due] = append(ep.later[due], p)
}

// mature sends what has become due.
func (s *Server) mature(ep *endpoint, due time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parcels := ep.later[due]
	delete(ep.later, due)
	if s.opts.Delivery.Shuffle {
		s.rand.Shuffle(len(parcels), func(i, j int) { parcels[i], parcels[j] = parcels[j], parcels[i] })
	}
	ep.ready = append(ep.ready, parcels...)
	s.pump(ep)
}

// pump sends what is due. s.mu is held.
func (s *Server) pump(ep *endpoint) {
	for s.hub.ctx.Err() == nil && len(ep.ready) > 0 && ep.sending < maxConcurrency {
		s.launch(ep, ep.next(s.opts.Delivery.BatchMax))
	}
}

// next takes the first parcel, and as many of the following into it as may
// travel together.
func (ep *endpoint) next(batchMax int) *parcel {
	p := ep.ready[0]
	n := 1
	for n < len(ep.ready) && len(p.notifications) < batchMax && p.mergeable(ep.ready[n]) {
		p.notifications = append(p.notifications, ep.ready[n].notifications...)
		n++
	}
	ep.ready = ep.ready[n:]
	return p
}

// launch sends the parcel in a goroutine of its own. s.mu is held.
func (s *Server) launch(ep *endpoint, p *parcel) {
	allowance := p.allowance()
	if p.attempts == 0 {
		p.first = s.hub.clock()
	}
	p.attempts++
	body := p.render()
	ep.sending++
	s.hub.running.Go(func() {
		a := s.post(s.hub.ctx, p.url, "application/json; charset=utf-8", body, allowance)
		s.settle(ep, p, a.status/100 == 2 && a.took < allowance)
	})
}

// settle draws the conclusions of a try and sends what is due next. A parcel that
// was not delivered is sent again later, unless it is too late or in vain.
func (s *Server) settle(ep *endpoint, p *parcel, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ep.sending--
	wait := firstBackoff << (p.attempts - 1)
	if late := s.hub.clock()+wait-p.first > retriedFor; delivered || late || p.abandoned() {
		p.tenant.hub.pending -= len(p.notifications)
	} else {
		s.enqueue(ep, p, wait)
	}
	s.pump(ep)
}

// outcome is what an endpoint made of a POST.
type outcome struct {
	status      int // 0 if there was none
	contentType string
	body        []byte
	took        time.Duration
	err         error
}

// post sends a body and measures the answer, which counts as late even if the
// transport ignored its context. Redirects are not followed.
func (s *Server) post(ctx context.Context, url, contentType string, body []byte, allowance time.Duration) outcome {
	ctx, cancel := context.WithTimeout(ctx, allowance)
	defer cancel()
	start := time.Now()
	a := s.send(ctx, url, contentType, body)
	a.took = time.Since(start)
	return a
}

func (s *Server) send(ctx context.Context, url, contentType string, body []byte) outcome {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := s.opts.Notify.RoundTrip(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return outcome{err: err}
	}
	return outcome{status: resp.StatusCode, contentType: resp.Header.Get("Content-Type"), body: got}
}
