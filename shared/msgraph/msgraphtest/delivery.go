package msgraphtest

import (
	"context"
	"sync"
	"time"
)

// Delivery says how change notifications reach their subscribers. The zero
// value tells each subscriber of every change once and at once. As with Graph,
// no order is promised: POSTs under way at the same time overtake one another.
//
// It implements what [change notifications through webhooks] documents and
// makes a switch of what it leaves open.
//
// [change notifications through webhooks]: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
type Delivery struct {
	// Off loses every change notification, as an incident would.
	Off bool
	// Latency passes between a change and its notification, and up to Jitter
	// more, by chance. Microsoft promises nothing for users; 10 s to 30 min
	// were seen.
	Latency, Jitter time.Duration
	// Copies bounds the notifications that one change causes.
	Copies Copies
	// DuplicateChance is how often a notification is delivered a second time,
	// LossChance how often never.
	DuplicateChance, LossChance float64
	// BatchMax is the most notifications that travel in one POST; 0 means 1.
	BatchMax int
	// Shuffle sends notifications due in the same moment in any order; without
	// it they are sent, and stand in their POSTs, in the order of the changes.
	Shuffle bool
	// Shape is which of the two known forms a notification has.
	Shape Shape

	// ValidateRenewals repeats the handshake when a subscription is renewed,
	// as one report of 2026 has it.
	ValidateRenewals bool
	// PlainTokens makes every validation token like those that were seen. Without
	// it every second handshake of the server has one with quotes, ampersands,
	// percent and plus signs and what isn't ASCII: Microsoft wants the token
	// treated as opaque. No token has angle brackets or control characters,
	// because Microsoft also wants markup in it escaped, and what it expects back
	// then isn't documented.
	PlainTokens bool
	// ShortenExpiry grants the longest expiry to who asks for a longer one, as
	// one report of 2025 has it, instead of refusing.
	ShortenExpiry bool
	// ChallengeGrace is how long a challenge may stay unanswered before
	// delivery pauses; 0 means 15 minutes.
	ChallengeGrace time.Duration
}

// Copies bounds the notifications that one change causes. Graph sends about one
// for each property that changed: that number is raised to Min and cut to Max,
// where zeros mean 1.
type Copies struct{ Min, Max int }

// of is the number of notifications for a change of so many properties.
func (c Copies) of(properties int) int {
	least := max(1, c.Min)
	return min(max(properties, least), max(c.Max, least))
}

// Shape is a form of change notifications.
type Shape int

const (
	// NumberSequence is the form assembled from Event Grid's data and a group
	// notification captured in 2018: "Users/{id}" and a sequenceNumber that is
	// a JSON number above 2^53.
	NumberSequence Shape = iota
	// StringSequence is the form of 2026: "users/{id}", a sequenceNumber in a
	// string, and an id.
	StringSequence
	// MixedSequence is one or the other, by chance.
	MixedSequence
)

// Deliveries counts what became of a tenant's notifications. Each one is
// counted, not each POST, which may carry many.
type Deliveries struct {
	Delivered  int // answered 2xx in time
	Lost       int // by chance, by Delivery.Off, or in a pause
	Dropped    int // given up: after four hours, or with the subscription
	Retried    int // sent again after a failure; each time counts
	Duplicated int // delivered twice by chance
	Pending    int // on their way, now
	Posts      int // POSTs sent with any of these
}

// tenantHub is what a tenant's deliveries need; the zero value is ready.
type tenantHub struct {
	subscriptions []*subscription // oldest first
	counts        Deliveries
}

// serverHub is the machinery of all deliveries; the zero value is ready to be
// opened. Its goroutines only exist while there is something to do.
type serverHub struct {
	ctx       context.Context //nolint:containedctx // of everything sent; ends with the server
	cancel    context.CancelFunc
	epoch     time.Time            // clock counts from here
	endpoints map[string]*endpoint // by host and path
	sequence  int64                // the last sequenceNumber
	shakes    int                  // handshakes begun
	order     uint64               // the last parcel's place in line
	alarms    map[*alarm]struct{}  // set, to be stopped at the end
	running   sync.WaitGroup       // alarms set and POSTs under way
	closed    bool
}

// open makes the hub usable, once. s.mu is held.
func (h *serverHub) open() {
	if h.ctx != nil {
		return
	}
	h.ctx, h.cancel = context.WithCancel(context.Background()) //nolint:forbidigo // deliveries outlive the calls that caused them; Close ends them
	h.epoch = time.Now()
	h.endpoints = make(map[string]*endpoint)
	h.alarms = make(map[*alarm]struct{})
}

// clock is the time on which waiting is measured; the calendar may be another.
func (h *serverHub) clock() time.Duration {
	h.open()
	return time.Since(h.epoch)
}

// closeDelivery gives up what is not delivered and waits until nothing runs.
func (s *Server) closeDelivery() {
	s.mu.Lock()
	s.hub.open()
	s.hub.closed = true
	s.hub.cancel()
	for a := range s.hub.alarms {
		s.hub.stop(a)
	}
	s.mu.Unlock()
	s.hub.running.Wait()
}

// delivery is the setting now.
func (s *Server) delivery() Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Delivery
}

// changed tells the subscribers of the tenant that a user changed. To Graph a
// creation and a soft deletion are updates too; "deleted" is permanent. s.mu is
// held.
func (s *Server) changed(t *Tenant, userID string, properties int) {
	if len(t.hub.subscriptions) == 0 || s.hub.closed {
		return
	}
	now := s.now()
	for _, sub := range s.liveSubscriptions(t, now) {
		if sub.watches(userID) {
			for range s.opts.Delivery.Copies.of(properties) {
				s.tell(sub, s.newNotification(sub, userID, now))
			}
		}
	}
}

// watches tells whether the subscription is about updates of this user.
func (sub *subscription) watches(userID string) bool {
	return sub.updated && (sub.user == "" || sub.user == userID)
}

// tell decides the fate of a notification. s.mu is held.
func (s *Server) tell(sub *subscription, n *notification) {
	d, counts := &s.opts.Delivery, &sub.tenant.hub.counts
	switch {
	case s.paused(sub, n.time), d.Off, s.byChance(d.LossChance):
		counts.Lost++
	case s.byChance(d.DuplicateChance):
		counts.Duplicated++
		s.dispatchNotification(n)
		s.dispatchNotification(n)
	default:
		s.dispatchNotification(n)
	}
}

// dispatchNotification puts a notification on its way. s.mu is held.
func (s *Server) dispatchNotification(n *notification) {
	ep := s.endpoint(n.sub.url)
	p := &parcel{tenant: n.sub.tenant, url: n.sub.url, notifications: []*notification{n}}
	s.enqueue(ep, p, s.latency())
}

// latency draws how long a notification takes. s.mu is held.
func (s *Server) latency() time.Duration {
	d := &s.opts.Delivery
	if d.Jitter <= 0 {
		return d.Latency
	}
	return d.Latency + time.Duration(s.rand.Int64N(int64(d.Jitter)))
}

// byChance draws whether something happens. s.mu is held.
func (s *Server) byChance(chance float64) bool {
	return chance > 0 && s.rand.Float64() < chance
}

// SetDelivery changes how notifications are delivered from now on, whatever
// tenant they are of. What is on its way stays as it was.
func (s *Server) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Delivery = d
}

// Deliveries counts what became of the tenant's notifications so far.
func (t *Tenant) Deliveries() Deliveries {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.hub.counts
}

// Idle tells whether nothing is on its way to a subscriber of the tenant, not
// even a notification that waits to be tried again.
func (t *Tenant) Idle() bool { return t.Deliveries().Pending == 0 }
