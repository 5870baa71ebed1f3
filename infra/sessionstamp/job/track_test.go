package job

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func TestAnOlderRequestEndsNoSignOut(t *testing.T) {
	t.Parallel()
	now := time.Now()
	order := Order{Verb: SignOut, Started: now, Targets: []Target{{User: "u", NotBefore: now}}}
	for _, tc := range []struct {
		name      string
		notBefore time.Time
		want      int
	}{
		{"a stamp's", time.Time{}, 0},
		{"an earlier sign-out's", now.Add(-time.Second), 0},
		{"its own", now, 1},
		{"a later one's", now.Add(time.Second), 1},
	} {
		tracker := newTracker(New(Config{Now: time.Now}), order, nil)
		tracker.Observe(t.Context(), stamp.Outcome{
			Request: stamp.Request{User: "u", NotBefore: tc.notBefore}, Verdict: stamp.Done, Reason: stamp.ReasonReadBack,
		})
		if got := tracker.count.Ended; got != tc.want {
			t.Errorf("%s outcome has ended %d users, want %d", tc.name, got, tc.want)
		}
	}
}
