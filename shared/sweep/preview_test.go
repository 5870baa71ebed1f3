package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

var update = flag.Bool("update", false, "write testdata/preview.json anew")

// populate makes a user of every kind.
func populate(w *world) {
	w.config.Policy.Exclusions.IDs = []string{userID(6), userID(77)}
	w.config.Policy.Exclusions.Patterns = []string{"svc-*@federated.example", "typo-*@federated.example"}
	w.config.Groups = []string{"97000000-0000-4000-8000-000000000001"}
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

// What a person reads is part of the interface, and changes nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		populate(w)
		r := w.order(sweep.Order{DryRun: true})
		got, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		const file = "testdata/preview.json"
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("the preview (-want +got):\n%s", diff)
		}
		w.expectCalls(map[string]int{"UserPage": 3, "Domains": 1})
		if w.store.item.Version != 0 || len(w.seen) != 0 {
			t.Errorf("a preview wrote %d checkpoints and was observed %d times", w.store.item.Version, len(w.seen))
		}
	})
}

// A preview says what a full round then does.
func TestPreviewIsTrue(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		populate(w)
		p := w.order(sweep.Order{DryRun: true})
		r := w.run()
		if p.Members != r.Members || p.Unstamped != r.Unstamped || p.Existing != r.Existing || p.Users != r.Users {
			t.Errorf("preview %+v\nfull round %+v", p, r)
		}
		if diff := cmp.Diff(p.UnmatchedExclusions, r.UnmatchedExclusions); diff != "" {
			t.Errorf("exclusions (-preview +round):\n%s", diff)
		}
	})
}

// A preview names 50 users of a reason, and counts them all.
func TestPreviewIsShort(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 60 {
			w.user(n, old)
		}
		existing := w.order(sweep.Order{DryRun: true}).Preview.Reasons[stamp.ReasonExisting]
		if existing.Count != 60 || len(existing.Users) != 50 || existing.Domains["federated.example"] != 60 {
			t.Errorf("got %+v", existing)
		}
	})
}

// A preview whose time is over, or that fails, tells of the users read until then, and
// accuses no exclusion.
func TestPreviewBreaksOff(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		populate(w)
		w.graph.slow = 25 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := w.try(ctx, sweep.Order{DryRun: true})
		if err != nil || r.Finished || r.Users != 6 || r.UnmatchedExclusions != nil {
			t.Errorf("out of time: %+v, %v", r, err)
		}
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if link != "" {
				return errGraph
			}
			return nil
		}
		r, err = w.try(t.Context(), sweep.Order{DryRun: true})
		if !errors.Is(err, errGraph) || r.Finished || r.Users != 3 || r.Candidates != 1 {
			t.Errorf("Graph is down: %+v, %v", r, err)
		}
		w.graph.spoil = func(link string, page *directory.UserPage) error { page.Next = link; return nil }
		if r, err := w.try(t.Context(), sweep.Order{DryRun: true}); err != nil || r.Users != 3 {
			t.Errorf("one page: %+v, %v", r, err)
		}
	})
}
