package rotation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A latecomer is a step of a rotation that goes on when the next one is under way.
type latecomer struct {
	name string
	step rotation.Step
	// arrange begins the rotation that the step is of, and returns its token.
	arrange func(*world) string
	// meanwhile makes way for the next rotation, once the step has paused.
	meanwhile func(w *world, token string)
}

var latecomers = []latecomer{
	{"finish is called again", rotation.FinishSecret, func(w *world) string {
		w.rotate()
		return w.lastToken()
	}, func(*world, string) {}},
	{"finish is called again with something to remove", rotation.FinishSecret, func(w *world) string {
		w.rotate()
		w.rotate()
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.name == "removePassword" || c.name == "removeKey" {
				return errStruck
			}
			return do()
		}
		if err := w.attempt(token); err == nil {
			w.t.Error("nothing was to be removed")
		}
		w.strike = nil
		w.month()
		return token
	}, func(*world, string) {}},
	{"finish is called twice", rotation.FinishSecret, func(w *world) string {
		w.rotate()
		w.rotate()
		return w.begin(rotation.FinishSecret)
	}, func(w *world, token string) {
		if err := w.do(rotation.FinishSecret, token); err != nil {
			w.t.Errorf("its twin fails: %v", err)
		}
	}},
	{"set is of one that was given up", rotation.SetSecret, func(w *world) string {
		return w.begin(rotation.SetSecret)
	}, func(w *world, _ string) { w.vault.cancel() }},
}

// begin does the steps before the given one, and returns the token.
func (w *world) begin(end rotation.Step) string {
	w.t.Helper()
	token := w.vault.rotateSecret(w.token())
	for _, step := range steps[:slices.Index(steps, end)] {
		if err := w.do(step, token); err != nil {
			w.t.Fatal(err)
		}
	}
	return token
}

// TestInterleaved stops a late step before each of its calls, lets the next rotation
// make its first calls (those that matter), then lets the late step end, and then that rotation: for every
// pair of numbers.
func TestInterleaved(t *testing.T) {
	t.Parallel()
	pool()
	for _, kind := range kinds[:2] {
		for _, late := range latecomers {
			t.Run(kind+"/"+late.name, func(t *testing.T) {
				t.Parallel()
				paused := 0
				for calls, more := 0, true; more; calls++ {
					// Ends with the number of calls that the late step makes by itself.
					for next, more2 := 0, true; more && more2; next++ {
						t.Run(fmt.Sprintf("%d calls, then %d", calls, next), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { more, more2 = interleave(t, kind, late, calls, next) })
						})
						paused++
					}
				}
				if paused < 20 {
					t.Errorf("only %d ways", paused)
				}
			})
		}
	}
}

// interleave tells whether the late step, and whether the next rotation, made as many
// calls before it had to wait.
func interleave(t *testing.T, kind string, late latecomer, calls, next int) (paused, met bool) {
	w := newWorld(t, kind)
	token := late.arrange(w)
	reached, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	made, running := 0, true
	rotator := w.rotatorThrough(outside{w: w, gate: func(string) {
		if made == calls {
			running = false
			close(reached)
			<-goOn
		}
		made++
	}}, rotation.DefaultSettings)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		done <- rotator.Rotate(ctx, rotation.Event{Step: late.step, SecretID: secretID, Token: token})
	}()
	select {
	case <-reached:
	case err := <-done:
		leaktest.Error(t, err)
		return false, false
	}
	late.meanwhile(w, token)
	before := 0
	release := func() {
		running, met = true, before == next
		turn := w.entra.signIns // the late step must not take a replica's turn in proving
		close(goOn)
		leaktest.Error(t, <-done) // whatever it says: its rotation is over
		running, w.entra.signIns = false, turn
	}
	w.strike = func(c call, do func() error) error {
		// To prove changes nothing, and a value never changes.
		if !running && !met && c.name != "prove" && c.name != "GetSecretValue" {
			if before == next {
				release()
			}
			before++
		}
		return do()
	}
	following := w.vault.rotateSecret(w.token())
	if err := w.attempt(following); err != nil {
		t.Errorf("the next rotation fails: %v", err)
	}
	if !met {
		release()
		met = false
	}
	w.strike = nil
	for _, stage := range []string{awsCurrent, awsPrevious} {
		if !w.works(w.vault.value(stage)) {
			t.Errorf("%s does not work", stage)
		}
	}
	w.month()
	w.rotate()
	w.checkEnd()
	return true, met
}

// A late finishSecret leaves alone what a pending version holds whose value does not
// show yet.
func TestLateFinishBeforeValueShows(t *testing.T) {
	t.Parallel()
	each(t, kinds[:2], func(t *testing.T, w *world) {
		w.rotate()
		w.rotate()
		first := w.lastToken()
		next := w.begin(rotation.TestSecret)
		pending := w.vault.versions[next]
		value := pending.value
		pending.value = ""
		if err := w.do(rotation.FinishSecret, first); err != nil {
			t.Error(err)
		}
		pending.value = value
		if err := w.attempt(next); err != nil {
			t.Error(err)
		}
		w.checkEnd()
	})
}

// What the secret is seen to be may be older the second time. A password that a pending
// version may hold is left alone even so.
func TestSecondLookLags(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.name == "PutSecretValue" {
				return errStruck // its value may show at any time
			}
			return do()
		}
		if err := w.do(rotation.CreateSecret, token); err == nil {
			t.Error("nothing failed")
		}
		w.strike = nil
		made := w.ours()[len(w.ours())-1]
		orphan := w.entra.add(credential{name: strings.Replace(made.name, token, "gone", 1), text: canary, end: made.end})
		time.Sleep(time.Hour)
		looks := 0
		w.vault.seen = func(d rotation.Description) rotation.Description {
			if looks++; looks == 2 {
				delete(d.Stages, token)
			}
			return d
		}
		if err := w.attempt(token); err != nil {
			t.Error(err)
		}
		if orphan.removed.IsZero() || looks < 2 {
			t.Errorf("after %d looks the orphan is alive: %t", looks, orphan.removed.IsZero())
		}
		w.vault.seen = nil
		w.checkEnd()
	})
}
