package main

import (
	"context"
	"maps"
	"net/http"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// A tally counts what goes by: what the webhook received, what the stamper decided, what
// Graph was asked.
type tally struct {
	app string // the client id of sessionstamp

	mu       sync.Mutex
	created  int
	due      int // users created who are to be stamped
	items    int
	resent   int
	dropped  map[string]int
	last     map[string]stamp.Reason // the latest end of each user
	missed   map[string]bool         // users stamped of whom no notification told
	braked   map[string]bool         // users whom the brake has held back
	requests int
	throttle int
}

func newTally() *tally {
	return &tally{
		dropped: make(map[string]int), last: make(map[string]stamp.Reason),
		missed: make(map[string]bool), braked: make(map[string]bool),
	}
}

// Observe implements [stamp.Observer].
func (t *tally) Observe(_ context.Context, o stamp.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	user := o.Request.User
	if o.Reason == stamp.ReasonBrake {
		t.braked[user] = true
	}
	if o.Missed {
		t.missed[user] = true
	}
	// A notification that was overtaken says less than what the ledger knows.
	if o.Verdict == stamp.Done && o.Reason != stamp.ReasonKnownStamped && t.last[user] != stamp.ReasonReadBack {
		t.last[user] = o.Reason
	}
}

// ObserveReceipt implements [webhook.Observer].
func (t *tally) ObserveReceipt(_ context.Context, r webhook.Receipt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Status == http.StatusServiceUnavailable {
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
	if r.Status == http.StatusTooManyRequests {
		t.throttle++
	}
}

func (t *tally) addCreated(inScope bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.created++
	if inScope {
		t.due++
	}
}

// fill writes the counts into r.
func (t *tally) fill(r *result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Notifications, r.NotificationsReSent = t.items, t.resent
	r.Dropped = maps.Clone(t.dropped)
	r.ForgedDropped = t.dropped[string(webhook.Forged)]
	r.GraphRequests, r.GraphThrottled = t.requests, t.throttle
	r.MissedByWebhook, r.BrakeHeld = len(t.missed), len(t.braked)
	r.LeftAlone = make(map[string]int)
	for _, reason := range t.last {
		switch reason {
		case stamp.ReasonReadBack:
			r.ReadBack++
		case stamp.ReasonCalled, stamp.ReasonReadBackPending:
		default:
			r.LeftAlone[string(reason)]++
		}
	}
}
