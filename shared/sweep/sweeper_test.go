package sweep_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*sweep.Config)
		want   string
	}{
		{"tenant", func(c *sweep.Config) { c.Tenant = "X" }, "tenant"},
		{"graph", func(c *sweep.Config) { c.Graph = nil }, "graph"},
		{"subscribed", func(c *sweep.Config) { c.Subscribed = nil }, "subscribed"},
		{"log", func(c *sweep.Config) { c.Log = nil }, "log"},
		{"mode", func(c *sweep.Config) { c.Policy.Backfill.Mode = "force" }, "mode"},
		{"held", func(c *sweep.Config) { c.Policy.Backfill.Mode, c.Held = revocation.ModeEnforce, nil }, "held"},
		{"grace", func(c *sweep.Config) { c.Settings.Grace = time.Hour }, "grace"},
		{"window", func(c *sweep.Config) { c.Policy.NewUserWindow = 0 }, "window"},
		{"exclusions", func(c *sweep.Config) { c.Policy.Exclusions.IDs = []string{"X"} }, "excluded id"},
		{"domains", func(c *sweep.Config) { c.Domains = revocation.NewDomainCache(nil, revocation.DomainSettings{}) }, "domains are"},
		{"groups", func(c *sweep.Config) {
			c.Groups = revocation.NewGroupCache(nil, []string{excludedGroup}, revocation.GroupSettings{})
		}, "groups are"},
		{"recover", func(c *sweep.Config) { c.Settings.Recover = time.Minute }, "recover"},
		{"margin", func(c *sweep.Config) { c.Settings.Margin = c.Settings.Lease }, "margin"},
		{"lag", func(c *sweep.Config) { c.Settings.ReplicationLag = -1 }, "lag"},
		{"backfill", func(c *sweep.Config) { c.Settings.BackfillPerRun = 901 }, "backfill"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newWorld(t).config
			tt.change(&c)
			if _, err := sweep.New(c); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want an error about %s", err, tt.want)
			}
		})
	}
}

// TestWhichRoundsARunMakes tells the story of a tenant run by run.
func TestWhichRoundsARunMakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 7 {
		w.user(n, old(100*time.Hour), stamped)
	}
	chapters := []struct {
		name     string
		happens  func()
		full     sweep.Cause
		requests int
	}{
		{"the first", func() {}, sweep.CauseFirst, 1 + 3 + 1},
		{"the confirming one", func() {}, sweep.CauseConfirm, 1 + 3 + 1},
		{"nothing new", func() {}, "", 1},
		{"four changes", func() {
			for n := range 4 {
				w.change(userID(n), func(*directory.User) {})
			}
		}, "", 2},
		{"asked", func() { w.ask("a gap", w.clock().Add(-time.Hour)) }, sweep.CauseAsked, 1 + 3 + 1},
		{"asked no longer", func() {}, "", 1},
		{"days later", func() { w.advance(3 * 24 * time.Hour) }, sweep.CauseDue, 1 + 3 + 1},
		{"a link that expired", w.graph.expire, sweep.CauseExpired, 1 + 1 + 3 + 1},
		{"confirmed again", func() {}, sweep.CauseConfirm, 1 + 3 + 1},
		{"empty pages", func() { w.graph.empty = true }, "", 2},
	}
	for _, c := range chapters {
		c.happens()
		before := w.steps.n
		report := w.run()
		if report.Full != c.full || report.FullDone != (c.full != "") || report.Requests != c.requests {
			t.Errorf("%s: full round %q (done: %t) in %d requests, want %q in %d",
				c.name, report.Full, report.FullDone, report.Requests, c.full, c.requests)
		}
		if report.Members != 7 || report.Unstamped != 0 || w.steps.n == before {
			t.Errorf("%s: %d of %d members are unstamped, want 0 of 7", c.name, report.Unstamped, report.Members)
		}
		w.advance(interval)
	}
}

func TestARoundThatFoundsTheChainIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribed = time.Time{}
	w.graph.lag = 4 * time.Minute
	hidden := w.user(1) // the link is newer than the user, the list older
	w.advance(time.Minute)
	w.run()
	if got := w.queued(); len(got) != 0 {
		t.Fatalf("the stale list shows %v", got)
	}
	w.advance(interval)
	w.run()
	if diff := cmp.Diff([]string{hidden}, w.queued()); diff != "" {
		t.Errorf("queued by the confirming round (-want +got):\n%s", diff)
	}
}

func TestUsersCreatedWhileTheListIsReadAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 9 {
		w.user(100+n, old(100*time.Hour), stamped)
	}
	var created string
	w.steps.hook = func(s step) error {
		if s.call == "Graph.UserPage" && s.after && created == "" {
			created = w.user(1) // stands on the page just read
		}
		return nil
	}
	w.run()
	if diff := cmp.Diff([]string{created}, w.queued()); diff != "" {
		t.Errorf("queued (-want +got):\n%s", diff)
	}
}

func TestExpiredLinks(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct {
		code int
		word string
	}{
		{http.StatusGone, ""}, {http.StatusBadRequest, ""}, {http.StatusNotFound, ""},
		{http.StatusBadRequest, "Request_BadRequest"}, {http.StatusNotFound, "itemNotFound"},
	} {
		w := newWorld(t)
		w.graph.code, w.graph.word = answer.code, answer.word
		for n := range 7 {
			w.user(n)
		}
		expired := false
		w.steps.hook = func(s step) error {
			if s.call == "Graph.UserPage" && s.after && !expired {
				expired = true
				w.graph.expire()
			}
			return nil
		}
		// The list expires at its second page, and so does the chain's beginning.
		report := w.run()
		if report.Expired != 1 || w.graph.lists != 2 || len(w.queued()) != 7 {
			t.Errorf("status %d %s: %+v after %d lists, want a second list", answer.code, answer.word, report, w.graph.lists)
		}
	}
}

func TestLinksThatAlwaysExpireDoNotLoop(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Graph.DeltaPage", "Graph.UserPage"} {
		w := newWorld(t)
		for n := range 7 {
			w.user(n)
		}
		first := true
		w.steps.hook = func(s step) error {
			if s.call == call && s.after {
				w.graph.expire()
			}
			if s.call == "Graph.DeltaPage" && !s.after && first {
				return nil
			}
			if s.call == "Graph.LatestDelta" && s.after {
				w.graph.expire() // before it is used
			}
			return nil
		}
		report, err := w.try()
		var e *directory.Error
		if !errors.As(err, &e) || !e.Expired() || report.Stopped != sweep.StopFailed || w.steps.n > 60 {
			t.Errorf("%s: Run = %+v, %v after %d calls; want Graph's own error soon", call, report, err, w.steps.n)
		}
		w.steps.hook = nil
		w.run()
	}
}

func TestAFailedRunSavesWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 9 {
		w.user(n)
	}
	pages := 0
	w.steps.hook = func(s step) error {
		if s.call != "Graph.UserPage" || s.after {
			return nil
		}
		if pages++; pages == 3 {
			return &directory.Error{Operation: "list", StatusCode: 429, RetryAfter: time.Minute}
		}
		return nil
	}
	report, err := w.try()
	var e *directory.Error
	if !errors.As(err, &e) || !e.Throttled() || report.Stopped != sweep.StopFailed || report.Candidates != 6 {
		t.Errorf("Run = %+v, %v; want the throttling after 6 candidates", report, err)
	}
	c := w.checkpoint()
	if c.Full == nil || c.Full.Pages != 2 || c.Full.Unstamped != 6 || c.Holder != "" {
		t.Errorf("checkpoint %+v, want two pages done and the lease given back", c)
	}
	w.queue.drain()
	report = w.run()
	if report.Full != sweep.CauseContinued || report.Candidates != 3 || w.graph.lists != 1 {
		t.Errorf("the next run: %+v, want it to go on", report)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Now = func() time.Time { return time.Now().UTC() }
		w.config.Settings.Margin = 10 * time.Second
		for n := range 30 { // ten pages
			w.user(n, func(u *directory.User) { u.Created = time.Now().UTC() })
		}
		w.steps.hook = func(s step) error {
			if strings.HasPrefix(s.call, "Graph.") && !s.after {
				time.Sleep(4 * time.Second)
			}
			return nil
		}
		runs := 0
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			report, err := w.sweeper().Run(ctx)
			if ctx.Err() != nil || err != nil {
				t.Fatalf("Run = %+v, %v at its deadline (%v)", report, err, ctx.Err())
			}
			cancel()
			if runs++; report.Finished {
				break
			}
			if report.Stopped != sweep.StopDeadline || w.checkpoint().Holder != "" || runs > 5 {
				t.Fatalf("run %d: %+v", runs, report)
			}
		}
		if got := w.queued(); len(got) != 30 || runs != 3 || w.graph.lists != 1 {
			t.Errorf("%d users were queued in %d runs of %d lists, want 30 in 3 of one", len(got), runs, w.graph.lists)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		if report, err := w.sweeper().Run(ctx); leaktest.Seen(t, err) == nil {
			t.Errorf("Run without time for a page = %+v, want an error", report)
		}
	})
}

func TestBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Policy.Backfill.Mode = revocation.ModeEnforce
	w.config.Settings.BackfillPerRun = 3
	ids := w.hold(5)
	w.member()
	report := w.run()
	var got []string
	for i, d := range w.queue.drain() {
		if !d.Request.Backfill || d.Request.Missed || d.Delay != time.Duration(i)*time.Second || !d.Request.Seen.Equal(w.clock()) {
			t.Errorf("request %d is %+v", i, d)
		}
		got = append(got, d.Request.User)
	}
	if diff := cmp.Diff(ids[:3], got); diff != "" || report.Backfill != 3 || report.Candidates != 0 {
		t.Errorf("%d queued (-want +got):\n%s", report.Backfill, diff)
	}
	w.advance(interval)
	if report := w.run(); report.Backfill != 0 {
		t.Errorf("%d users are queued while the first batch may be on its way", report.Backfill)
	}
	e, _ := w.ledger.Entries(t.Context(), tenant, ids[:1])
	done := e[ids[0]]
	done.State = revocation.StateStamped
	w.ledger.Write(t.Context(), []revocation.Entry{done})
	w.advance(2 * interval)
	w.run()
	if diff := cmp.Diff(ids[1:4], w.queued()); diff != "" {
		t.Errorf("queued after that (-want +got):\n%s", diff)
	}
}

// Where the revoker would hold everybody again, nobody is asked for.
func TestBackfillIsNotAskedInVain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		arrange func(w *world)
		want    int
	}{
		{"members counted, no ceiling reached, all day", func(w *world) { w.member() }, 5},
		{"nobody counted yet", func(*world) {}, 0},
		{"a ceiling reached", func(w *world) {
			w.member()
			w.state(func(s *revocation.BackfillState) { s.Stopped = revocation.ReasonCeilingRun })
		}, 0},
		{"quiet hours", func(w *world) {
			w.member()
			minute := w.clock().Hour()*60 + w.clock().Minute()
			w.config.Policy.Backfill.Hours = revocation.Hours{From: (minute + 60) % 1440, To: (minute + 120) % 1440, Place: time.UTC}
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.Policy.Backfill.Mode = revocation.ModeEnforce
			w.hold(5)
			tt.arrange(w)
			if report := w.run(); report.Backfill != tt.want {
				t.Errorf("%d users were asked for, want %d", report.Backfill, tt.want)
			}
		})
	}
}

// The ceilings are told how many members there are, in every mode; by a dry run the
// real ones as well, so that the first users of a real run do not stop at a share
// of nobody.
func TestMembersAreShared(t *testing.T) {
	t.Parallel()
	for dry, keys := range map[bool][]string{false: {tenant}, true: {tenant, tenant + "/dry-run"}} {
		w := newWorld(t)
		w.config.DryRun = dry
		for n := range 40 {
			w.user(n, old(100*time.Hour), stamped)
		}
		report := w.run()
		for _, key := range keys {
			state, err := w.config.Backfill.Backfill(t.Context(), key)
			if err != nil || state.Members != report.Members || state.Members != 40 {
				t.Errorf("%s: the ceilings know of %d members (%v), the sweep counted %d", key, state.Members, err, report.Members)
			}
			if granted, next := state.Take(1, revocation.DefaultCeilings, w.clock()); granted != 1 || next.Stopped != "" {
				t.Errorf("%s: %d of one let through, stopped by %q", key, granted, next.Stopped)
			}
		}
	}
}

func TestReportModeBackfillsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hold(5)
	if report := w.run(); report.Backfill != 0 || len(w.queued()) != 0 {
		t.Errorf("report %+v, want nobody queued", report)
	}
}

func TestAGapMakesNobodyOld(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		swept, asked bool // before the gap; after it
	}{
		{"the keeper asks", true, true},
		{"the keeper has noticed nothing", true, false},
		{"the sweep has never seen the first subscription", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			began := w.clock()
			if tt.swept {
				w.settle()
			}
			gap := w.clock()
			w.advance(time.Hour)
			lost := w.user(1)
			w.advance(30 * time.Hour)
			w.subscribed = w.clock() // the keeper repaired it
			if tt.asked {
				w.ask("the subscription was gone", gap)
			}
			report := w.run()
			if report.FullDone != (tt.asked || !tt.swept) || report.Missed != 1 || report.OldestMissed != 30*time.Hour {
				t.Errorf("report %+v, want one missed since 30 h", report)
			}
			d := w.queue.drain()
			if len(d) != 1 || d[0].Request.User != lost || !d[0].Request.Missed {
				t.Errorf("queued %+v, want %s missed, once", d, lost)
			}
			if c := w.checkpoint(); c.Asked != "" || !c.AskedSince.IsZero() || !c.Since.Equal(began) {
				t.Errorf("checkpoint %+v, want the wish answered and Since at the beginning", c)
			}
		})
	}
}

func TestOneRecordPerRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	w.advance(interval)
	w.user(1, old(10*time.Minute)) // before the subscription
	w.advance(20 * time.Minute)
	w.user(2)
	w.advance(time.Hour)
	w.run()
	w.steps.hook = func(s step) error {
		if s.call == "Graph.DeltaPage" {
			return errGraph
		}
		return nil
	}
	w.try()
	w.steps.hook = func(step) error { return errDeath }
	w.try()
	var got []string
	for _, r := range w.records() {
		got = append(got, strings.Join([]string{r["level"].(string), r["stopped"].(string), r["full"].(string)}, " "))
		if r["tenant"] != tenant {
			t.Errorf("record %v is of another tenant", r)
		}
	}
	want := []string{"INFO  first", "INFO  confirm", "ERROR failed ", "ERROR broke_off "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
