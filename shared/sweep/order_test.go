package sweep_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// scheduled is an event as EventBridge sends it.
const scheduled = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",
	"source":"aws.scheduler","account":"123456789012","time":"2026-11-03T09:00:00Z","region":"eu-central-1",
	"resources":["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/sweep"],"detail":"{}"}`

func TestDecodeOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event string
		want        sweep.Order
		refused     string
	}{
		{"an empty object", `{}`, sweep.Order{}, ""},
		{"an event of the scheduler", scheduled, sweep.Order{}, ""},
		{"a dry run", `{"dryRun":true}`, sweep.Order{DryRun: true}, ""},
		{"a full round", ` { "full" : true } `, sweep.Order{Full: true}, ""},
		{"a lifting", `{"lift":true,"full":false}`, sweep.Order{Lift: true}, ""},
		{"nothing after all", `{"dryRun":false}`, sweep.Order{}, ""},
		{"two orders", `{"dryRun":true,"lift":true}`, sweep.Order{}, "at once"},
		{"a word that is not known", `{"liff":true}`, sweep.Order{}, "unknown field"},
		{"a word in other letters", `{"dryrun":true}`, sweep.Order{}, "unknown field"},
		{"an event with an order", strings.Replace(scheduled, "{", `{"dry_run":true,`, 1), sweep.Order{}, "unknown field"},
		{"half an event", `{"version":"0"}`, sweep.Order{}, "unknown field"},
		{"a text", `{"dryRun":"true"}`, sweep.Order{}, "dryRun is neither true nor false"},
		{"null", `{"lift":null}`, sweep.Order{}, "lift is neither true nor false"},
		{"no object", `null`, sweep.Order{}, "want a JSON object"},
		{"a list", `[]`, sweep.Order{}, "want a JSON object"},
		{"nothing", ``, sweep.Order{}, "want a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := sweep.DecodeOrder([]byte(tt.event))
			if tt.refused == "" {
				if err != nil || got != tt.want {
					t.Errorf("DecodeOrder = %+v, %v; want %+v", got, err, tt.want)
				}
				return
			}
			if leaktest.Seen(t, err) == nil {
				t.Fatalf("DecodeOrder = %+v, want it refused", got)
			}
			for _, part := range []string{tt.refused, "dryRun", "full", "lift"} {
				if !strings.Contains(leaktest.Seen(t, err).Error(), part) {
					t.Errorf("the error %q does not tell of %s", err, part)
				}
			}
			if strings.Contains(leaktest.Seen(t, err).Error(), "liff") {
				t.Errorf("the error %q quotes what came", err)
			}
		})
	}
}

func FuzzDecodeOrder(f *testing.F) {
	f.Add([]byte(`{"dryRun":true}`))
	f.Add([]byte(scheduled))
	f.Fuzz(func(t *testing.T, event []byte) {
		o, err := sweep.DecodeOrder(event)
		if err != nil {
			return
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := sweep.DecodeOrder(again); err != nil || back != o {
			t.Errorf("%+v comes back as %+v, %v", o, back, err)
		}
	})
}

// do carries out an order that must succeed.
func (w *world) do(o sweep.Order) sweep.Answer {
	w.t.Helper()
	a, err := w.sweeper().Do(w.t.Context(), o)
	if err != nil {
		w.t.Fatalf("Do(%+v): %v", o, err)
	}
	return a
}

func TestOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member()
	w.settle()
	w.advance(interval)
	if a := w.do(sweep.Order{}); a.Report == nil || a.Report.Full != "" || !a.Report.Finished || a.Preview != nil || a.Lifted != nil {
		t.Errorf("an ordinary run answers %+v", a)
	}
	w.advance(interval)
	if a := w.do(sweep.Order{Full: true}); a.Report == nil || a.Report.Full != sweep.CauseAsked || !a.Report.FullDone {
		t.Errorf("a full round answers %+v", a.Report)
	}
	if c := w.checkpoint(); c.Asks != c.Answered || c.Asks != 1 || !c.Since.Equal(w.subscribed) {
		t.Errorf("after the full round the checkpoint is %+v", c)
	}
	if _, err := w.sweeper().Do(t.Context(), sweep.Order{Full: true, Lift: true}); leaktest.Seen(t, err) == nil {
		t.Error("two orders at once were carried out")
	}
}

// A full round that is ordered while another one is under way is made after it, in
// the same run.
func TestOrderOfAFullRoundDuringAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 12 {
		w.user(n, old(100*time.Hour), stamped)
	}
	w.settle()
	w.advance(interval)
	w.beginRound()
	lists := w.graph.lists
	a := w.do(sweep.Order{Full: true})
	if c := w.checkpoint(); !a.Report.Finished || a.Report.Full != sweep.CauseAsked || w.graph.lists != lists+1 || c.Asks != c.Answered {
		t.Errorf("after %d lists: %+v, checkpoint %+v; want the ordered round made", w.graph.lists-lists, a.Report, c)
	}
	// Somebody who asks without end gets a few rounds in a run, and the rest later.
	w.steps.hook = func(s step) error {
		if s.call == "Graph.UserPage" && s.after {
			w.ask("again", time.Time{})
		}
		return nil
	}
	lists = w.graph.lists
	if a := w.do(sweep.Order{Full: true}); a.Report.Finished || a.Report.Stopped != sweep.StopDeadline || w.graph.lists != lists+3 {
		t.Errorf("after %d lists: %+v, want three and no end", w.graph.lists-lists, a.Report)
	}
	w.steps.hook = nil
	if report := w.run(); !report.FullDone || w.checkpoint().Asks != w.checkpoint().Answered {
		t.Errorf("the next run: %+v", report)
	}
}

func TestOrderToLift(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{false, true} {
		w := newWorld(t)
		w.config.DryRun = dry
		stopped := w.clock().Add(-time.Hour)
		w.state(func(s *revocation.BackfillState) {
			s.Run, s.Stopped, s.StoppedAt = 200, revocation.ReasonCeilingRun, stopped
		})
		a := w.do(sweep.Order{Lift: true})
		want := sweep.Answer{Lifted: &sweep.Lifted{At: w.clock(), Stopped: revocation.ReasonCeilingRun, StoppedAt: stopped, Run: 200}}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("dry run %t: the answer (-want +got):\n%s", dry, diff)
		}
		for _, key := range []string{tenant, tenant + "/dry-run"} {
			s, err := w.config.Backfill.Backfill(t.Context(), key)
			if err != nil || s.Stopped != "" || s.Run != 0 || !s.Lifted.Equal(w.clock()) {
				t.Errorf("dry run %t: %s stands at %+v, %v", dry, key, s, err)
			}
		}
		w.advance(time.Minute)
		if a = w.do(sweep.Order{Lift: true}); a.Lifted.Stopped != "" || a.Lifted.Run != 0 {
			t.Errorf("lifted again: %+v", a.Lifted)
		}
		if n := len(w.queue.drain()) + w.graph.lists; n != 0 {
			t.Errorf("lifting did more than that: %d", n)
		}
	}
}

func TestAnswerJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	got, err := json.Marshal(sweep.Answer{Lifted: &sweep.Lifted{At: at, Stopped: revocation.ReasonCeilingRun, StoppedAt: at, Run: 5}})
	want := `{"lifted":{"lifted_at":"2026-11-03T09:00:00Z","stopped":"ceiling_run","stopped_at":"2026-11-03T09:00:00Z","run":5}}`
	if err != nil || string(got) != want {
		t.Errorf("JSON %s, %v; want %s", got, err, want)
	}
	got, err = json.Marshal(sweep.Answer{Preview: &sweep.Preview{
		Tenant: tenant, Started: at, Finished: true, Requests: 1, Users: 2, Unreadable: 3, Members: 4,
		Reasons: map[revocation.Reason]int{revocation.ReasonGuest: 5}, Existing: 6, BeforeCeiling: 7, Ceiling: revocation.ReasonCeilingHour,
		QuietHours: true, NewestNew: []string{"a"}, NewestExisting: []string{},
	}})
	want = `{"preview":{"tenant":"` + tenant + `","started":"2026-11-03T09:00:00Z","finished":true,"graph_requests":1,"users":2,"unreadable":3,` +
		`"members":4,"reasons":{"guest":5},"existing":6,"before_ceiling":7,"ceiling":"ceiling_hour","quiet_hours":true,"newest_new":["a"],"newest_existing":[]}}`
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("JSON (-want +got), %v:\n%s", err, diff)
	}
}
