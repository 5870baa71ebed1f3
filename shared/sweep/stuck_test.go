package sweep_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// dead are the ways in which a link can lead nowhere for ever.
var dead = map[string]func(link string, page *directory.UserPage) error{
	"an error of Graph":    func(string, *directory.UserPage) error { return errGraph },
	"a page without links": func(_ string, page *directory.UserPage) error { page.Next, page.Delta = "", ""; return nil },
	"a page that leads to itself": func(link string, page *directory.UserPage) error {
		page.Next, page.Delta = link, ""
		return nil
	},
}

// spoilNow makes the link that is worked at a dead one, and counts how often it is
// asked for.
func (w *world) spoilNow(link string, how func(string, *directory.UserPage) error) *int {
	w.t.Helper()
	if link == "" {
		w.t.Fatal("there is no link to spoil")
	}
	asked := new(int)
	w.graph.spoil = func(at string, page *directory.UserPage) error {
		if at != link {
			return nil
		}
		*asked++
		return how(at, page)
	}
	return asked
}

// A dead link of the chain does not outlive the next full round that is asked for,
// or due, which is made in the same run.
func TestADeadChainEndsWithTheNextFullRound(t *testing.T) {
	t.Parallel()
	for name, how := range dead {
		for cause, arrange := range map[string]func(*world){
			"ordered": func(w *world) { w.ask("ordered", time.Time{}) },
			"due":     func(w *world) { w.advance(w.config.Settings.FullEvery) },
		} {
			w := newWorld(t)
			for n := range 7 {
				w.user(n, old(100*time.Hour), stamped)
			}
			w.settle()
			w.advance(interval)
			w.spoilNow(w.checkpoint().DeltaLink, how)
			lost := w.user(10)
			if report, err := w.try(); err == nil || report.Stopped != sweep.StopFailed || report.Full != "" {
				t.Errorf("%s: Run = %+v, %v; want it to fail", name, report, err)
			}
			w.advance(interval)
			arrange(w)
			report := w.run()
			if got := w.queued(); report.Full != sweep.CauseExpired || !report.FullDone || report.Expired != 1 || len(got) != 1 || got[0] != lost {
				t.Errorf("%s, %s: %+v, queued %v; want a full round that shows %s", name, cause, report, got, lost)
			}
			w.advance(interval)
			if report := w.run(); report.Full != sweep.CauseConfirm {
				t.Errorf("%s, %s: then %+v, want the new chain confirmed", name, cause, report)
			}
			w.advance(interval)
			if report := w.run(); report.Requests != 1 {
				t.Errorf("%s, %s: then %+v, want an increment", name, cause, report)
			}
		}
	}
}

// Where no full round is due, or one is under way that was begun in trust in the
// chain, a few runs wait for the link to come right.
func TestADeadLinkIsGivenUpAfterAFewRuns(t *testing.T) {
	t.Parallel()
	for name, how := range dead {
		for kind, where := range map[string]func(*world) string{
			"the chain":                     func(w *world) string { return w.checkpoint().DeltaLink },
			"the chain, with a round begun": func(w *world) string { w.beginRound(); return w.checkpoint().DeltaLink },
			"the list":                      func(w *world) string { w.beginRound(); return w.checkpoint().Full.Next },
		} {
			if kind == "the list" && name == "a page without links" {
				continue // the list's end
			}
			w := newWorld(t)
			for n := range 12 {
				w.user(n, old(100*time.Hour), stamped)
			}
			w.settle()
			w.advance(interval)
			asked := w.spoilNow(where(w), how)
			w.change(userID(1), func(*directory.User) {}) // a link of now is another one
			for range 3 {
				if report, err := w.try(); err == nil || report.Stopped != sweep.StopFailed || report.Expired != 0 {
					t.Errorf("%s of %s: Run = %+v, %v; want it to fail", name, kind, report, err)
				}
				w.advance(interval)
			}
			report := w.run()
			if *asked != 4 || !report.FullDone || report.Expired != 1 || report.Members != 12 {
				t.Errorf("%s of %s: asked for %d times; then %+v, want a full round of all", name, kind, *asked, report)
			}
			w.advance(interval)
			if w.run(); w.checkpoint().Failed != 0 || w.checkpoint().Full != nil {
				t.Errorf("%s of %s: checkpoint %+v, want nothing under way", name, kind, w.checkpoint())
			}
		}
	}
}

// beginRound leaves a full round behind of which two pages are read.
func (w *world) beginRound() {
	w.t.Helper()
	w.ask("a gap", time.Time{})
	pages := 0
	w.steps.hook = func(s step) error {
		if s.call != "Graph.UserPage" || s.after {
			return nil
		}
		if pages++; pages == 3 {
			return &directory.Error{Operation: "list", StatusCode: http.StatusTooManyRequests}
		}
		return nil
	}
	w.try()
	w.steps.hook = nil
	if f := w.checkpoint().Full; f == nil || f.Pages != 2 || f.Failed != 0 {
		w.t.Fatalf("the round is %+v, want two pages read", f)
	}
}

// Who asks need not wait until a list that is under way has failed often enough.
func TestADeadListEndsWhenSomebodyAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 12 {
		w.user(n, old(100*time.Hour), stamped)
	}
	w.settle()
	w.advance(interval)
	w.beginRound()
	w.spoilNow(w.checkpoint().Full.Next, dead["an error of Graph"])
	if _, err := w.try(); err == nil {
		t.Error("Run succeeded with a list that is dead")
	}
	a := w.do(sweep.Order{Full: true})
	if c := w.checkpoint(); !a.Report.FullDone || a.Report.Members != 12 || c.Asks != c.Answered {
		t.Errorf("the order's answer is %+v, the checkpoint %+v", a.Report, c)
	}
}

// A Graph that is down, throttles or does not answer costs neither chain nor list,
// however long that lasts and whatever is asked for.
func TestAGraphThatIsDownCostsNothing(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]*directory.Error{
		"down":      errGraph,
		"throttles": {Operation: "delta", StatusCode: http.StatusTooManyRequests},
		"is silent": {Operation: "delta"},
		"is closed": {Operation: "delta", StatusCode: http.StatusForbidden},
	} {
		for _, calls := range []string{"Graph.", "Graph.UserPage"} {
			w := newWorld(t)
			for n := range 12 {
				w.user(n, old(100*time.Hour), stamped)
			}
			w.settle()
			w.advance(interval)
			w.beginRound()
			before := w.checkpoint()
			w.steps.hook = func(s step) error {
				if strings.HasPrefix(s.call, calls) && !s.after {
					return err
				}
				return nil
			}
			for range 8 {
				w.ask("a gap", time.Time{})
				if _, got := w.try(); !errors.Is(got, err) {
					t.Errorf("%s: Run = %v, want Graph's error", name, got)
				}
				w.advance(interval)
			}
			after := w.checkpoint()
			if after.DeltaLink != before.DeltaLink || after.Full == nil || after.Full.Next != before.Full.Next || after.Full.DeltaLink != "" {
				t.Errorf("%s: the checkpoint was %+v and is %+v", name, before, after)
			}
			w.steps.hook = nil
			w.run()
		}
	}
}
