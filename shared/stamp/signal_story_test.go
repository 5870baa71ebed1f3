package stamp_test

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// stampedUser adds an existing user with a stamp of yesterday.
func stampedUser(w *world, change ...func(*fakeUser)) {
	w.user(1, func(u *fakeUser) {
		u.Created, u.SignInSessionsValidFrom = u.Created.Add(-1000*time.Hour), w.start.Add(-24*time.Hour).UTC()
	})
	for _, c := range change {
		c(w.graph.users[userID(1)])
	}
}

// signalled is a signal of that much ago, as the resolver hands it over.
func signalled(w *world, ago time.Duration) stamp.Request {
	r := w.request(1, 0)
	r.Source, r.Provider, r.Cause = stamp.SourceSignal, "7", "password_changed"
	r.NotBefore = r.Seen.Add(stamp.DefaultPolicy.ClockSkew - ago)
	return r
}

// untouched users have no session ended.
func untouched(u *fakeUser) { u.outOfScope = true }

var signalStories = []story{
	{"a signal, delivered twice", func(w *world) {
		stampedUser(w)
		w.send(signalled(w, time.Minute), 0)
		w.send(signalled(w, time.Minute), 2*time.Minute)
	}, []string{"done called", "done read_back_pending", "done read_back"}, stamp.StateStamped, 1, 1, 0, 0},
	{"a signal, and the provider renews the stamp itself", func(w *world) {
		stampedUser(w, untouched, func(u *fakeUser) { u.SignInSessionsValidFrom = w.start.Add(-time.Minute).UTC() })
		w.send(signalled(w, time.Minute), 0)
	}, []string{"done stamped"}, stamp.StateStamped, 0, 0, 0, 0},
	{"the resolver's clock is seconds ahead: nothing is lost", func(w *world) {
		stampedUser(w)
		w.send(signalled(w, 0), 0)
	}, append([]string{"failed invalid"}, seen...), stamp.StateStamped, 1, 1, 0, 0},
	{"an earlier owner of the name", func(w *world) {
		stampedUser(w, untouched, func(u *fakeUser) {
			u.Created, u.SignInSessionsValidFrom = w.start.Add(-80*time.Hour), time.Time{}
		})
		w.send(signalled(w, 90*time.Hour), 0)
	}, []string{"done existing"}, stamp.StateNone, 0, 0, 0, 0},
	{"reported, and in an excluded group", func(w *world) {
		w.config.Policy.EnforceSignals, w.config.Groups = false, []string{userID(99)}
		stampedUser(w, untouched, func(u *fakeUser) { u.grouped = true })
		w.send(signalled(w, time.Minute), 0)
	}, []string{"done excluded"}, stamp.StateNone, 0, 0, 0, 0},
	{"reported, and a person approves a stamp of any age", func(w *world) {
		w.config.Policy.EnforceSignals = false
		stampedUser(w, untouched)
		w.send(signalled(w, time.Minute), 0)
		w.send(person(w), 0)
	}, []string{"done stamped"}, stamp.StateStamped, 0, 0, 0, 0},
	{"the same the other way round", func(w *world) {
		w.config.Policy.EnforceSignals = false
		stampedUser(w, untouched)
		w.send(person(w), 0)
		w.send(signalled(w, time.Minute), 0)
	}, []string{"done stamped"}, stamp.StateStamped, 0, 0, 0, 0},
	{"the same where signals are enforced", func(w *world) {
		stampedUser(w)
		w.send(person(w), 0)
		w.send(signalled(w, time.Minute), 0)
	}, seen, stamp.StateStamped, 1, 1, 0, 0},
	{"enforced no longer when a pause ends", func(w *world) {
		stampedUser(w, untouched)
		w.send(signalled(w, time.Minute), 0)
		w.pause(0, time.Hour)
		time.AfterFunc(30*time.Minute, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.config.Policy.EnforceSignals = false
		})
	}, []string{"later paused", "done reported"}, stamp.StateNone, 0, 0, 0, 0},
}

func TestSignalStories(t *testing.T) {
	t.Parallel()
	tell(t, signalStories)
}
