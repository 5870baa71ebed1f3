package main

import (
	"context"
	"maps"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// A tally counts what goes by: what the webhook received, what the revoker
// decided, what Graph was asked.
type tally struct {
	app string // the client id of sessionstamp

	mu       sync.Mutex
	expected int // users who are to be created, as far as the story has come
	created  int
	due      int // users created who are to be stamped
	items    int
	resent   int
	dropped  map[string]int
	last     map[string]revocation.Reason // the latest end of each user
	missed   map[string]bool              // users stamped of whom no notification told
	requests int
	throttle int
}

func newTally() *tally {
	return &tally{dropped: make(map[string]int), last: make(map[string]revocation.Reason), missed: make(map[string]bool)}
}

// Observe implements [revocation.Observer].
func (t *tally) Observe(_ context.Context, o revocation.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.Verdict != revocation.Done || o.Reason == revocation.ReasonKnownStamped {
		return
	}
	if o.Request.Missed && o.Request.Source == revocation.SourceSweep && (o.Reason == revocation.ReasonRevoked || o.Reason == revocation.ReasonReadBack) {
		t.missed[o.Request.User] = true
	}
	// A notification that was overtaken says less than what the ledger knows.
	if t.last[o.Request.User] != revocation.ReasonReadBack {
		t.last[o.Request.User] = o.Reason
	}
}

// ObserveReceipt implements [webhook.Observer].
func (t *tally) ObserveReceipt(_ context.Context, r webhook.Receipt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Status == 503 {
		t.resent += r.Items
		return
	}
	t.items += r.Items
	for reason, n := range r.Dropped {
		t.dropped[string(reason)] += n
	}
}

// record counts the requests that sessionstamp's own app makes to Graph.
func (t *tally) record(r msgraphtest.Request) {
	if r.Token || r.App != t.app {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !r.Part {
		t.requests++
	}
	if r.Status == 429 {
		t.throttle++
	}
}

func (t *tally) expect(users int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expected += users
}

func (t *tally) addCreated(inScope bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.created++
	if inScope {
		t.due++
	}
}

// progress is what a display shows while it runs.
type progress struct {
	expected, created, due, revoked, confirmed, waiting, forged, throttled, died int
}

func (t *tally) progress() progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := progress{
		expected:  t.expected,
		created:   t.created,
		due:       t.due,
		forged:    t.dropped[string(webhook.Forged)],
		throttled: t.throttle,
	}
	for _, reason := range t.last {
		switch reason {
		case revocation.ReasonReadBack:
			p.confirmed++
			p.revoked++
		case revocation.ReasonRevoked, revocation.ReasonReadBackPending:
			p.revoked++
		default:
		}
	}
	return p
}

// fill writes the counts into r.
func (t *tally) fill(r *result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Notifications, r.NotificationsReSent = t.items, t.resent
	r.Dropped = maps.Clone(t.dropped)
	r.ForgedDropped = t.dropped[string(webhook.Forged)]
	r.GraphRequests, r.GraphThrottled = t.requests, t.throttle
	r.MissedByWebhook = len(t.missed)
	r.LeftAlone = make(map[string]int)
	for _, reason := range t.last {
		switch reason {
		case revocation.ReasonReadBack:
			r.ReadBack++
		case revocation.ReasonRevoked, revocation.ReasonReadBackPending:
		default:
			r.LeftAlone[string(reason)]++
		}
	}
}
