package rotation_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A start is a state of the world in which a rotation may begin.
type start struct {
	name    string
	arrange func(*world)
}

var starts = []start{
	{"made by hand", func(*world) {}},
	{"third rotation", func(w *world) { w.rotate(); w.rotate() }},
	{"label stays", func(w *world) { w.vault.keeps = true; w.rotate(); w.rotate() }},
	{"after one that was given up", func(w *world) {
		w.rotate()
		w.giveUp(rotation.TestSecret)
		w.month()
	}},
}

// giveUp begins a rotation, whose steps before the given one succeed, and of which
// an administrator takes away the label.
func (w *world) giveUp(end rotation.Step) {
	w.t.Helper()
	token := w.vault.rotateSecret(w.token())
	for _, step := range steps[:slices.Index(steps, end)] {
		if err := w.do(step, token); err != nil {
			w.t.Fatal(err)
		}
	}
	w.vault.cancel()
}

// A mishap is what befalls a call.
type mishap struct {
	name   string
	strike func(do func() error) error
	// sequels is how many of the sequels are played: a function that dies leaves the
	// world as one that fails.
	sequels int
}

var mishaps = []mishap{
	{"fails before its effect", func(func() error) error { return errStruck }, 4},
	{"fails after its effect", func(do func() error) error { _ = do(); return errStruck }, 4},
	{"kills before its effect", func(func() error) error { panic(errDied) }, 1},
	{"kills after its effect", func(do func() error) error { _ = do(); panic(errDied) }, 1},
}

// A sequel is what happens after a rotation has failed.
type sequel struct {
	name string
	play func(w *world, token string)
}

var sequels = []sequel{
	{"tried again", func(w *world, token string) {
		time.Sleep(time.Minute)
		if err := w.attempt(token); err != nil {
			w.t.Fatalf("the first retry fails: %v", err)
		}
	}},
	{"tried again at once, and again", func(w *world, token string) {
		for range 5 {
			if w.attempt(token) == nil {
				time.Sleep(time.Minute)
				return
			}
		}
		w.t.Fatalf("the fifth retry fails: %v", w.errs[len(w.errs)-1])
	}},
	{"given up", func(w *world, _ string) {
		w.vault.cancel()
		w.month()
		if err := w.attempt(w.vault.rotateSecret(w.token())); err != nil {
			w.t.Fatalf("the next rotation fails: %v", err)
		}
	}},
	{"tried again after a month", func(w *world, token string) {
		w.month()
		next := w.vault.rotateSecret(w.token())
		if err := w.attempt(next); err == nil {
			return
		}
		if w.kind != "client-state" || next != token {
			w.t.Fatal("the late retry fails")
		}
		// It was let go of, and so the next one begins anew.
		if err := w.attempt(w.vault.rotateSecret(w.token())); err != nil {
			w.t.Fatalf("the next rotation fails: %v", err)
		}
	}},
}

// calls are the calls of a rotation in the calm case.
func (s start) calls(t *testing.T, kind string) (calls []call) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, kind)
		s.arrange(w)
		calls = w.record(w.vault.rotateSecret(w.token()))
		w.month()
		w.checkEnd()
	})
	return calls
}

// TestMishaps fails every call of every step in every way, and looks at what comes
// of it.
func TestMishaps(t *testing.T) {
	t.Parallel()
	pool() // outside of virtual time
	for _, kind := range kinds {
		for _, start := range starts {
			t.Run(kind+"/"+start.name, func(t *testing.T) {
				t.Parallel()
				calls := start.calls(t, kind)
				if len(calls) < 8 {
					t.Fatalf("only %d calls: %v", len(calls), calls)
				}
				for _, at := range calls {
					for _, mishap := range mishaps {
						for _, sequel := range sequels[:mishap.sequels] {
							t.Run(at.String()+"/"+mishap.name+"/"+sequel.name, func(t *testing.T) {
								synctest.Test(t, func(t *testing.T) { play(t, kind, start, at, mishap, sequel) })
							})
						}
					}
				}
			})
		}
	}
}

func play(t *testing.T, kind string, start start, at call, mishap mishap, sequel sequel) {
	w := newWorld(t, kind)
	start.arrange(w)
	w.calls = nil
	struck := false
	w.strike = func(c call, do func() error) error {
		if struck || c != at {
			return do()
		}
		struck = true
		return mishap.strike(do)
	}
	token := w.vault.rotateSecret(w.token())
	err := w.attempt(token)
	w.strike = nil
	if !struck {
		t.Fatal("the call was not made")
	}
	if !w.works(w.vault.value(awsCurrent)) {
		t.Error("the current secret does not work")
	}
	if err != nil {
		sequel.play(w, token)
	}
	w.checkEnd()
	w.month()
	w.rotate()
	w.checkEnd()
}
