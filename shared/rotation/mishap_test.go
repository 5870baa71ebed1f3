package rotation_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A start is a state of the world in which a rotation may begin.
type start struct {
	name    string
	arrange func(*world)
	// kinds are those that it can be of; nil means all.
	kinds []string
	// reaches matches the calls of the calm case, one name after the other, if they get
	// where the start is meant to lead; nil means that it leads nowhere in particular.
	reaches *regexp.Regexp
}

var starts = []start{
	{name: "made by hand", arrange: func(*world) {}},
	{name: "third rotation", arrange: func(w *world) { w.rotate(); w.rotate() }},
	{name: "label stays", arrange: func(w *world) { w.vault.keeps = true; w.rotate(); w.rotate() }},
	{name: "after one that was given up", arrange: func(w *world) {
		w.rotate()
		w.giveUp(rotation.TestSecret)
		w.month()
	}},
	{name: "beside one that was given up", reaches: regexp.MustCompile(awsPending), arrange: func(w *world) {
		w.rotate()
		w.begin(rotation.FinishSecret)
		w.month()
		w.vault.lenient = true
	}},
	{name: "removed by hand", kinds: kinds[:2], reaches: regexp.MustCompile(`remove\w+ getApplication`), arrange: func(w *world) {
		w.rotate()
		w.rotate()
		w.entra.lags = []time.Duration{45 * time.Second} // whoever lists it does not know yet
		w.vault.promoting = func(value string) {
			w.checkProven(value)
			for _, c := range w.ours() {
				if w.holds(w.vault.value(awsPrevious))(c) {
					c.removed = time.Now()
				}
			}
		}
	}},
	{name: "another audience", kinds: kinds[1:2], reaches: regexp.MustCompile("addKey addKey"), arrange: func(w *world) {
		w.entra.audience = "00000003-0000-0000-c000-000000000000"
		w.rotate()
		w.rotate()
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
	if len(calls) < 8 {
		t.Fatalf("only %d calls: %v", len(calls), calls)
	}
	var made []string
	for _, c := range calls {
		made = append(made, c.name)
	}
	if s.reaches != nil && !s.reaches.MatchString(strings.Join(made, " ")) {
		t.Fatalf("%s is not in %q", s.reaches, made)
	}
	return calls
}

// A strike is a mishap and the call that it befalls.
type strike struct {
	at call
	mishap
}

func (s strike) String() string { return s.at.String() + "/" + s.name }

// TestMishaps fails every call of every step in every way, then with it each call that
// the step makes nevertheless, and looks at what comes of it.
func TestMishaps(t *testing.T) {
	t.Parallel()
	pool() // outside of virtual time
	for _, kind := range kinds {
		for _, start := range starts {
			if start.kinds != nil && !slices.Contains(start.kinds, kind) {
				continue
			}
			t.Run(kind+"/"+start.name, func(t *testing.T) {
				t.Parallel()
				for _, at := range start.calls(t, kind) {
					for _, mishap := range mishaps {
						playAll(t, kind, start, strike{at, mishap})
					}
				}
			})
		}
	}
}

// playAll plays a strike with each of its sequels, and with each second strike.
func playAll(t *testing.T, kind string, start start, first strike) {
	var then []call
	for _, sequel := range sequels[:first.sequels] {
		t.Run(first.String()+"/"+sequel.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { then = play(t, kind, start, sequel, first) })
		})
	}
	last := first.at.name
	for _, at := range then {
		if last == "prove" && at.name == "prove" {
			continue // one is like the other
		}
		last = at.name
		for _, mishap := range mishaps[:2] {
			second := strike{at, mishap}
			t.Run(first.String()+"/"+second.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { play(t, kind, start, sequels[0], first, second) })
			})
		}
	}
}

// play returns the calls that the step made which was struck last, after that.
func play(t *testing.T, kind string, start start, sequel sequel, strikes ...strike) (then []call) {
	w := newWorld(t, kind)
	start.arrange(w)
	w.calls = nil
	struck := 0
	w.strike = func(c call, do func() error) error {
		if len(strikes) == 0 || c != strikes[0].at {
			return do()
		}
		mishap := strikes[0].mishap
		strikes, struck = strikes[1:], len(w.calls)
		return mishap.strike(do)
	}
	token := w.vault.rotateSecret(w.token())
	err := w.attempt(token)
	w.strike = nil
	if len(strikes) > 0 {
		t.Fatalf("the call %s was not made", strikes[0].at)
	}
	for _, c := range w.calls[struck:] {
		if c.step == w.calls[struck-1].step {
			then = append(then, c)
		}
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
	return then
}
