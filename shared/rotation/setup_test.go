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

// setUp sets rotation up without beginning at once, as Secrets Manager does: with a copy
// of the current secret, which it takes away again. It returns how the one step failed.
// Nothing may be made, and nothing let go of.
func (w *world) setUp() error {
	w.t.Helper()
	token := w.vault.rotateSecret(w.token())
	w.vault.versions[token].value, w.vault.versions[token].created = w.vault.value(awsCurrent), time.Now()
	before, alive := w.vault.labels(), len(w.entra.alive())
	w.calls = nil
	err := w.do(rotation.TestSecret, token)
	if diff := cmp.Diff(before, w.vault.labels()); diff != "" || len(w.entra.alive()) != alive {
		w.t.Errorf("%d credentials are alive, of %d; labels (-before +after):\n%s", len(w.entra.alive()), alive, diff)
	}
	w.vault.cancel()
	delete(w.vault.versions, token)
	return err
}

func TestSetUp(t *testing.T) {
	t.Parallel()
	each(t, kinds, func(t *testing.T, w *world) {
		for range 2 { // made by hand, made by rotation
			if err := w.setUp(); err != nil {
				t.Error(err)
			}
			w.rotate()
		}
		time.Sleep(100 * 24 * time.Hour) // more than half of its life
		if err := w.setUp(); err != nil {
			t.Error(err)
		}
		if proved := slices.Contains(names(w.calls), "prove"); proved != (w.kind != "client-state") {
			t.Errorf("it is %t that the current secret was proved", proved)
		}
		w.rotate()
		w.checkEnd()
	})
}

// What an administrator reads who sets rotation up with a secret that does not work.
func TestSetUpFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		arrange    func(*world)
	}{
		{"removed", "not accepted often enough", func(w *world) {
			for _, c := range w.entra.alive() {
				if w.holds(w.vault.value(awsCurrent))(c) {
					c.removed = time.Now().Add(-time.Hour)
				}
			}
		}},
		{"unreadable", `"Renew it by hand"`, func(w *world) { w.vault.holder(awsCurrent).value = canary }},
	}
	for _, kind := range kinds[:2] {
		for _, test := range tests {
			t.Run(kind+"/"+test.name, func(t *testing.T) {
				in(t, kind, func(t *testing.T, w *world) {
					w.lost = true
					test.arrange(w)
					err := w.setUp()
					if got := w.fault(err); got != rotation.WrongSecret {
						t.Fatalf("fault %q: %v", got, err)
					}
					if told := leaktest.Seen(t, err).Error(); !strings.Contains(told, test.want) || strings.Contains(told, "Nothing is broken") {
						t.Errorf("the current secret does not work, and the error says: %s", told)
					}
					w.checkSilent()
				})
			})
		}
	}
}

// TestSetUpMishaps fails every call of setting up in every way. Then it can be done
// again, and rotates.
func TestSetUpMishaps(t *testing.T) {
	t.Parallel()
	pool()
	origins := []start{
		{name: "made by hand", arrange: func(*world) {}},
		{name: "made by rotation", arrange: func(w *world) { w.rotate() }},
		{name: "aged", arrange: func(w *world) { w.rotate(); time.Sleep(100 * 24 * time.Hour) }},
	}
	for _, kind := range kinds {
		for _, origin := range origins {
			var calls []call
			syncTest(t, kind, func(t *testing.T, w *world) {
				origin.arrange(w)
				if err := w.setUp(); err != nil {
					t.Error(err)
				}
				calls = w.calls
			})
			if len(calls) < 2 {
				t.Errorf("%s, %s: only %d calls", kind, origin.name, len(calls))
			}
			for _, at := range calls {
				for _, mishap := range mishaps {
					t.Run(kind+"/"+origin.name+"/"+at.String()+"/"+mishap.name, func(t *testing.T) {
						in(t, kind, func(t *testing.T, w *world) {
							origin.arrange(w)
							w.setUpStruck(strike{at, mishap})
						})
					})
				}
			}
		}
	}
}

func (w *world) setUpStruck(s strike) {
	w.t.Helper()
	w.strike = func(c call, do func() error) error {
		if c != s.at {
			return do()
		}
		w.strike = nil
		return s.strike(do)
	}
	_ = w.setUp() // whatever it says: nothing has changed
	if w.strike != nil {
		w.t.Error("the call was not made")
	}
	if err := w.setUp(); err != nil {
		w.t.Errorf("the second time: %v", err)
	}
	w.rotate()
	w.checkEnd()
}
