package msgraphtest

import (
	"context"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A Fault makes calls fail, wait or break off. Every fault that matches a call
// delays it; the first among them that does more than that decides how it ends.
type Fault struct {
	// Match chooses the calls; nil means every call of Graph and of the token
	// endpoint, but neither discovery nor the envelope of a $batch, which is
	// the Request with Parts above 0. It is called without locks held.
	Match func(Request) bool
	// Chance is how probably a matching call is hit; 0 means always.
	Chance float64
	// Times is how many calls are hit; 0 means all until the fault is removed.
	Times int
	// After fails, or waits, after the call took effect.
	After bool
	// Ignored answers success without effect, once everything that could
	// refuse the call has let it pass. It hits only calls whose success has a
	// known answer: those of revokeSignInSessions.
	Ignored bool
	// Latency is waited before the call is carried out or, with After,
	// after it. Alone it only delays. A caller that gives up while waiting
	// before has changed nothing. The parts of a $batch wait side by side.
	Latency time.Duration
	// Status and Code are answered instead of the truth, by the token endpoint
	// with Code as the OAuth error.
	Status int
	Code   string
	// RetryAfter is answered along with Status, in seconds with decimals, as has
	// been seen; 0 for none.
	RetryAfter time.Duration
	// Reset breaks the connection: RoundTrip returns an error that wraps
	// syscall.ECONNRESET, the socket closes without an answer. A part that is
	// hit breaks the connection of its whole $batch, whose other parts take
	// effect unseen.
	Reset bool
}

// injected is a fault at work.
type injected struct {
	Fault
	hits int
}

// Inject makes matching calls fail from now on, until remove is called or the
// fault has hit as many calls as it says. Faults are asked in the order in which
// they were injected.
func (s *Server) Inject(f Fault) (remove func()) {
	in := &injected{Fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, in)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drop(in)
	}
}

// drop takes a fault out of service. s.mu is held. The slice is made anew,
// because judge reads the old one without the lock.
func (s *Server) drop(in *injected) {
	if i := slices.Index(s.faults, in); i >= 0 {
		s.faults = slices.Concat(s.faults[:i], s.faults[i+1:])
	}
}

// verdict is what all faults together make of a call.
type verdict struct {
	before, after time.Duration
	fault         *Fault // how the call ends; nil: as it would by itself
}

// judge asks every fault about a call that just came in.
func (s *Server) judge(r Request) verdict {
	s.mu.Lock()
	faults := s.faults
	s.mu.Unlock()
	var v verdict
	for _, in := range faults {
		if v.fault != nil && in.ends() || !in.matches(r) || !s.hit(in) {
			continue
		}
		v.add(&in.Fault)
	}
	return v
}

// hit rolls the dice and counts. A fault that was used up or removed since it
// was listed hits nothing.
func (s *Server) hit(in *injected) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.faults, in) || in.Chance > 0 && s.rand.Float64() >= in.Chance {
		return false
	}
	in.hits++
	if in.hits == in.Times {
		s.drop(in)
	}
	return true
}

func (v *verdict) add(f *Fault) {
	if f.After {
		v.after += f.Latency
	} else {
		v.before += f.Latency
	}
	if f.ends() {
		v.fault = f
	}
}

// ends tells whether the fault does more than delay.
func (f *Fault) ends() bool { return f.Status != 0 || f.Reset || f.Ignored }

func (f *Fault) matches(r Request) bool {
	if f.Ignored && !r.revokes() {
		return false
	}
	if f.Match != nil {
		return f.Match(r)
	}
	return r.Parts == 0 && (!r.Token || r.issuesToken())
}

// refuses tells whether the fault takes the call's place at that end of it.
func (v verdict) refuses(after bool) bool {
	return v.fault != nil && v.fault.After == after && !v.fault.Ignored
}

func (v verdict) ignores() bool { return v.fault != nil && v.fault.Ignored }

// apply is how a faulty call ends: with an answer or a broken connection.
func (f *Fault) apply(c *call) (reply, error) {
	if f.Reset {
		return reply{}, errReset()
	}
	r := fail(f.Status, f.Code, http.StatusText(f.Status))
	if c.record.Token {
		r.body = oauthError{f.Code, http.StatusText(f.Status)}
	}
	if f.RetryAfter > 0 {
		r.header = http.Header{"Retry-After": {strconv.FormatFloat(f.RetryAfter.Seconds(), 'f', -1, 64)}}
	}
	return r, nil
}

// errReset is what a client sees when the peer resets the connection.
func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// wait lets d pass unless ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
