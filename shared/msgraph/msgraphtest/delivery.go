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

// tenantHub is what a tenant's deliveries need; the zero value is ready.
type tenantHub struct {
	subscriptions []*subscription // oldest first
	pending       int             // notifications on their way
}

// serverHub is the machinery of all deliveries. Its goroutines only exist while
// there is something to do.
type serverHub struct {
	ctx       context.Context //nolint:containedctx // of everything sent; ends with the server
	cancel    context.CancelFunc
	epoch     time.Time            // clock counts from here
	endpoints map[string]*endpoint // by host and path
	sequence  int64                // the last sequenceNumber
	shakes    int                  // handshakes begun
	running   sync.WaitGroup       // POSTs under way
}

func newHub() serverHub {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // deliveries outlive the calls that caused them; Close ends them
	return serverHub{ctx: ctx, cancel: cancel, epoch: time.Now(), endpoints: make(map[string]*endpoint)}
}

// clock is the time on which waiting is measured; the calendar may be another.
func (h *serverHub) clock() time.Duration { return time.Since(h.epoch) }

// closeDelivery gives up what is not delivered and waits until nothing runs.
func (s *Server) closeDelivery() {
	s.mu.Lock()
	s.hub.cancel()
	s.mu.Unlock()
	s.hub.running.Wait()
}

// changed tells the subscribers of the tenant that a user changed. To Graph a
// creation and a soft deletion are updates too; "deleted" is permanent. s.mu is
// held.
func (s *Server) changed(t *Tenant, userID string, properties int) {
	if len(t.hub.subscriptions) == 0 || s.hub.ctx.Err() != nil {
		return
	}
	now := s.now()
	for _, sub := range s.liveSubscriptions(t, now) {
		if sub.updated {
			for range s.opts.Delivery.Copies.of(properties) {
				s.tell(s.newNotification(sub, userID, now))
			}
		}
	}
}

// tell decides the fate of a notification. s.mu is held.
func (s *Server) tell(n *notification) {
	d := &s.opts.Delivery
	switch {
	case d.Off, s.chance(d.LossChance):
	case s.chance(d.DuplicateChance):
		s.dispatchNotification(n)
		s.dispatchNotification(n)
	default:
		s.dispatchNotification(n)
	}
}

// dispatchNotification puts a notification on its way. s.mu is held.
func (s *Server) dispatchNotification(n *notification) {
	n.sub.tenant.hub.pending++
	p := &parcel{tenant: n.sub.tenant, url: n.sub.url, notifications: []*notification{n}}
	s.enqueue(s.endpoint(n.sub.url), p, s.latency())
}

// latency draws how long a notification takes. s.mu is held.
func (s *Server) latency() time.Duration {
	d := &s.opts.Delivery
	if d.Jitter <= 0 {
		return d.Latency
	}
	return d.Latency + time.Duration(s.rand.Int64N(int64(d.Jitter)))
}

// SetDelivery changes how notifications are delivered from now on, whatever
// tenant they are of. What is on its way stays as it was.
func (s *Server) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Delivery = d
}

// Idle tells whether nothing is on its way to a subscriber of the tenant, not
// even a notification that waits to be tried again.
func (t *Tenant) Idle() bool {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.hub.pending == 0
}
