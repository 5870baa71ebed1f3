package subscription_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// replacedOverBridge is what a replacement that loses nothing does.
var replacedOverBridge = []subscription.Action{
	subscription.ActionBridged, subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionRemoved}

// littleGraph answers without what is not documented to be in an answer.
type littleGraph struct{ subscription.Graph }

func little(s directory.Subscription) directory.Subscription {
	s.NotificationURL, s.LifecycleURL, s.LatestTLS, s.ApplicationID = "", "", "", ""
	return s
}

func (g littleGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	all, err := g.Graph.Subscriptions(ctx)
	for i := range all {
		all[i] = little(all[i])
	}
	return all, err
}

func (g littleGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	made, err := g.Graph.CreateSubscription(ctx, s, clientState)
	return little(made), err
}

// listLittle makes Graph tell little from now on.
func (w *world) listLittle() { w.config.Graph = steppedGraph{littleGraph{w.graph}, w} }

// overlapGraph refuses a subscription that reports updates beside another one that
// does. named tells whether it says which.
type overlapGraph struct {
	subscription.Graph
	w     *world
	named bool
}

func (g overlapGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	for _, other := range g.w.ours() {
		if !strings.Contains(strings.ToLower(other.ChangeType), "updated") || !other.Expires.After(time.Now()) {
			continue
		}
		e := &directory.Error{Operation: "createSubscription", StatusCode: http.StatusConflict, Message: "it exists already"}
		if g.named {
			e.Message = "Subscription Id " + other.ID + " already exists for the requested combination"
		}
		return directory.Subscription{}, e
	}
	return g.Graph.CreateSubscription(ctx, s, clientState)
}

// refuseOverlap makes Graph admit no bridge from now on.
func (w *world) refuseOverlap(named bool) {
	w.config.Graph = steppedGraph{overlapGraph{w.graph, w, named}, w}
}

// TestLittleListed does nothing at run after run where Graph tells little of what
// the record knows, and repairs what the record knows to be wrong.
func TestLittleListed(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.listLittle()
		w.setUp()
		for range 3 {
			checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		}
		w.checkQuiet()
		w.config.LifecycleURL = hookURL
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOtherLifecycleURL}, replacedOverBridge)
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		w.config.NotificationURL = otherURL
		if found := w.keep().Found; !slices.Contains(found, subscription.FoundOtherURL) {
			t.Errorf("found %v, want the subscription to point elsewhere", found)
		}
		w.config.NotificationURL, w.config.LifecycleURL = hookURL, lifeURL
		w.keepUntilQuiet()
		w.checkQuiet()
	})
}

// TestLittleListedOfAnother replaces a subscription of which neither list nor
// record tells where it delivers.
func TestLittleListedOfAnother(t *testing.T) {
	tests := []struct {
		name    string
		arrange func(*world)
		want    subscription.Finding
	}{
		{"the record names none", func(w *world) { w.make(directory.Subscription{LifecycleURL: lifeURL}, w.current) },
			subscription.FoundUnknown},
		{"the record does not tell", func(w *world) {
			w.remember(w.make(directory.Subscription{LifecycleURL: lifeURL}, w.current), w.current)
		}, subscription.FoundOtherURL},
		{"the record names another", func(w *world) {
			w.keep()
			w.tenant.DropSubscription(w.record().SubscriptionID)
			w.make(directory.Subscription{LifecycleURL: lifeURL}, w.current)
		}, subscription.FoundVanished},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				tt.arrange(w)
				w.listLittle()
				checkFound(t, w.keep(), []subscription.Finding{tt.want},
					[]subscription.Action{subscription.ActionBridged, subscription.ActionSweepAsked,
						subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionRemoved})
				w.keepUntilQuiet()
				w.checkQuiet()
			})
		})
	}
}

// TestUnmended replaces a subscription once for a fault that Graph shows of every
// one, and again when another one is wanted.
func TestUnmended(t *testing.T) {
	tests := []struct {
		name string
		want subscription.Finding
		edit func(*directory.Subscription)
	}{
		{"lifecycle URL", subscription.FoundOtherLifecycleURL, func(s *directory.Subscription) { s.LifecycleURL = "https://proxy.example/" }},
		{"TLS", subscription.FoundOldTLS, func(s *directory.Subscription) { s.LatestTLS = "v1_1" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) { unmended(t, w, tt.want, tt.edit) })
		})
	}
}

func unmended(t *testing.T, w *world, fault subscription.Finding, edit func(*directory.Subscription)) {
	w.config.Graph = editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
		for i := range all {
			edit(&all[i])
		}
		return all
	}}
	w.keep()
	w.asked = nil
	kept := []subscription.Finding{subscription.FoundUnmended}
	checkFound(t, w.keep(), []subscription.Finding{fault}, replacedOverBridge)
	for range 3 {
		time.Sleep(time.Hour)
		checkFound(t, w.keep(), kept, nil)
	}
	w.rotate()
	checkFound(t, w.keep(), []subscription.Finding{subscription.FoundUnmended, subscription.FoundOldClientState}, replacedOverBridge)
	checkFound(t, w.keep(), kept, nil)
	w.config.LifecycleURL = hookURL
	if done := w.keep().Done; !slices.Equal(done, replacedOverBridge) {
		t.Errorf("did %v where another lifecycle URL is wanted", done)
	}
	checkFound(t, w.keep(), kept, nil)
	w.config.LifecycleURL, w.config.Graph = lifeURL, w.graph
	w.keepUntilQuiet()
	if w.checkQuiet(); len(w.asked) > 0 || !w.record().Mended.IsZero() {
		t.Errorf("sweeps were asked for: %+v; the record is %+v", w.asked, w.record())
	}
}

// TestOverlap replaces a subscription although Graph admits no bridge.
func TestOverlap(t *testing.T) {
	replaced := []subscription.Action{subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionSweepAsked}
	const overlap, conflict = subscription.FoundOverlap, subscription.FoundConflict
	tests := []struct {
		name    string
		arrange func(*world)
		found   []subscription.Finding
		lists   int
	}{
		{"the listed one is named", func(w *world) { w.rotate(); w.refuseOverlap(true) },
			[]subscription.Finding{subscription.FoundOldClientState, overlap}, 1},
		{"none is named", func(w *world) { w.rotate(); w.refuseOverlap(false); w.unsettled(); time.Sleep(time.Hour) },
			[]subscription.Finding{subscription.FoundOldClientState, conflict, overlap}, 2},
		{"in a gap", func(w *world) { w.rotate(); w.rotate(); w.refuseOverlap(false) },
			[]subscription.Finding{subscription.FoundForeignClientState, overlap}, 1},
		{"a stranger's", func(w *world) {
			w.tenant.DropSubscription(w.record().SubscriptionID)
			w.make(directory.Subscription{ChangeType: "deleted,updated"}, "x")
			w.refuseOverlap(false)
		}, []subscription.Finding{subscription.FoundVanished, overlap}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.keep()
				w.asked = nil
				tt.arrange(w)
				calls := w.calls()
				checkFound(t, w.keep(), tt.found, replaced)
				if n := calls("list"); n != tt.lists {
					t.Errorf("listed %d times, want %d", n, tt.lists)
				}
				w.hook = nil
				checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
				w.checkQuiet()
			})
		})
	}
}

// unsettled runs the keeper once, which must leave it all to the next run.
func (w *world) unsettled() subscription.Report {
	w.t.Helper()
	report, err := w.keeper().Keep(w.t.Context())
	if report.Cause != subscription.CauseUnsettled || len(report.Done) > 0 {
		w.t.Errorf("Keep did %v: %v, want it to leave it to the next run", report.Done, err)
	}
	return report
}

// TestRefusedForAMoment keeps what delivers while Graph refuses a bridge for a
// moment without a reason, however often that happens.
func TestRefusedForAMoment(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		admitting := w.config.Graph
		for range 2 {
			w.rotate()
			w.refuseOverlap(false)
			w.unsettled()
			time.Sleep(time.Minute)
			w.unsettled()
			w.config.Graph = admitting
			checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOldClientState}, replacedOverBridge)
			time.Sleep(time.Hour)
		}
		w.rotate()
		w.refuseOverlap(false)
		w.unsettled()
		w.mu.Lock()
		w.current, w.previous = w.previous, ""
		w.mu.Unlock()
		time.Sleep(time.Hour)
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		w.rotate()
		w.unsettled()
		w.config.Graph = admitting
		w.keepUntilQuiet()
		if w.checkQuiet(); len(w.asked) > 0 || !w.record().Refused.IsZero() {
			t.Errorf("sweeps were asked for: %+v; the record is %+v", w.asked, w.record())
		}
	})
}

// TestRefusedOnceMore looks again before it believes what an earlier run had met.
func TestRefusedOnceMore(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		admitting := w.config.Graph
		w.rotate()
		w.refuseOverlap(false)
		w.unsettled()
		w.config.Graph = admitting
		time.Sleep(time.Hour)
		w.hook = func(_ context.Context, s step) error {
			if s.call != "create" {
				return nil
			}
			w.hook = nil
			return &directory.Error{Operation: "createSubscription", StatusCode: http.StatusConflict, Message: "it exists already"}
		}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOldClientState, subscription.FoundConflict}, replacedOverBridge)
		w.checkQuietAfter(0)
	})
}

// TestHiddenBridge waits for a bridge that Graph has not listed, and keeps what
// delivers meanwhile.
func TestHiddenBridge(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		hidden := w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
		w.config.Graph = editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
			return slices.DeleteFunc(all, func(s directory.Subscription) bool { return s.ID == hidden })
		}}
		w.rotate()
		checkFound(t, w.unsettled(), []subscription.Finding{subscription.FoundOldClientState, subscription.FoundConflict}, nil)
		w.config.Graph = w.graph
		w.keepUntilQuiet()
		w.checkQuietAfter(0)
	})
}
