package setup

import (
	"cmp"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestNothing: nothing would change after a run, and no change is overlooked; looking changes
// nothing, and waits for nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world, Plan, *Wishes)
		want   bool
	}{
		"the same":  {func(*world, Plan, *Wishes) {}, true},
		"a setting": {func(_ *world, _ Plan, w *Wishes) { w.Flags = map[string]string{stampsPerDay: "5"} }, false},
		"a version": {func(_ *world, _ Plan, w *Wishes) { w.Version = "0.1.1" }, false},
		"a build":   {func(w *world, _ Plan, wishes *Wishes) { w.stack.Version, wishes.Version = "devel", "devel" }, false},
		"at work":   {func(w *world, _ Plan, _ *Wishes) { w.stack.Status = "UPDATE_IN_PROGRESS" }, false},
		"no app":    {func(w *world, p Plan, _ *Wishes) { delete(w.apps, p.Apps[1].UniqueName) }, false},
		"a right": {func(w *world, p Plan, _ *Wishes) {
			app := w.apps[p.Apps[0].UniqueName]
			app.Roles = app.Roles[:1]
			w.apps[p.Apps[0].UniqueName] = app
		}, false},
		"a right too much": {func(w *world, p Plan, _ *Wishes) {
			app := w.apps[p.Apps[0].UniqueName]
			app.Roles = append(slices.Clone(app.Roles), revoke)
			w.apps[p.Apps[0].UniqueName] = app
		}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := made(story{})
			p := planOf(t, story{}, w)
			if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
				t.Fatal(err)
			}
			began, calls := time.Now(), len(w.calls)
			var wishes Wishes
			c.change(w, p, &wishes)
			next := story{wishes: func(all *Wishes) {
				all.Flags, all.Version = wishes.Flags, cmp.Or(wishes.Version, all.Version)
			}}
			got := Nothing(t.Context(), Facts{AWS: Account{Stack: w.stack}}, planOf(t, next, w), w.seen())
			if got != c.want || time.Since(began) > 0 {
				t.Errorf("%s: %t after %s", name, got, time.Since(began))
			}
			for _, call := range w.calls[calls:] {
				if !slices.Contains([]string{"App", "Issuer", "Find", "Stored"}, call) {
					t.Errorf("%s: it calls %s", name, call)
				}
			}
		})
	}
}

// TestNothingLooks: the plan that is carried out afterwards is the one that was made, though a
// step fills in what it finds.
func TestNothingLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := made(story{})
		p := planOf(t, story{}, w)
		if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
			t.Fatal(err)
		}
		w.vault[p.SecretName()] = Credential{ARN: "by hand, for another app"}
		p = planOf(t, stories["client secret"], w)
		calls := len(w.calls)
		nothing := Nothing(t.Context(), Facts{AWS: Account{Stack: w.stack}}, p, w.seen())
		if found := p.Parameters()[credentialSecret]; nothing || found != "" || !slices.Contains(w.calls[calls:], "Stored") {
			t.Errorf("%t, %q, %v", nothing, found, w.calls[calls:])
		}
	})
}
