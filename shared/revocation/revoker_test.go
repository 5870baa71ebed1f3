package revocation_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Calls of Graph and AWS cost money and quota: a batch makes as few as it can.
func TestHandleBatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		users    int
		requests int // of each user
		known    bool
		want     map[string]int
	}{
		{"one user", 1, 1, false, map[string]int{
			"Ledger.Entries": 1, "Directory.ReadUsers": 1, "Domains.Domains": 1, "Quota.Reserve": 1,
			"Ledger.Write": 2, "Directory.RevokeSignInSessions": 1, "Queue.Postpone": 1, "Observer.Observe": 1,
		}},
		{"a full batch, everybody three times", 20, 3, false, map[string]int{
			"Ledger.Entries": 1, "Directory.ReadUsers": 1, "Domains.Domains": 1, "Quota.Reserve": 1,
			"Ledger.Write": 2, "Directory.RevokeSignInSessions": 1, "Queue.Postpone": 1, "Observer.Observe": 20,
		}},
		{"more than two batches", 45, 1, false, map[string]int{
			"Ledger.Entries": 1, "Directory.ReadUsers": 3, "Domains.Domains": 1, "Quota.Reserve": 3,
			"Ledger.Write": 6, "Directory.RevokeSignInSessions": 3, "Queue.Postpone": 3, "Observer.Observe": 45,
		}},
		{"users whom the ledger knows", 30, 1, true, map[string]int{"Ledger.Entries": 1, "Observer.Observe": 30}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var requests []revocation.Request
				for n := range tt.users {
					w.user(n)
					for i := range tt.requests {
						requests = append(requests, w.request(n, time.Duration(i)*time.Second))
					}
					if tt.known {
						w.remember(n, revocation.Entry{State: revocation.StateStamped})
					}
				}
				for i, err := range w.handle(requests...) {
					if err != nil {
						t.Errorf("request %d: %v", i, err)
					}
				}
				if diff := cmp.Diff(tt.want, w.steps.count); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestHandleNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if errs := w.handle(); len(errs) != 0 {
			t.Errorf("Handle = %v, want no errors", errs)
		}
		if len(w.steps.count) != 0 {
			t.Errorf("calls: %v, want none", w.steps.count)
		}
	})
}

// What can't be acted upon fails alone, and its error stands at its place.
func TestHandleMessagesFailAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1)
		w.user(2)
		foreign := w.request(3, 0)
		foreign.Tenant = foreignTenant
		encode := func(r revocation.Request) []byte {
			body, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		bodies := [][]byte{
			[]byte(`{"user":"` + canary + `@federated.example"}`),
			encode(w.request(1, 0)),
			encode(foreign),
			[]byte(canary),
			encode(w.request(2, 0)),
			encode(w.request(1, 0)),
			nil,
			[]byte(`{"seen":"` + canary + `@federated.example"}`),
		}
		errs := w.newRevoker().HandleMessages(t.Context(), bodies)
		w.refused = errs[:0]
		for i, fails := range []bool{true, false, true, true, false, false, true, true} {
			if (leaktest.Seen(t, errs[i]) != nil) != fails {
				t.Errorf("message %d: error %v, want one: %t", i, errs[i], fails)
			}
			if errs[i] != nil && strings.Contains(leaktest.Seen(t, errs[i]).Error(), canary) {
				t.Errorf("message %d: the error quotes its body: %v", i, errs[i])
			}
		}
		for n := 1; n <= 2; n++ {
			if diff := cmp.Diff([]string{"done revoked"}, w.outcomes(userID(n))); diff != "" {
				t.Errorf("outcomes of user %d (-want +got):\n%s", n, diff)
			}
		}
	})
}

// Of several requests for one user the earliest sight counts, and one of them
// that asks to read back makes the whole do so.
func TestRequestsOfOneUserMerge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Policy.NewUserWindow = time.Minute
		w.user(1, func(u *fakeUser) { u.Created = w.start.Add(-time.Hour) })
		late, early := w.request(1, 0), w.request(1, -time.Hour)
		early.Source, early.Attempt = revocation.SourceSweep, 3
		if errs := w.handle(late, early, late); errors.Join(errs...) != nil || len(errs) != 3 {
			t.Fatalf("Handle = %v, want three times no error", errs)
		}
		want := []revocation.Outcome{{
			Request: early,
			Verdict: revocation.Done,
			Reason:  revocation.ReasonRevoked,
			Created: w.start.Add(-time.Hour).UTC(),
			Called:  w.start.UTC(),
		}}
		if diff := cmp.Diff(want, w.observer.outcomes); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		e := w.entry(1)
		if e.Source != early.Source || !e.Seen.Equal(early.Seen) {
			t.Errorf("the ledger has source %s and seen %s, want those of the earliest", e.Source, e.Seen)
		}
	})
}

// A notification beside the request to read back must not swallow it: an entry
// that says revoked always has such a request in the queue.
func TestReadBackSurvivesMerging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1, stamp, outOfScope)
		w.remember(1, revocation.Entry{
			State: revocation.StateRevoked, Claimed: w.start, Called: w.start.Add(-time.Minute), Seen: w.start, Accepted: 1,
		})
		back := w.request(1, 0)
		back.ReadBack = true
		if errs := w.handle(w.request(1, 0), back); errors.Join(errs...) != nil {
			t.Fatalf("Handle: %v", errs)
		}
		w.run()
		if got := w.entry(1).State; got != revocation.StateStamped {
			t.Errorf("state %q in the ledger, want %q", got, revocation.StateStamped)
		}
	})
}

// A call that Graph has accepted is written down even when the invocation is
// cancelled under it.
func TestResultOutlivesItsInvocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.steps.hook = func(_ context.Context, s step) error {
			if s == (step{"Directory.RevokeSignInSessions", true}) {
				cancel()
			}
			return nil
		}
		if errs := w.newRevoker().Handle(ctx, []revocation.Request{w.request(1, 0)}); errs[0] != nil {
			t.Errorf("Handle: %v", errs[0])
		}
		if got := w.entry(1); got.State != revocation.StateRevoked || got.Accepted != 1 {
			t.Errorf("the ledger has state %q and %d accepted calls, want %q and 1", got.State, got.Accepted, revocation.StateRevoked)
		}
		if got := w.queue.Len(); got != 1 {
			t.Errorf("%d requests are in the queue, want the one to read back", got)
		}
	})
}

// A part that is throttled makes every worker wait as long as Graph asked.
func TestThrottledPartPausesAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const asked = 45 * time.Second
		w := newWorld(t)
		w.user(1)
		throttled := w.user(2, answers(answer{err: graphError(429, retryAfter(asked))}))
		other := w.user(3)
		w.notify(1, 0)
		w.notify(2, 0)
		w.notify(3, time.Second) // is handled by another worker
		w.run()
		w.checkQuiet(1, 2, 3)
		if got := throttled.calls[1].Sub(throttled.calls[0]); got < asked {
			t.Errorf("called again after %s, Graph asked for %s", got, asked)
		}
		if got := other.calls[0].Sub(w.start); got < asked {
			t.Errorf("another user was called for %s after the 429, Graph asked for %s", got, asked)
		}
		if got := w.steps.calls("Quota.Pause"); got != 1 {
			t.Errorf("the quota was paused %d times, want once", got)
		}
	})
}

// A quota that can't be paused must not cost a result.
func TestPauseThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1)
		w.user(2, answers(answer{err: graphError(429)}))
		w.notify(1, 0)
		w.notify(2, 0)
		w.failing("Quota.Pause", false, aWeek, errPlain)
		w.run()
		w.checkQuiet(1, 2)
	})
}

// After a call whose outcome is unknown nobody calls again before the claim has
// lapsed, and then a read comes first.
func TestUnknownOutcomeIsReadFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		u := w.user(1, answers(answer{err: errPlain}, answer{err: errPlain, effect: true}))
		var reads []time.Duration
		u.show = func(*directory.User) { reads = append(reads, time.Since(w.start)) }
		for i := range 20 { // notifications that must not hurry anything
			w.notify(1, time.Duration(i)*30*time.Second)
		}
		w.run()
		w.checkQuiet(1)
		if len(u.calls) != 2 || u.calls[1].Sub(u.calls[0]) < hold {
			t.Fatalf("called at %v, want twice, %s apart at least", u.calls, hold)
		}
		second := u.calls[1].Sub(w.start)
		for _, at := range reads {
			if at > 0 && at < hold || at > second && at < second+hold {
				t.Errorf("read after %s, while a claim stood", at)
			}
		}
		if len(reads) < 3 {
			t.Errorf("read %d times, want a read before each call and one after the last", len(reads))
		}
	})
}

// Lost answers cost patience: the calls grow rarer, until they are an hour apart.
func TestLostAnswersAreCalledForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		u := w.user(1, answers(slices.Repeat([]answer{{err: errPlain}}, 11)...))
		w.notify(1, 0)
		w.run()
		w.checkQuiet(1)
		var got []time.Duration
		for i := 1; i < len(u.calls); i++ {
			got = append(got, u.calls[i].Sub(u.calls[i-1]).Truncate(time.Minute))
		}
		reread := 5 * time.Minute
		want := slices.Concat([]time.Duration{5*time.Minute + reread, 10*time.Minute + reread},
			slices.Repeat([]time.Duration{21*time.Minute + reread}, 5), slices.Repeat([]time.Duration{time.Hour + reread}, 4))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("time between calls (-want +got):\n%s", diff)
		}
	})
}

// Each Handle writes one record for every user and one for the whole, of which
// none says more than ids, times and reasons.
func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1)
		w.user(2, outOfScope, func(u *fakeUser) { u.UserType = "Guest" })
		invalid := w.request(3, 0)
		invalid.User, invalid.Source = canary+"@federated.example", canary
		errs := w.handle(w.request(1, 0), w.request(2, 0), w.request(1, 0), invalid)
		w.refused = append(w.refused, errs[3])

		want := []string{
			"INFO user handled: " + userID(1) + " done revoked",
			"DEBUG user handled: " + userID(2) + " done guest",
			"ERROR user handled: <nil> failed invalid",
			"INFO requests handled: 4 requests, 3 users",
		}
		if diff := cmp.Diff(want, logLines(t, w.log.String())); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// logLines renders what matters of each record.
func logLines(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		var r map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatalf("log record %s: %v", scanner.Text(), err)
		}
		if r["tenant"] != tenant {
			t.Errorf("log record without its tenant: %s", scanner.Text())
		}
		line := fmt.Sprintf("%s %s: ", r["level"], r["msg"])
		if r["msg"] == "requests handled" {
			line += fmt.Sprintf("%v requests, %v users", r["requests"], r["users"])
		} else {
			line += fmt.Sprintf("%v %v %v", r["user"], r["verdict"], r["reason"])
		}
		lines = append(lines, line)
	}
	return lines
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := newWorld(t).config
		good.Domains = revocation.NewDomainCache(&countingLister{}, domainSettings)
		if err := good.Validate(); err != nil {
			t.Fatalf("Validate = %v, want no fault", err)
		}
		if _, err := revocation.New(revocation.Config{}); leaktest.Seen(t, err) == nil {
			t.Error("New made a Revoker of nothing")
		}
		groups := func(s revocation.GroupSettings) *revocation.GroupCache {
			return revocation.NewGroupCache(nil, []string{excludedGroup}, s)
		}
		tests := map[string]struct {
			change func(*revocation.Config)
			want   string
		}{
			"tenant":     {func(c *revocation.Config) { c.Tenant = strings.ToUpper(tenant) }, "tenant"},
			"directory":  {func(c *revocation.Config) { c.Directory = nil }, "directory"},
			"domains":    {func(c *revocation.Config) { c.Domains = nil }, "domains"},
			"ledger":     {func(c *revocation.Config) { c.Ledger = nil }, "ledger"},
			"belief":     {func(c *revocation.Config) { c.Domains = revocation.NewDomainCache(nil, revocation.DomainSettings{}) }, "domains are"},
			"groups":     {func(c *revocation.Config) { c.Groups = groups(revocation.GroupSettings{}) }, "groups are"},
			"shrinking":  {func(c *revocation.Config) { c.Groups = groups(revocation.GroupSettings{Refresh: 2, Stale: 1}) }, "groups are"},
			"queue":      {func(c *revocation.Config) { c.Queue = nil }, "queue"},
			"quota":      {func(c *revocation.Config) { c.Quota = nil }, "quota"},
			"backfill":   {func(c *revocation.Config) { c.Backfill = nil }, "backfill must"},
			"mode":       {func(c *revocation.Config) { c.Policy.Backfill.Mode = "" }, `backfill mode ""`},
			"hours":      {func(c *revocation.Config) { c.Policy.Backfill.Hours.From = 60 }, "hours need a time zone"},
			"ceilings":   {func(c *revocation.Config) { c.Policy.Backfill.Ceilings.Share = 5 }, "share 5"},
			"log":        {func(c *revocation.Config) { c.Log = nil }, "log"},
			"calendar":   {func(c *revocation.Config) { c.Now = nil }, "calendar"},
			"window":     {func(c *revocation.Config) { c.Policy.NewUserWindow = 0 }, "new-user window"},
			"exclusions": {func(c *revocation.Config) { c.Policy.Exclusions.Patterns = []string{"["} }, "pattern"},
			"lag":        {func(c *revocation.Config) { c.Settings.ReplicationLag = 0 }, "replication lag"},
			"patience":   {func(c *revocation.Config) { c.Settings.Patience = -1 }, "patience"},
			"hold":       {func(c *revocation.Config) { c.Settings.ReplicationLag = revocation.MaxDelay }, "queue delays"},
		}
		for name, tt := range tests {
			c := good
			tt.change(&c)
			if err := c.Validate(); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: Validate = %v, want it to name %q", name, err, tt.want)
			}
		}
	})
}
