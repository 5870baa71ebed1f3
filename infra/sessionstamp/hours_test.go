package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	clock := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-"+text, tokyo)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ hours, now, from, to, end string }{ // end: of nine hours' work
		{"22:00-05:00", "10 12:00", "10 22:00", "11 05:00", "12 00:00"},
		{"22:00-05:00", "10 23:00", "10 22:00", "11 05:00", "12 01:00"},
		{"22:00-05:00", "11 04:59", "10 22:00", "11 05:00", "12 23:59"},
		{"22:00-05:00", "11 05:00", "11 22:00", "12 05:00", "13 00:00"},
		{"12:30-13:00", "11 05:00", "11 12:30", "11 13:00", "28 13:00"},
		{"00:00-23:59", "11 05:00", "11 00:00", "11 23:59", "11 14:00"},
	} {
		var h hours
		if err := h.Set(c.hours); err != nil {
			t.Fatal(err)
		}
		from, to := h.window(clock(c.now))
		if end := h.end(clock(c.now), 9*time.Hour); !from.Equal(clock(c.from)) || !to.Equal(clock(c.to)) || !end.Equal(clock(c.end)) {
			t.Errorf("%s at %s: got %s to %s, end %s", c.hours, c.now, from, to, end)
		}
	}
	for _, text := range []string{"", "22:00", "22:00-22:00", "24:00-05:00", "22-5", "-", "22:00-05:00-06:00"} {
		if new(hours).Set(text) == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestHours: nobody is called outside the hours, and the next night goes on.
func TestHours(t *testing.T) {
	t.Parallel()
	onSite(t, 250, msgraphtest.Options{Violation: func(v string) { t.Error(v) }}, allRights, func(t *testing.T, s *site) {
		s.server.Inject(msgraphtest.Fault{ // 100 users in 38 s: not all within a minute
			Match: func(r msgraphtest.Request) bool { return r.Parts > 0 }, Latency: 19 * time.Second,
		})
		status, stdout, stderr := s.play(t.Context(), "stamp", "--all", "--yes", "--at", "23:59-00:00")
		if status != fine || !strings.Contains(stdout, "stamped, all read back") || !strings.Contains(stderr, "Waits until 23:59: ") ||
			!strings.Contains(stderr, "The hours are over. Done: ") || !strings.Contains(stderr, "Starts at 23:59. ") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		nights := make(map[int]int)
		for _, id := range s.ids {
			u, _ := s.User(id)
			called := u.Stamped.In(tokyo)
			nights[called.Add(-12*time.Hour).Day()]++
			if minute := called.Format("15:04"); minute != "23:59" && called.Format("15:04:05") > "00:00:45" {
				t.Errorf("called at %s", called)
			}
		}
		if len(nights) != 2 {
			t.Errorf("called in these nights: %v", nights)
		}
	})
}

// TestSleep: a machine that sleeps in the middle of a run calls nobody when it wakes up
// outside the hours.
func TestSleep(t *testing.T) {
	t.Parallel()
	onSite(t, 250, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		woke := s.now().Add(20 * time.Hour)
		// Between two calls: of one that is under way nobody can say more.
		time.AfterFunc(12*time.Hour+5500*time.Millisecond, func() { s.began = s.began.Add(-8*time.Hour + 5*time.Second) })
		status, stdout, stderr := s.play(t.Context(), "stamp", "--all", "--yes", "--at", "22:00-05:00")
		if status != fine || !strings.Contains(stderr, "Goes on at 22:00.") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		for _, id := range s.ids {
			u, _ := s.User(id)
			if called := u.Stamped.In(tokyo); called.Hour() < 22 && called.Hour() >= 5 {
				t.Fatalf("called at %s; it woke at %s", called, woke)
			}
		}
		s.want(1, s.ids...)
	})
}
