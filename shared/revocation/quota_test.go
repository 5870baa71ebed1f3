package revocation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// TestPaceNeverExceedsItsShare drives the arithmetic with random callers, and
// counts every window that begins with a grant.
func TestPaceNeverExceedsItsShare(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 2))
			pace := revocation.DefaultPace
			if seed%2 == 1 {
				pace = randomPace(random)
			}
			most := int(float64(pace.Limit) * pace.Share)
			if got := busiest(pace, randomGrants(random, pace)); got > most {
				t.Errorf("%+v: %d writes in one window, want at most %d", pace, got, most)
			}
		})
	}
}

func randomPace(random *rand.Rand) revocation.Pace {
	burst := 1 + random.IntN(30)
	return revocation.Pace{
		Limit:  2*burst + 2 + random.IntN(3000),
		Window: time.Duration(1+random.IntN(300)) * time.Second,
		Share:  0.8 + 0.2*random.Float64(),
		Burst:  burst,
	}
}

// A grant is n writes at a moment.
type grant struct {
	at time.Time
	n  int
}

// randomGrants takes what a caller gets who asks in time, too early, after a
// rest, and with an occasional pause, for about three windows.
func randomGrants(random *rand.Rand, pace revocation.Pace) []grant {
	start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	var state time.Time
	var grants []grant
	for now := start; now.Sub(start) < 3*pace.Window; {
		if random.IntN(200) == 0 {
			state = pace.Hold(state, now.Add(time.Duration(random.Int64N(int64(pace.Window/10)))))
		}
		n := 1 + random.IntN(pace.Burst)
		next, wait := pace.Next(state, now, n)
		if random.IntN(10) == 0 {
			continue // is not content with the wait: nothing is reserved
		}
		state = next
		grants = append(grants, grant{now.Add(wait), n})
		switch random.IntN(10) {
		case 0: // rests
			now = now.Add(time.Duration(random.Int64N(int64(pace.Window / 20))))
		case 1, 2, 3: // asks ahead
		default:
			now = now.Add(wait)
		}
	}
	return grants
}

// busiest is the most writes in any window, both of its ends included. Grants of
// one caller are in the order of time.
func busiest(pace revocation.Pace, grants []grant) int {
	most, sum, first := 0, 0, 0
	for _, g := range grants {
		sum += g.n
		for g.at.Sub(grants[first].at) > pace.Window {
			sum -= grants[first].n
			first++
		}
		most = max(most, sum)
	}
	return most
}

func TestPaceUsesItsShare(t *testing.T) {
	t.Parallel()
	pace := revocation.DefaultPace
	start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	var state time.Time
	granted := 0
	for now := start; now.Sub(start) < 10*pace.Window; granted += pace.Burst {
		next, wait := pace.Next(state, now, pace.Burst)
		state, now = next, now.Add(wait)
	}
	if least := 10 * 2900; granted < least {
		t.Errorf("%d writes in ten windows, want at least %d", granted, least)
	}
}

func TestPaceNext(t *testing.T) {
	t.Parallel()
	pace := revocation.Pace{Limit: 120, Window: 100 * time.Second, Share: 1, Burst: 20} // one write a second
	now := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		state time.Time
		n     int
		next  time.Duration // from now
		wait  time.Duration
	}{
		{"a rested quota grants a burst", time.Time{}, 20, 20 * time.Second, 0},
		{"a rest is not saved up", now.Add(-time.Hour), 20, 20 * time.Second, 0},
		{"the last of a burst", now.Add(19 * time.Second), 1, 20 * time.Second, 0},
		{"the first after it", now.Add(20 * time.Second), 1, 21 * time.Second, time.Second},
		{"another burst after it", now.Add(20 * time.Second), 20, 40 * time.Second, 20 * time.Second},
		{"far ahead", now.Add(time.Minute), 5, 65 * time.Second, 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next, wait := pace.Next(tt.state, now, tt.n)
			if next.Sub(now) != tt.next || wait != tt.wait {
				t.Errorf("Next = %s from now, %s; want %s, %s", next.Sub(now), wait, tt.next, tt.wait)
			}
		})
	}
}

func TestPaceHold(t *testing.T) {
	t.Parallel()
	pace := revocation.DefaultPace
	now := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	until := now.Add(time.Minute)
	state := pace.Hold(time.Time{}, until)
	for _, n := range []int{1, pace.Burst} {
		if _, wait := pace.Next(state, now, n); now.Add(wait).Before(until) {
			t.Errorf("%d writes were granted %s before the end of the pause", n, until.Sub(now.Add(wait)))
		}
	}
	if shorter := pace.Hold(state, now); !shorter.Equal(state) {
		t.Errorf("a shorter pause moved the state by %s", shorter.Sub(state))
	}
}

func TestPaceValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*revocation.Pace)
		fault  bool
	}{
		{"the default", func(*revocation.Pace) {}, false},
		{"no limit", func(p *revocation.Pace) { p.Limit = 0 }, true},
		{"no window", func(p *revocation.Pace) { p.Window = 0 }, true},
		{"no burst", func(p *revocation.Pace) { p.Burst = 0 }, true},
		{"no share", func(p *revocation.Pace) { p.Share = 0 }, true},
		{"more than all", func(p *revocation.Pace) { p.Share = 1.01 }, true},
		{"a burst that takes up everything", func(p *revocation.Pace) { p.Limit, p.Share, p.Burst = 40, 0.5, 20 }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := revocation.DefaultPace
			tt.change(&p)
			if err := p.Validate(); (leaktest.Seen(t, err) != nil) != tt.fault {
				t.Errorf("Validate(%+v) = %v, want a fault: %t", p, err, tt.fault)
			}
		})
	}
}
