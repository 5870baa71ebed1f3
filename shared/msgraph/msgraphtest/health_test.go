package msgraphtest

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// trickle causes a change every second, n times.
func (b *bench) trickle(n int) {
	for range n {
		b.change(benchUser, "updated", 1)
		time.Sleep(time.Second)
	}
}

func (b *bench) standing() standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.endpoint(hookURL).health.standing
}

// slowFor answers so many POSTs only after a while.
func slowFor(posts int, d time.Duration) func(int) time.Duration {
	return func(n int) time.Duration {
		if n <= posts {
			return d
		}
		return 0
	}
}

func TestSlowEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{JudgedAfter: 20})
		b.subscriber.delay = slowFor(20, 4*time.Second)
		b.subscribe(t, nil)
		b.trickle(30)
		if got := b.standing(); got != slow {
			t.Fatalf("the endpoint's standing is %v, want slow", got)
		}
		time.Sleep(8 * time.Minute)
		before := len(b.subscriber.received())
		b.trickle(10)
		if got := len(b.subscriber.received()); got != before {
			t.Errorf("%d notifications arrived at a slow endpoint at once", got-before)
		}
		time.Sleep(10 * time.Minute)
		if got := len(b.subscriber.received()); got <= before {
			t.Error("nothing arrived after ten minutes")
		}
		b.trickle(probesPerLook + 1)
		if got := b.standing(); got != well {
			t.Errorf("after quick answers the standing is %v, want well", got)
		}
		time.Sleep(time.Hour)
		if !b.tenant.Idle() || b.tenant.Deliveries().Dropped != 0 {
			t.Errorf("in the end: %+v", b.tenant.Deliveries())
		}
	})
}

// TestDroppedEndpoint has an endpoint that hears nothing for a while.
func TestDroppedEndpoint(t *testing.T) {
	t.Parallel()
	for name, judgedAfter := range map[string]int{"at once": 40, "after it was slow": 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{JudgedAfter: judgedAfter})
				dead := b.subscriber.dead()
				b.subscribe(t, nil)
				b.trickle(60)
				if got := b.standing(); got != dropped {
					t.Fatalf("the endpoint's standing is %v, want dropped", got)
				}
				dead.Store(false)
				lost, before := b.tenant.Deliveries().Dropped, len(b.subscriber.received())
				b.trickle(10)
				if got := b.tenant.Deliveries().Dropped - lost; got < 10 || len(b.subscriber.received()) != before {
					t.Errorf("%d of 10 notifications dropped", got)
				}
				time.Sleep(sentenceLife)
				b.trickle(probesPerLook + 1)
				if got := b.standing(); got != well {
					t.Errorf("after good probes the standing is %v, want well", got)
				}
			})
		})
	}
}

// dead makes the subscriber answer nothing in time, until told otherwise.
func (e *subscriber) dead() *atomic.Bool {
	var dead atomic.Bool
	dead.Store(true)
	e.delay = func(int) time.Duration {
		if dead.Load() {
			return time.Minute
		}
		return 0
	}
	return &dead
}

func TestProbesThatFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{JudgedAfter: 40})
		b.subscriber.dead()
		b.subscribe(t, nil)
		b.trickle(60)
		time.Sleep(sentenceLife)
		before := len(b.subscriber.received())
		b.trickle(60)
		if got := len(b.subscriber.received()) - before; got != probesPerLook {
			t.Errorf("%d POSTs to an endpoint that is looked at again, want the %d probes", got, probesPerLook)
		}
		if got := b.standing(); got != dropped {
			t.Errorf("after bad probes the standing is %v, want dropped", got)
		}
	})
}

func TestHealthJudgement(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                  string
		quick, middling, late int // responses: in time, over 3 s, over 10 s
		want                  standing
	}{
		{"quick", 100, 0, 0, well},
		{"10 % slow", 90, 10, 0, well},
		{"11 % slow", 89, 11, 0, slow},
		{"15 % late", 85, 0, 15, slow},
		{"16 % late", 84, 0, 16, dropped},
		{"too few to judge", 0, 0, 99, well},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var h health
			for _, part := range []struct {
				n    int
				took time.Duration
			}{{tt.quick, time.Second}, {tt.middling, 4 * time.Second}, {tt.late, 10 * time.Second}} {
				for range part.n {
					h.record(time.Minute, part.took, minJudgement)
				}
			}
			if h.standing != tt.want {
				t.Errorf("the standing is %v, want %v", h.standing, tt.want)
			}
		})
	}
}

func TestHealthForgetsAfterTenMinutes(t *testing.T) {
	t.Parallel()
	var h health
	for range 99 {
		h.record(time.Minute, 4*time.Second, minJudgement)
	}
	h.record(healthWindow+time.Second, 4*time.Second, minJudgement)
	if h.standing != well {
		t.Errorf("the standing is %v by responses of two windows, want well", h.standing)
	}
}

// TestEndpointIsHostAndPath shows what shares one standing.
func TestEndpointIsHostAndPath(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.endpoint(hookURL) != b.endpoint(hookURL+"?code=x") {
		t.Error("a query makes another endpoint")
	}
	if b.endpoint(hookURL) == b.endpoint(lifeURL) {
		t.Error("another path makes the same endpoint")
	}
}
