package rotation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// Rotation that is set up without beginning at once is tested with a copy of the
// current secret. Nothing is made, and nothing is let go of.
func TestSetUp(t *testing.T) {
	t.Parallel()
	unharmed := func(t *testing.T, w *world, want rotation.Wrong) {
		t.Helper()
		token := w.vault.rotateSecret(w.token())
		w.vault.versions[token].value, w.vault.versions[token].created = w.vault.value(awsCurrent), time.Now()
		before, alive := w.vault.labels(), len(w.entra.alive())
		w.calls = nil
		if err := w.do(rotation.TestSecret, token); (err != nil) != (want != "") || err != nil && w.fault(err) != want {
			t.Errorf("error %v, want %q", err, want)
		}
		if diff := cmp.Diff(before, w.vault.labels()); diff != "" || len(w.entra.alive()) != alive {
			t.Errorf("%d credentials are alive, of %d; labels (-before +after):\n%s", len(w.entra.alive()), alive, diff)
		}
		w.vault.cancel() // as Secrets Manager does
		delete(w.vault.versions, token)
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			in(t, kind, func(t *testing.T, w *world) {
				for range 2 { // made by hand, made by rotation
					unharmed(t, w, "")
					w.rotate()
				}
				time.Sleep(100 * 24 * time.Hour) // more than half of its life
				unharmed(t, w, "")
				if proved := slices.Contains(names(w.calls), "prove"); proved != (kind != "client-state") {
					t.Errorf("it is %t that the current secret was proved", proved)
				}
				w.rotate()
				w.checkEnd()
				if kind == "client-state" {
					return
				}
				w.lost = true
				for _, c := range w.entra.alive() {
					if w.holds(w.vault.value(awsCurrent))(c) {
						c.removed = time.Now().Add(-time.Hour)
					}
				}
				unharmed(t, w, rotation.WrongSecret)
				if last := leaktest.Seen(t, w.errs[len(w.errs)-1]).Error(); strings.Contains(last, "Nothing is broken") {
					t.Errorf("the current secret does not work, and the error says: %s", last)
				}
			})
		})
	}
}
