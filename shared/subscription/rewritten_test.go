package subscription_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// rewritingGraph lists our notification URL otherwise than it was given, and
// answers so too where answers is set.
type rewritingGraph struct {
	subscription.Graph
	answers bool
}

func rewritten(s directory.Subscription) directory.Subscription {
	if s.NotificationURL == hookURL {
		s.NotificationURL += "/"
	}
	return s
}

func (g rewritingGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	all, err := g.Graph.Subscriptions(ctx)
	for i := range all {
		all[i] = rewritten(all[i])
	}
	return all, err
}

func (g rewritingGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	made, err := g.Graph.CreateSubscription(ctx, s, clientState)
	if g.answers {
		made = rewritten(made)
	}
	return made, err
}

// rewriteURL makes Graph write our notification URL otherwise from now on.
func (w *world) rewriteURL(answers bool) {
	w.config.Graph = steppedGraph{rewritingGraph{w.graph, answers}, w}
}

// pointElsewhere changes the subscription's notification URL behind our back.
func (w *world) pointElsewhere() {
	w.t.Helper()
	path := "/subscriptions/" + w.record().SubscriptionID
	if err := w.graph.call(w.t.Context(), "", "PATCH", path, wireSubscription{NotificationURL: otherURL}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// repointed is what a run does about a subscription that points elsewhere.
var repointed = []subscription.Action{subscription.ActionBridged, subscription.ActionSweepAsked,
	subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionRemoved}

// TestRewrittenURL settles for the URL that Graph shows where it is only written
// otherwise, and for no other.
func TestRewrittenURL(t *testing.T) {
	other := []subscription.Finding{subscription.FoundOtherURL}
	tests := []struct {
		name    string
		answers bool
		repair  func(*testing.T, *world) // what it takes until Graph's writing is known
	}{
		{"in lists", false, func(t *testing.T, w *world) { checkFound(t, w.keep(), other, repointed) }},
		{"in answers too", true, func(*testing.T, *world) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.rewriteURL(tt.answers)
				checkFound(t, w.keep(), []subscription.Finding{subscription.FoundNone},
					[]subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked})
				tt.repair(t, w)
				w.checkRewritten(t)
				w.pointElsewhere()
				w.hire()
				time.Sleep(time.Minute)
				checkFound(t, w.keep(), other, repointed)
				tt.repair(t, w)
				w.checkRewritten(t)
				w.config.Graph = w.graph
				checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
				if w.checkQuiet(); w.record().ShownURL != "" {
					t.Errorf("the record remembers: %+v", w.record())
				}
			})
		})
	}
}

// checkRewritten checks that the subscription is kept whatever its URL looks like,
// that the log warns of it, and that it is still replaced for other reasons.
func (w *world) checkRewritten(t *testing.T) {
	t.Helper()
	asked := len(w.asked)
	kept := []subscription.Finding{subscription.FoundUnmended}
	for range 3 {
		time.Sleep(time.Hour)
		w.log.Reset()
		checkFound(t, w.keep(), kept, nil)
		if !strings.Contains(w.log.String(), `"WARN"`) {
			t.Errorf("the log does not warn: %s", w.log)
		}
	}
	w.rotate()
	checkFound(t, w.keep(), []subscription.Finding{subscription.FoundUnmended, subscription.FoundOldClientState}, replacedOverBridge)
	checkFound(t, w.keep(), kept, nil)
	if len(w.asked) > asked {
		t.Errorf("sweeps were asked for: %+v", w.asked[asked:])
	}
}

// TestPointedElsewhere repairs a subscription as often as somebody points it
// elsewhere.
func TestPointedElsewhere(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		for range 3 {
			w.pointElsewhere()
			w.hire()
			time.Sleep(time.Hour)
			checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOtherURL}, repointed)
		}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		w.checkQuiet()
	})
}

// TestRenamedURL replaces a subscription whose URL was written otherwise once
// ours is another one.
func TestRenamedURL(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.rewriteURL(true)
		w.keep()
		w.config.NotificationURL = otherURL
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOtherURL}, repointed)
		if shown := w.record().ShownURL; shown != "" {
			t.Errorf("the record remembers %s", shown)
		}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
	})
}

// deafGraph makes subscriptions that report nothing but deletions.
type deafGraph struct{ subscription.Graph }

func (g deafGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	s.ChangeType = "deleted"
	return g.Graph.CreateSubscription(ctx, s, clientState)
}

// TestOpenGap fails as long as what it makes is not what it asked for.
func TestOpenGap(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		healing := w.config.Graph
		w.config.Graph = deafGraph{w.graph}
		for range 2 {
			report, err := w.keeper().Keep(t.Context())
			if leaktest.Seen(t, err) == nil || report.Cause != subscription.CauseNotAsAsked || slices.Contains(report.Done, subscription.ActionSweepAsked) {
				t.Errorf("Keep: %+v, %v; want an error, because no gap ended", report, err)
			}
			time.Sleep(time.Hour)
		}
		w.config.Graph = healing
		w.keepUntilQuiet()
		w.checkQuiet()
	})
}
