package msgraphtest

import "time"

// alarm does something once, later. The zero value is not set. Until it rings
// it costs a timer, not a goroutine.
type alarm struct {
	timer *time.Timer // nil: not set
	at    time.Duration
}

// setAlarm sets the alarm to the moment at of the hub's clock, whatever it was
// set to. Then do is called with s.mu held. s.mu is held.
func (s *Server) setAlarm(a *alarm, at time.Duration, do func()) {
	now := s.hub.clock()
	s.hub.stop(a)
	if s.hub.closed {
		return
	}
	s.hub.running.Add(1)
	s.hub.alarms[a] = struct{}{}
	var timer *time.Timer
	timer = time.AfterFunc(at-now, func() {
		defer s.hub.running.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if a.timer != timer {
			return // stopped or set anew while this waited for the lock
		}
		a.timer = nil
		delete(s.hub.alarms, a)
		do()
	})
	a.timer, a.at = timer, at
}

// stop unsets the alarm. s.mu is held.
func (h *serverHub) stop(a *alarm) {
	if a.timer == nil {
		return
	}
	if a.timer.Stop() {
		h.running.Done()
	}
	a.timer = nil
	delete(h.alarms, a)
}
