package sweep_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// TestWhoIsQueued tells, for one user found an age after creation, whether and
// how the user is queued by an increment and by a full round.
func TestWhoIsQueued(t *testing.T) {
	t.Parallel()
	member := func(*directory.User) {}
	missed := func(seen, delay time.Duration) string {
		return "missed, seen " + seen.String() + ", in " + delay.String()
	}
	tests := []struct {
		name            string
		change          func(*directory.User)
		age             time.Duration // when found
		since           time.Duration // of the subscription, before now
		increment, full string        // "" for not queued; seen is before now
		missed          int
	}{
		{"created just now: the notification may still come", member, time.Minute, 48 * time.Hour, missed(0, 14*time.Minute), missed(0, 14*time.Minute), 0},
		{"created from the future, by Graph's clock", member, -time.Minute, 48 * time.Hour, missed(0, 15*time.Minute), missed(0, 15*time.Minute), 0},
		{"a miss within the window", member, 40 * time.Minute, 48 * time.Hour, missed(0, 0), missed(0, 0), 1},
		{"a miss found late", member, 5 * time.Hour, 48 * time.Hour, missed(0, 0), missed(0, 0), 1},
		{"a miss found days late", member, 9 * 24 * time.Hour, 240 * time.Hour, missed(0, 0), missed(0, 0), 1},
		{"so late that it is no miss any more", member, 31 * 24 * time.Hour, 1000 * time.Hour, "", "existing", 0},
		{"new, but created before the subscription began", member, 40 * time.Minute, 10 * time.Minute, "new", "new", 0},
		{"existing when the subscription began", member, 100 * time.Hour, 10 * time.Hour, "", "existing", 0},
		{"no createdDateTime", func(u *directory.User) { u.Created = time.Time{} }, time.Hour, 48 * time.Hour, "existing", "existing", 0},
		{"stamped", stamped, time.Hour, 48 * time.Hour, "", "", 0},
		{"a guest", func(u *directory.User) { u.UserType = "Guest" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"an invited member", func(u *directory.User) { u.CreationType = "Invitation" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"a member from another tenant", func(u *directory.User) { u.ExternalUserState = "Accepted" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"no userType", func(u *directory.User) { u.UserType = "" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"a managed domain", func(u *directory.User) { u.UserPrincipalName = canary + "@managed.example" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"an unlisted domain", func(u *directory.User) { u.UserPrincipalName = canary + "@elsewhere.example" }, time.Hour, 48 * time.Hour, "", "", 0},
		{"a subdomain, in capitals", func(u *directory.User) { u.UserPrincipalName = canary + "@SUB.Federated.Example" }, 40 * time.Minute, 48 * time.Hour, missed(0, 0), missed(0, 0), 1},
		{"no name", func(u *directory.User) { u.UserPrincipalName = "" }, 40 * time.Minute, 48 * time.Hour, missed(0, 0), missed(0, 0), 1},
	}
	for _, tt := range tests {
		for _, full := range []bool{false, true} {
			name, want := tt.name+", by an increment", tt.increment
			if full {
				name, want = tt.name+", by a full round", tt.full
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.subscribed = w.now.Add(-tt.since)
				if !full {
					w.advance(-interval)
					w.settle()
				}
				id := w.user(1, old(tt.age), tt.change)
				report := w.run()
				if report.Missed != tt.missed {
					t.Errorf("%d users are missed, want %d", report.Missed, tt.missed)
				}
				got := ""
				for _, d := range w.queue.drain() {
					if d.Request.User != id || d.Request.Source != revocation.SourceSweep || d.Request.Backfill {
						t.Errorf("queued %+v", d)
					}
					seen := w.clock().Sub(d.Request.Seen)
					switch {
					case d.Request.Missed:
						got = missed(seen, d.Delay)
					case seen == 0 && d.Delay > 0:
						got = "existing"
					case seen == 0:
						got = "new"
					}
				}
				if got != want {
					t.Errorf("queued as %q, want %q", got, want)
				}
			})
		}
	}
}

func TestFirehoseWithoutStampsDoesNotFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.graph.omit, w.graph.pageSize = true, 100
	w.advance(-interval)
	var ids []string
	for n := range 1000 {
		ids = append(ids, w.user(n, old(1000*time.Hour), stamped))
	}
	w.settle()
	for _, id := range ids {
		w.change(id, func(*directory.User) {})
	}
	found := w.user(5000)
	w.run()
	if diff := cmp.Diff([]string{found}, w.queued()); diff != "" {
		t.Errorf("queued (-want +got):\n%s", diff)
	}
}

func TestExistingUsersStandBehindNewOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.graph.pageSize = 999
	for n := range 900 {
		w.user(n, old(1000*time.Hour))
	}
	w.run()
	quarters := make(map[time.Duration]int)
	for _, d := range w.queue.drain() {
		quarters[d.Delay.Truncate(revocation.MaxDelay/4)]++
	}
	if len(quarters) != 4 {
		t.Fatalf("the users are in %d quarters of the longest delay, want 4: %v", len(quarters), quarters)
	}
	for quarter, n := range quarters {
		if n < 150 || n > 300 {
			t.Errorf("%d of 900 users are in the quarter from %s, want about 225", n, quarter)
		}
	}
}
