package sweep_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// witness remembers the reports of runs.
type witness struct{ reports []sweep.Report }

func (w *witness) ObserveSweep(_ context.Context, r sweep.Report) { w.reports = append(w.reports, r) }

// What a person has to see is in every report and at every run a warning, until
// somebody has seen to it.
func TestSomethingKeepsSayingSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := new(witness)
	w.config.Observer = seen
	w.member()
	w.settle()
	stopped := w.clock()
	scenes := []struct {
		name       string
		change     func()
		level      string
		unreadable int
		stopped    revocation.Reason
	}{
		{"all is well", func() {}, "INFO", 0, ""},
		{"a ceiling is reached", func() {
			w.state(func(s *revocation.BackfillState) { s.Stopped, s.StoppedAt = revocation.ReasonCeilingHour, stopped })
		}, "WARN", 0, revocation.ReasonCeilingHour},
		{"a day later", func() { w.advance(24 * time.Hour) }, "WARN", 0, revocation.ReasonCeilingHour},
		{"lifted", func() { w.state(func(s *revocation.BackfillState) { *s = s.Lift(w.clock()) }) }, "INFO", 0, ""},
		{"two users on the page of an increment", func() { w.graph.broken = 2 }, "WARN", 2, ""},
		{"nobody on the next", func() { w.graph.broken = 0 }, "INFO", 0, ""},
		{"five in a full round", func() {
			for n := range 11 {
				w.user(9100+n, stamped)
			}
			w.queue.drain()
			w.run() // all changes, before one of them is broken
			w.graph.broken = 1
			w.ask("a test", time.Time{})
		}, "WARN", 6, ""}, // and one in an increment, which is a page of its own
		{"none in an increment", func() { w.graph.broken = 0 }, "WARN", 4, ""},
		{"none in a full round", func() { w.ask("a test", time.Time{}) }, "INFO", 0, ""},
	}
	for _, s := range scenes {
		s.change()
		report := w.run()
		records := w.records()
		if level := records[len(records)-1]["level"]; level != s.level {
			t.Errorf("%s: the record is of level %s, want %s", s.name, level, s.level)
		}
		if report.Unreadable != s.unreadable || report.BackfillStopped != s.stopped || report.BackfillStoppedAt.Equal(stopped) != (s.stopped != "") {
			t.Errorf("%s: %d unreadable, stopped by %q at %s; want %d, %q",
				s.name, report.Unreadable, report.BackfillStopped, report.BackfillStoppedAt, s.unreadable, s.stopped)
		}
		if diff := cmp.Diff(report, seen.reports[len(seen.reports)-1]); diff != "" {
			t.Errorf("%s: the observer was told (-returned +told):\n%s", s.name, diff)
		}
		w.advance(interval)
	}
}

// A ceiling is reported even where the run comes to nothing.
func TestCeilingIsReportedByARunThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := new(witness)
	w.config.Observer = seen
	w.state(func(s *revocation.BackfillState) { s.Stopped = revocation.ReasonCeilingRun })
	w.steps.hook = func(s step) error {
		if s.call == "Graph.LatestDelta" {
			return errGraph
		}
		return nil
	}
	w.try()
	w.steps.hook = func(s step) error {
		if s.call == "Store.Checkpoint" {
			return errDeath
		}
		return nil
	}
	w.try()
	if len(seen.reports) != 2 {
		t.Fatalf("%d runs were observed, want 2", len(seen.reports))
	}
	for i, want := range []sweep.Stop{sweep.StopFailed, sweep.StopBrokeOff} {
		if r := seen.reports[i]; r.BackfillStopped != revocation.ReasonCeilingRun || r.Stopped != want {
			t.Errorf("run %d: stopped by %q and %q, want %q and the ceiling", i, r.Stopped, r.BackfillStopped, want)
		}
	}
}

// In a dry run the sweep reads and writes the dry run's counts. Of the real ones it
// tells how many members there are, and no more.
func TestDryRunHasItsOwnBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.DryRun = true
	w.config.Policy.Backfill.Mode = revocation.ModeEnforce
	w.hold(5)
	w.member()
	w.state(func(s *revocation.BackfillState) { s.Members, s.Stopped = 7, revocation.ReasonCeilingRun })
	if report := w.run(); report.Backfill != 5 || report.BackfillStopped != "" {
		t.Errorf("%d were asked for, stopped by %q; the real ceiling is none of a dry run's", report.Backfill, report.BackfillStopped)
	}
	dry := revocation.DryRunStore(w.config.Backfill)
	if s, err := dry.Backfill(t.Context(), tenant); err != nil || s.Members != 1 {
		t.Errorf("the dry run's state is %+v, %v", s, err)
	}
	if s, err := w.config.Backfill.Backfill(t.Context(), tenant); err != nil || s.Members != 1 || s.Version != 2 || s.Stopped != revocation.ReasonCeilingRun {
		t.Errorf("the real state is %+v, %v", s, err)
	}
	err := revocation.UpdateBackfill(t.Context(), dry, tenant, func(s revocation.BackfillState) revocation.BackfillState {
		s.Stopped = revocation.ReasonCeilingHour
		return s
	})
	if err != nil {
		t.Fatal(err)
	}
	w.advance(2 * time.Hour)
	if report := w.run(); report.Backfill != 0 || report.BackfillStopped != revocation.ReasonCeilingHour {
		t.Errorf("%d were asked for, stopped by %q; want the dry run's ceiling", report.Backfill, report.BackfillStopped)
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		report sweep.Report
		want   string
	}{
		{
			sweep.Report{
				Tenant: tenant, Started: at, Full: sweep.CauseDue, FullDone: true, Requests: 1, Pages: 2, Expired: 3, Users: 4, Unreadable: 5,
				Candidates: 6, Missed: 7, OldestMissed: 90 * time.Second, Members: 8, Unstamped: 9, Backfill: 10,
				BackfillStopped: revocation.ReasonCeilingRun, BackfillStoppedAt: at, Stopped: sweep.StopDeadline,
			},
			`{"tenant":"` + tenant + `","started":"2026-11-03T09:00:00Z","full":"due","full_done":true,"graph_requests":1,"pages":2,` +
				`"expired":3,"users":4,"unreadable":5,"candidates":6,"missed":7,"members":8,"unstamped":9,"backfill":10,` +
				`"backfill_stopped":"ceiling_run","backfill_stopped_at":"2026-11-03T09:00:00Z","finished":false,"stopped":"deadline","oldest_missed_s":90}`,
		},
		{
			sweep.Report{Tenant: tenant, Started: at, Finished: true},
			`{"tenant":"` + tenant + `","started":"2026-11-03T09:00:00Z","full_done":false,"graph_requests":0,"pages":0,` +
				`"expired":0,"users":0,"unreadable":0,"candidates":0,"missed":0,"members":0,"unstamped":0,"backfill":0,"finished":true,"oldest_missed_s":0}`,
		},
	}
	for _, tt := range tests {
		got, err := json.Marshal(tt.report)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("JSON (-want +got):\n%s", diff)
		}
	}
}
