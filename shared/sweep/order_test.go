package sweep_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func TestDecodeOrder(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]sweep.Order{
		`{}`:                                     sweep.OrderUsual,
		` { "full" : true } `:                    sweep.OrderFull,
		`{"preview":true}`:                       sweep.OrderPreview,
		`{"release":true}`:                       sweep.OrderRelease,
		`{"releaseSignals":true}`:                sweep.OrderReleaseSignals,
		`{"releasesignals":true}`:                "",
		`{"release":true,"releaseSignals":true}`: "",
		`{"pause":true}`:                         sweep.OrderPause,
		`{"resume":true}`:                        sweep.OrderResume,
		`{"pause":false}`:                        "",
		`{"pause":true,"resume":true}`:           "",
		`{"preview":true,"release":true}`:        "",
		`{"preview":true,"preview":false}`:       "",
		`{"preview":true,"\u0070review":false}`:  "",
		`{"preview":false}`:                      "",
		`{"Preview":true}`:                       "",
		`{"relaese":true}`:                       "",
		`{"release":null}`:                       "",
		`{"preview":"true"}`:                     "",
		`{"preview":true}{}`:                     "",
		`{"preview":true`:                        "",
		`null`:                                   "",
		`[]`:                                     "",
		``:                                       "",
	} {
		got, err := sweep.DecodeOrder([]byte(event))
		if got != want || (err != nil) != (want == "") {
			t.Errorf("DecodeOrder(%s) = %q, %v; want %q", event, got, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), `{"preview":true}`) || strings.Contains(err.Error(), "relaese")) {
			t.Errorf("the error %q does not tell the orders, or quotes what came", err)
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		time.Sleep(time.Hour)
		r := w.order(sweep.OrderRelease)
		if r.Kind != sweep.KindRelease || !w.brake.released.Equal(time.Now()) || len(w.seen) != 0 {
			t.Errorf("a release: %+v at %s, observed %v", r, w.brake.released, w.seen)
		}
		w.expectCalls(map[string]int{"Release": 1})
		r = w.order(sweep.OrderReleaseSignals)
		if r.Kind != sweep.KindReleaseSignals || !w.brake.signals.Equal(time.Now()) || len(w.seen) != 0 {
			t.Errorf("a release of signals: %+v at %s", r, w.brake.signals)
		}
		w.expectCalls(map[string]int{"ReleaseSignals": 1})
		w.steps.hook = func(step) error { return errGraph }
		for _, o := range []sweep.Order{sweep.OrderRelease, sweep.OrderReleaseSignals, sweep.OrderFull} {
			if r, err := w.try(t.Context(), o); !errors.Is(err, errGraph) || r.Finished {
				t.Errorf("%s that fails: %+v, %v", o, r, err)
			}
		}
	})
}

// A pause keeps the sweep's place: nothing is read, and nobody queued. Preview and release
// work. What was asked for meanwhile is done afterwards, and nobody is missed.
func TestPause(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.run()
		time.Sleep(time.Hour)
		if r := w.order(sweep.OrderPause); r.Kind != sweep.KindPause || !w.brake.paused.Equal(time.Now()) {
			t.Errorf("a pause: %+v at %s", r, w.brake.paused)
		}
		w.user(1)
		w.called()
		place := w.store.item.Doc.DeltaLink
		for _, o := range []sweep.Order{sweep.OrderUsual, sweep.OrderFull, sweep.OrderUsual} {
			r, err := w.try(t.Context(), o)
			want := sweep.Report{Tenant: tenant, Kind: sweep.KindIncrement, Causes: []sweep.Cause{sweep.CausePaused}}
			if diff := cmp.Diff(want, r); diff != "" || err != nil {
				t.Errorf("%s in a pause: %v (-want +got):\n%s", o, err, diff)
			}
		}
		w.expectCalls(map[string]int{})
		w.expectQueued()
		if len(w.seen) != 4 || w.store.item.Doc.DeltaLink != place {
			t.Errorf("observed %+v; the place is %+v", w.seen, w.store.item.Doc)
		}
		w.order(sweep.OrderPreview)
		w.order(sweep.OrderRelease)
		if r := w.order(sweep.OrderResume); r.Kind != sweep.KindResume || !w.brake.paused.IsZero() {
			t.Errorf("a resume: %+v, paused since %s", r, w.brake.paused)
		}
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseAsked)
		w.expectQueued(1)
	})
}

// populate makes a user of every kind.
func populate(w *world) {
	w.config.Policy.Exclusions.IDs = []string{userID(6), userID(77)}
	w.config.Policy.Exclusions.Patterns = []string{"svc-*@federated.example", "typo-*@federated.example"}
	w.user(1)
	w.user(2, old)
	w.user(3, func(u *directory.User) { u.Created = time.Time{} })
	w.user(4, stamped)
	w.user(5, guest)
	w.user(6, old)
	w.user(7, func(u *directory.User) { u.UserPrincipalName = "svc-7@federated.example" })
	w.user(8, managed)
	w.user(9, func(u *directory.User) { u.UserType = "Robot" })
}

// A preview changes nothing, and says what a full round then does.
func TestPreview(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		populate(w)
		p := w.order(sweep.OrderPreview)
		w.expectCalls(map[string]int{"UserPage": 3, "Domains": 1})
		if w.store.item.Version != 0 || len(w.seen) != 0 {
			t.Errorf("a preview wrote %d checkpoints and was observed %d times", w.store.item.Version, len(w.seen))
		}
		group := func(domain string, numbers ...int) *sweep.Group {
			return &sweep.Group{Count: len(numbers), Domains: map[string]int{domain: len(numbers)}, Users: userIDs(numbers...)}
		}
		const federated = "federated.example"
		want := w.run()
		want.Kind, want.Causes, want.Queued = sweep.KindPreview, nil, 0
		want.Reasons = map[stamp.Reason]*sweep.Group{
			stamp.ReasonNew: group(federated, 1), stamp.ReasonExisting: group(federated, 2, 3),
			stamp.ReasonStamped: group(federated, 4), stamp.ReasonGuest: group(federated, 5),
			stamp.ReasonExcluded: group(federated, 6, 7), stamp.ReasonNotFederated: group("managed.example", 8),
			stamp.ReasonNotMember: group(federated, 9),
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("the preview (-want +got):\n%s", diff)
		}
		if !slices.Equal(p.UnmatchedExclusions, []string{userID(77), "typo-*@federated.example"}) {
			t.Errorf("unmatched: %v", p.UnmatchedExclusions)
		}
	})
}

// A preview names 50 users of a reason, and counts them all. One that fails tells of the
// users read until then, and accuses no exclusion.
func TestPreviewIsShort(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		populate(w)
		for n := range 60 {
			w.user(100+n, old)
		}
		existing := w.order(sweep.OrderPreview).Reasons[stamp.ReasonExisting]
		if existing.Count != 62 || len(existing.Users) != 50 || existing.Domains["federated.example"] != 62 {
			t.Errorf("got %+v", existing)
		}
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if link != "" {
				return errGraph
			}
			return nil
		}
		r, err := w.try(t.Context(), sweep.OrderPreview)
		if !errors.Is(err, errGraph) || r.Finished || r.Users != 3 || r.Reasons[stamp.ReasonNew].Count != 1 || r.UnmatchedExclusions != nil {
			t.Errorf("Graph is down: %+v, %v", r, err)
		}
	})
}
