package rotation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// slow are replicas of which most are late: one that accepts a password says little
// about whether it is still there.
var slow = []time.Duration{0, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute}

// A value may be stored long after it was sent, when the next run for the same token
// has made another password. The one that is stored must still be there.
func TestLatePut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// first is what befalls the first run's call, which takes effect only by late.
		first func(w *world, token string, late func() error) error
	}{
		{"the answer is lost", func(*world, string, func() error) error { return errStruck }},
		{"two runs, the first is stored", func(w *world, token string, late func() error) error {
			time.Sleep(3 * time.Minute)
			if err := w.do(rotation.CreateSecret, token); err != nil {
				w.t.Error(err)
			}
			return late()
		}},
		{"two runs, the second is stored", func(w *world, token string, late func() error) error {
			time.Sleep(3 * time.Minute)
			w.strike = nil
			if err := w.do(rotation.CreateSecret, token); err != nil {
				w.t.Error(err)
			}
			return late()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, "client-secret", func(t *testing.T, w *world) {
				w.rotate()
				w.entra.lags = slow
				token := w.vault.rotateSecret(w.token())
				var late func() error
				w.strike = func(c call, do func() error) error {
					switch {
					case c.name != "PutSecretValue":
						return do()
					case late == nil:
						late = do
						return test.first(w, token, late)
					}
					if err := late(); err != nil {
						w.t.Error(err)
					}
					w.strike = nil
					return do()
				}
				_ = w.do(rotation.CreateSecret, token)
				time.Sleep(3 * time.Minute)
				if err := w.attempt(token); err != nil {
					t.Fatal(err)
				}
				w.month()
				w.rotate() // the other password did not show in time
				w.checkEnd()
			})
		})
	}
}

// A finishSecret that comes late must not take from the next rotation a password
// whose value is not stored yet.
func TestLateFinishBeforePut(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		first := w.vault.rotateSecret(w.token())
		w.record(first)
		w.month()
		next := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.name == "PutSecretValue" {
				w.strike = nil
				time.Sleep(time.Minute)
				if err := w.do(rotation.FinishSecret, first); err != nil {
					t.Error(err)
				}
			}
			return do()
		}
		if err := w.attempt(next); err != nil {
			t.Fatal(err)
		}
		w.checkEnd()
	})
}

// A version that has lost AWSPENDING to createSecret has it back when its value is stored
// late. The password that it holds is left alone.
func TestLabelComesBack(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		left := w.vault.rotateSecret(w.token())
		var late func() error
		w.strike = func(c call, do func() error) error {
			if c.name != "PutSecretValue" {
				return do()
			}
			late = do
			return errStruck
		}
		if err := w.do(rotation.CreateSecret, left); err == nil {
			t.Error("nothing failed")
		}
		made := w.ours()[len(w.ours())-1]
		w.month()
		w.vault.lenient = true
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			err := do()
			if c.name == "UpdateSecretVersionStage "+awsPending {
				w.strike = nil
				return errors.Join(err, late())
			}
			return err
		}
		if err := w.do(rotation.CreateSecret, token); err != nil {
			t.Fatal(err)
		}
		if w.strike != nil || !made.removed.IsZero() {
			t.Errorf("the label was taken: %t, the password is gone: %t", w.strike == nil, !made.removed.IsZero())
		}
		w.vault.lenient = false
		if err := w.attempt(token); err != nil {
			t.Error(err)
		}
		w.checkEnd()
	})
}

// A pending version is let go of when the password it holds was removed as nobody's.
func TestPutOfRemoved(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		w.giveUp(rotation.FinishSecret)
		orphan := w.vault.versions[w.lastToken()].value
		w.month()
		w.entra.lags = slow
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.name == "PutSecretValue" {
				w.vault.versions[token].value = orphan
			}
			return do()
		}
		err := w.attempt(token)
		if w.fault(err) != rotation.WrongSettings || !strings.Contains(err.Error(), "gone from the application") {
			t.Errorf("error %v", err)
		}
		w.strike = nil
		w.wantLog(`"outcome":"abandoned"`)
		w.month()
		w.rotate()
		w.checkEnd()
	})
}

// A promotion that was not answered, or that another call made first, is done.
func TestPromotedAlready(t *testing.T) {
	t.Parallel()
	each(t, kinds, func(t *testing.T, w *world) {
		w.rotate()
		w.rotate()
		w.strike = func(c call, do func() error) error {
			if c.name != "UpdateSecretVersionStage AWSCURRENT" {
				return do()
			}
			_ = do()
			if err := do(); err == nil {
				t.Error("Secrets Manager does it twice")
			}
			return errStruck
		}
		w.record(w.vault.rotateSecret(w.token()))
		w.strike = nil
		w.month()
		w.checkEnd()
	})
}
