package main

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// mostFaults is how many calls of Graph for the same thing may be hit, so that the bound
// can be kept.
const mostFaults = 4

// breakThings injects the faults of Graph, of its token endpoint and of the way to the
// webhook. All end with the play.
func (w *world) breakThings() {
	hits := hits{calls: make(map[string]int)}
	some := func(r msgraphtest.Request) bool { return w.ours(r) && hits.mayHit(r) }
	chance := 0.1 * w.random.Float64()
	for _, f := range []msgraphtest.Fault{
		{Match: some, Chance: chance, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
		{Match: some, Chance: chance, After: true, Status: http.StatusGatewayTimeout, Code: "UnknownError"},
		{Match: some, Chance: chance, Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Second + w.upTo(time.Minute)},
		{Match: some, Chance: chance, Latency: w.upTo(30 * time.Second)},
		{Match: some, Chance: chance, After: true, Latency: w.upTo(30 * time.Second)},
		{Match: some, Chance: chance / 2, Reset: true},
		{Match: some, Chance: chance / 2, Reset: true, After: true},
	} {
		time.AfterFunc(w.plan.play, w.graph.Inject(f))
	}
	w.ignoreSome()
	const long, short = 20 * time.Minute, 5 * time.Minute
	w.during(long, w.failing(w.graphFault()))
	w.during(long, w.failing(w.tokenFault()))
	w.during(long, w.frontDown)
	for range 3 {
		w.during(short, w.failing(w.envelopeFault()))
		w.during(short, w.failing(w.revokedToken()))
	}
}

// failing injects the fault for as long as it is broken.
func (w *world) failing(f msgraphtest.Fault) (broken func() (mend func())) {
	return func() func() { return w.graph.Inject(f) }
}

// blocking is failing for faults that keep users from being stamped.
func (w *world) blocking(f msgraphtest.Fault) (broken func() (mend func())) {
	return func() func() {
		began, mend := time.Now(), w.graph.Inject(f)
		return func() { mend(); w.seen.block(span{began, time.Now()}) }
	}
}

func (w *world) frontDown() (mend func()) {
	w.front.setDown(true)
	return func() { w.front.setDown(false) }
}

// ours tells whether a call is sessionstamp's.
func (w *world) ours(r msgraphtest.Request) bool { return r.App == w.tally.app }

// graphFault is Graph when it is down, whatever the call.
func (w *world) graphFault() msgraphtest.Fault {
	return msgraphtest.Fault{
		Match:  func(r msgraphtest.Request) bool { return !r.Token && w.ours(r) },
		Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable",
	}
}

// revokedToken is Graph when it no longer takes a token that is still valid. The fresh
// one may be refused as well.
func (w *world) revokedToken() msgraphtest.Fault {
	return msgraphtest.Fault{
		Match:  func(r msgraphtest.Request) bool { return !r.Token && !r.Part && w.ours(r) },
		Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Times: 1 + w.random.IntN(3),
	}
}

// tokenFault draws what the token endpoint says on a bad day.
func (w *world) tokenFault() msgraphtest.Fault {
	f := []msgraphtest.Fault{
		{Status: http.StatusBadRequest, Code: "invalid_request"},
		{Status: http.StatusUnauthorized, Code: "invalid_client"},
		{Status: http.StatusInternalServerError, Code: "server_error"},
		{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable"},
	}[w.random.IntN(4)]
	f.Match = func(r msgraphtest.Request) bool { return r.Token && w.ours(r) }
	return f
}

// envelopeFault draws how whole $batches are refused: that says nothing of any user in
// them.
func (w *world) envelopeFault() msgraphtest.Fault {
	f := []msgraphtest.Fault{
		{Status: http.StatusBadRequest, Code: "BadRequest"},
		{Status: http.StatusForbidden, Code: "Authorization_RequestDenied"},
		{Status: http.StatusNotFound, Code: "ResourceNotFound"},
		{Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Minute},
		{Status: http.StatusInternalServerError, Code: "InternalServerError", After: true},
	}[w.random.IntN(5)]
	f.Match = func(r msgraphtest.Request) bool { return r.Parts > 0 && w.ours(r) }
	return f
}

// ignoreSome lets a few revocations be accepted without effect, none of them twice for
// the same user.
func (w *world) ignoreSome() {
	ignored := hits{calls: make(map[string]int)}
	left := w.random.IntN(4)
	time.AfterFunc(w.plan.play, w.graph.Inject(msgraphtest.Fault{
		Ignored: true,
		Match:   func(r msgraphtest.Request) bool { return w.ours(r) && ignored.once(r.Path, left) },
	}))
}

// hits bounds how often the calls for one thing are hit.
type hits struct {
	mu    sync.Mutex
	calls map[string]int
}

// mayHit is asked once by each of the faults there are.
func (h *hits) mayHit(r msgraphtest.Request) bool {
	const faults = 7
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[r.Method+r.Path]++
	return h.calls[r.Method+r.Path] <= mostFaults*faults || r.Path == "/$batch"
}

// once is true at the first asking for a path, for so many of them.
func (h *hits) once(path string, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.calls) >= most {
		return false
	}
	h.calls[path]++
	return h.calls[path] == 1
}

// during lets something be broken for some time somewhere in the play, in half of the
// worlds.
func (w *world) during(most time.Duration, broken func() (mend func())) {
	if w.random.IntN(2) == 0 {
		return
	}
	w.strike(most, broken)
}

func (w *world) strike(most time.Duration, broken func() (mend func())) {
	length := w.upTo(most)
	time.AfterFunc(w.upTo(w.plan.play-length), func() {
		time.AfterFunc(length, broken())
	})
}

// scheduleDisasters draws what happens in these days, and when.
func (w *world) scheduleDisasters() {
	// An outage that outlasts the window for new users costs the machine most.
	longest := 12 * time.Hour
	if w.random.IntN(25) == 0 {
		longest = 80 * time.Hour
	}
	for _, d := range w.disasters(longest) {
		for range w.random.IntN(d.most + 1) {
			w.strike(d.length, d.strike)
		}
	}
}

// A disaster strikes up to so often, for up to so long.
type disaster struct {
	most   int
	length time.Duration
	strike func() (mend func())
}

// disasters are what can happen. Of the subscription a machine that watches knows nothing.
func (w *world) disasters(longest time.Duration) []disaster {
	if w.watcher != nil {
		return []disaster{
			{1, longest, w.blocking(w.graphFault())},
			{1, longest, w.blocking(w.tokenFault())},
			{2, 6 * time.Hour, w.failing(w.envelopeFault())},
			{5, time.Hour, w.failing(w.revokedToken())},
			{20, time.Minute, w.atOnce(w.watcher.kill)},
		}
	}
	return []disaster{
		{2, 12 * time.Hour, func() func() { return w.lose(0.1) }},
		{2, 48 * time.Hour, func() func() { return w.lose(1) }},
		{2, 12 * time.Hour, w.frontDown},
		{1, longest, w.blocking(w.graphFault())},
		{1, longest, w.blocking(w.tokenFault())},
		{2, 6 * time.Hour, w.failing(w.envelopeFault())},
		{5, time.Hour, w.failing(w.revokedToken())},
		{2, time.Minute, w.atOnce(w.dropSubscription)},
		{2, time.Minute, w.atOnce(w.expireSubscription)},
		{2, time.Minute, w.atOnce(w.replaceSubscription)},
		{2, time.Minute, w.atOnce(func() { w.plant.config.vault.store(rand.Text()) })},
		{5, time.Minute, w.atOnce(w.keepTwice)},
		{5, time.Minute, w.atOnce(w.sweepTwice)},
	}
}

// atOnce makes a strike of what needs no mending.
func (w *world) atOnce(strike func()) func() func() {
	return func() func() { strike(); return func() {} }
}

// lose loses a share of the notifications.
func (w *world) lose(share float64) (mend func()) {
	d := w.drawn
	d.LossChance = share
	w.graph.SetDelivery(d)
	return func() { w.graph.SetDelivery(w.drawn) }
}

func (w *world) dropSubscription() {
	for _, s := range w.tenant.Subscriptions() {
		w.seen.noteGap()
		w.tenant.DropSubscription(s.ID)
	}
}

func (w *world) expireSubscription() {
	for _, s := range w.tenant.Subscriptions() {
		w.seen.noteGap()
		w.tenant.ExpireSubscription(s.ID)
	}
}

// replaceSubscription makes another subscription by sessionstamp's own app in place of
// the one there is: of the same kind, so that Graph admits no second.
func (w *world) replaceSubscription() {
	w.dropSubscription()
	us := admin{tenant: w.tenant.ID(), client: w.tally.app, secret: w.admin.secret, http: w.admin.http}
	_ = us.call(w.ctx, http.MethodPost, "/subscriptions", map[string]any{
		"changeType":         "updated",
		"resource":           "users",
		"notificationUrl":    w.front.url,
		"clientState":        "of another time",
		"expirationDateTime": time.Now().Add(20 * 24 * time.Hour).UTC().Format(time.RFC3339),
	}, nil) // refused, if everything is down
}

func (w *world) keepTwice() {
	for range 2 {
		go func() { new(environment).keep(w.ctx, w.plant) }()
	}
}

func (w *world) sweepTwice() {
	if w.sparing.down.Load() {
		return // it would hear of users in time
	}
	for range 2 {
		go func() { new(environment).sweep(w.ctx, w.plant) }()
	}
}
