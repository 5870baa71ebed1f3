package msgraphtest

import (
	"bytes"
	"container/heap"
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

	due      time.Duration // on the hub's clock
	order    uint64        // among those due at the same time
	attempts int           // so far
	first    time.Duration // when it was first tried
}

// size is how many notifications the parcel counts for.
func (p *parcel) size() int { return len(p.notifications) }

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

// queue is a heap of parcels, the next due first.
type queue []*parcel

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].order < q[j].order
}
func (q *queue) Push(p any) { *q = append(*q, p.(*parcel)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return p
}

// endpoint is where notifications go: a host and path, whatever the query. That
// Graph judges it by how slowly it answers is not emulated.
type endpoint struct {
	queue   queue
	wake    alarm // rings when the queue's first is due
	sending int   // POSTs under way
}

// endpoint finds the one that a notification URL leads to. s.mu is held.
func (s *Server) endpoint(rawURL string) *endpoint {
	s.hub.open()
	key := rawURL
	if u, err := url.Parse(rawURL); err == nil {
		key = u.Host + u.EscapedPath()
	}
	if s.hub.endpoints[key] == nil {
		s.hub.endpoints[key] = &endpoint{}
	}
	return s.hub.endpoints[key]
}

// enqueue lets the parcel be sent after the wait. Where parcels may be merged
// or shuffled, those of one window become due together. s.mu is held.
func (s *Server) enqueue(ep *endpoint, p *parcel, wait time.Duration) {
	d := &s.opts.Delivery
	p.due = s.hub.clock() + wait
	if d.BatchMax > 1 || d.Shuffle {
		p.due = p.due.Truncate(batchWindow) + batchWindow
	}
	if s.hub.order++; d.Shuffle {
		p.order = s.rand.Uint64()
	} else {
		p.order = s.hub.order
	}
	p.tenant.hub.counts.Pending += p.size()
	heap.Push(&ep.queue, p)
	s.arm(ep)
}

// arm sets the endpoint's alarm to when its next parcel is due. s.mu is held.
func (s *Server) arm(ep *endpoint) {
	if len(ep.queue) == 0 || ep.sending >= maxConcurrency {
		return // nothing to send, or the next answer sends on
	}
	due := ep.queue[0].due
	if ep.wake.timer == nil || due < ep.wake.at {
		s.setAlarm(&ep.wake, due, func() { s.pump(ep) })
	}
}

// pump sends what is due. s.mu is held.
func (s *Server) pump(ep *endpoint) {
	now := s.hub.clock()
	for !s.hub.closed && len(ep.queue) > 0 && ep.queue[0].due <= now && ep.sending < maxConcurrency {
		p := ep.next(now, s.opts.Delivery.BatchMax)
		s.launch(ep, p, now)
	}
	s.arm(ep)
}

// next takes the first parcel, and as many of the following into it as may
// travel together.
func (ep *endpoint) next(now time.Duration, batchMax int) *parcel {
	p := heap.Pop(&ep.queue).(*parcel)
	for len(ep.queue) > 0 && len(p.notifications) < batchMax {
		following := ep.queue[0]
		if following.due > now || !p.mergeable(following) {
			break
		}
		heap.Pop(&ep.queue)
		p.notifications = append(p.notifications, following.notifications...)
	}
	return p
}

// launch sends the parcel in a goroutine of its own. s.mu is held.
func (s *Server) launch(ep *endpoint, p *parcel, now time.Duration) {
	allowance := p.allowance()
	if p.attempts == 0 {
		p.first = now
	}
	p.attempts++
	p.tenant.hub.counts.Posts++
	body := p.render()
	ep.sending++
	s.hub.running.Go(func() {
		a := s.post(s.hub.ctx, p.url, "application/json; charset=utf-8", body, allowance)
		s.settle(ep, p, a.status/100 == 2 && a.took < allowance)
	})
}

// settle draws the conclusions of a try and sends what is due next.
func (s *Server) settle(ep *endpoint, p *parcel, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.hub.clock()
	ep.sending--
	if counts := &p.tenant.hub.counts; delivered {
		counts.Delivered += p.size()
		counts.Pending -= p.size()
	} else {
		s.retry(ep, p, now)
	}
	s.pump(ep)
}

// retry sends the parcel again later, unless it is too late or in vain. s.mu is
// held.
func (s *Server) retry(ep *endpoint, p *parcel, now time.Duration) {
	p.due = now + firstBackoff<<(p.attempts-1)
	if p.due-p.first > retriedFor || p.abandoned() {
		s.giveUp(p)
		return
	}
	p.tenant.hub.counts.Retried += p.size()
	heap.Push(&ep.queue, p)
}

// giveUp gives the parcel up. s.mu is held.
func (s *Server) giveUp(p *parcel) {
	p.tenant.hub.counts.Pending -= p.size()
	p.tenant.hub.counts.Dropped += p.size()
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
	resp, err := s.notifier().RoundTrip(req)
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

// notifier is the way to the subscribers.
func (s *Server) notifier() http.RoundTripper {
	if s.opts.Notify == nil {
		return http.DefaultTransport
	}
	return s.opts.Notify
}
