package signaltest

import (
	"bytes"
	"net/http"
	"slices"
	"time"
)

// readStatus reads a stream's status (SSF 8.1.2.1).
func (t *Transmitter) readStatus(c *call) {
	if s := t.find(c, c.r.URL.Query().Get("stream_id")); s != nil {
		answer(c.w, http.StatusOK, s.state())
	}
}

func (s *stream) state() map[string]string {
	state := map[string]string{"stream_id": s.id, "status": s.status}
	if s.reason != "" {
		state["reason"] = s.reason
	}
	return state
}

// updateStatus does what the receiver asks (SSF 8.1.2.2).
func (t *Transmitter) updateStatus(c *call) {
	var in struct {
		ID     string `json:"stream_id"`
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	_, why := read(c.body, &in)
	if why == "" && !slices.Contains([]string{"enabled", "paused", "disabled"}, in.Status) {
		why = "The status is none of enabled, paused, disabled (SSF 8.1.2.1)"
	}
	if why != "" {
		t.invalid(c, why)
		return
	}
	if s := t.find(c, in.ID); s != nil {
		t.setStatus(s, in.Status, in.Reason, t.opts.Profile == Keycloak)
		answer(c.w, http.StatusOK, s.state())
	}
}

// setStatus changes a stream's status. Where it tells the receiver, it does so although the
// stream is no longer enabled (SSF 8.1.5). A disabled stream keeps nothing.
func (t *Transmitter) setStatus(s *stream, status, reason string, tell bool) {
	changed := s.status != status
	s.status, s.reason = status, reason
	if status == "disabled" {
		s.queue = nil
	}
	if !tell || !changed {
		return
	}
	claims := map[string]any{"status": status}
	if reason != "" {
		claims["reason"] = reason
	}
	t.enqueue(s, Event{Type: TypeStreamUpdated, Subject: Opaque(s.id), Claims: claims}).last = true
}

// Pause holds all streams, as a transmitter in trouble does, and says so.
func (t *Transmitter) Pause(reason string) { t.setAll("paused", reason) }

// Disable stops all streams, forgets what waits in them, and says so.
func (t *Transmitter) Disable(reason string) { t.setAll("disabled", reason) }

// Resume enables all streams, and says so.
func (t *Transmitter) Resume() { t.setAll("enabled", "") }

func (t *Transmitter) setAll(status, reason string) {
	defer t.nudge()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.streams {
		t.setStatus(s, status, reason, true)
	}
}

// expire pauses the streams that nobody has asked about for too long (SSF 8.1.1,
// inactivity_timeout). t.mu is held.
func (t *Transmitter) expire(now time.Time) {
	if t.opts.Inactivity <= 0 {
		return
	}
	for _, s := range t.streams {
		if s.status == "enabled" && now.Sub(s.active) > t.opts.Inactivity {
			t.setStatus(s, "paused", "inactivity_timeout", true)
		}
	}
}

// verify queues a verification event (SSF 8.1.4.2).
func (t *Transmitter) verify(c *call) {
	var in struct {
		ID    string  `json:"stream_id"`
		State *string `json:"state"`
	}
	if _, why := read(c.body, &in); why != "" {
		t.invalid(c, why)
		return
	}
	s := t.find(c, in.ID)
	switch {
	case s == nil:
	case !s.verified.IsZero() && c.now.Sub(s.verified) < t.opts.MinVerification:
		t.fault("asked for a verification sooner than the min_verification_interval (SSF 8.1.1)")
		refuse(c.w, http.StatusTooManyRequests, "too_many_requests", "Wait for the min_verification_interval.")
	default:
		s.verified = c.now
		claims := map[string]any{}
		if in.State != nil {
			claims["state"] = *in.State
		}
		if s.status != "disabled" {
			t.enqueue(s, verification(s, claims))
		}
		nothing(c.w, http.StatusNoContent)
	}
}

func verification(s *stream, claims map[string]any) Event {
	return Event{Type: TypeVerification, Subject: Opaque(s.id), Claims: claims}
}

// Verify sends a verification of the transmitter's own, which has no state (SSF 8.1.4.2).
func (t *Transmitter) Verify() {
	defer t.nudge()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.streams {
		if s.status != "disabled" {
			t.enqueue(s, verification(s, nil))
		}
	}
}

// addSubject has a subject's events sent (SSF 8.1.3.2).
func (t *Transmitter) addSubject(c *call) {
	t.changeSubject(c, func(s *stream, who Subject) {
		s.added = append(s.added, who)
		s.removed = slices.DeleteFunc(s.removed, func(other Subject) bool { return same(other, who) })
		nothing(c.w, http.StatusOK)
	})
}

// removeSubject has a subject's events no longer sent (SSF 8.1.3.3).
func (t *Transmitter) removeSubject(c *call) {
	t.changeSubject(c, func(s *stream, who Subject) {
		s.removed = append(s.removed, who)
		s.added = slices.DeleteFunc(s.added, func(other Subject) bool { return same(other, who) })
		nothing(c.w, http.StatusNoContent)
	})
}

func (t *Transmitter) changeSubject(c *call, carryOut func(*stream, Subject)) {
	var in struct {
		ID      string  `json:"stream_id"`
		Subject Subject `json:"subject"`
	}
	_, why := read(c.body, &in)
	if why == "" && in.Subject["format"] == nil {
		why = "The subject has no format (RFC 9493, 3)"
	}
	if why != "" {
		t.invalid(c, why)
		return
	}
	s := t.find(c, in.ID)
	switch {
	case s == nil:
	case t.opts.RefuseSubjects:
		refuse(c.w, http.StatusForbidden, "access_denied", "Subjects are chosen here.")
	default:
		carryOut(s, in.Subject)
	}
}

// wants tells whether the events of a subject are sent on the stream.
func (t *Transmitter) wants(s *stream, who Subject) bool {
	in := func(other Subject) bool { return matches(other, who) }
	if t.opts.DefaultSubjects == AllSubjects {
		return !slices.ContainsFunc(s.removed, in)
	}
	return slices.ContainsFunc(s.added, in)
}

// matches compares subjects: simple ones must be the same, complex ones must have no
// member in which they differ (SSF 8.1.3.1).
func matches(a, b Subject) bool {
	if a["format"] != "complex" || b["format"] != "complex" {
		return bytes.Equal(canonical(a), canonical(b))
	}
	for name, member := range a {
		if other, both := b[name]; both && !same(member, other) {
			return false
		}
	}
	return true
}
