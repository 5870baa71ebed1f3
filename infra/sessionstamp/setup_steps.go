package main

import (
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
)

// A teller tells of the steps of a setup: of each when it ends, and while it lasts for how long
// it has, and what it is at. On a terminal that is one line that is drawn over itself, elsewhere
// a line now and then.
type teller struct {
	c *call

	mu    sync.Mutex
	event setup.Event // the last one
	began time.Time   // its step
	told  time.Time   // when a line told last that it runs
	line  *screen.Line

	silence func() // ends its goroutine
}

// steps begins to tell. Its goroutine lives until end.
func (c *call) steps() *teller {
	t := &teller{c: c, line: screen.NewLine(c.Stderr, c.Err.Columns)}
	t.silence = repeat(time.Second, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.show()
	})
	return t
}

func (t *teller) end() {
	t.silence()
	t.line.Clear()
}

// take is told by the run.
func (t *teller) take(e setup.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := t.c.stepName(e.Step, e.Detail)
	switch t.event = e; e.State {
	case setup.Begins:
		t.began, t.told = t.c.Now(), time.Time{}
		t.show()
	case setup.Waits:
		t.show()
	case setup.Already:
		t.already(e.Step, name)
	case setup.Skipped:
		t.ended("– "+name+"  "+t.c.say("setup.skipped"), screen.Notice)
	case setup.Done:
		t.ended("✓ "+name+"  "+screen.Duration(t.c.lang, t.c.Now().Sub(t.began)), screen.Good)
	}
}

// already says of a step that makes something that it was done before, and of one that takes
// something away that there is nothing, unless nobody has heard that there might be.
func (t *teller) already(step, name string) {
	key := language.Key("setup.already")
	switch step {
	case "tidy", "forget", "forget_signals":
		t.line.Clear()
		return
	case "remove_app", "remove_stack", "owners":
		key = "setup.nothing_there"
	}
	t.ended("✓ "+name+"  "+t.c.say(key), screen.Faint)
}

func (t *teller) ended(text string, colour screen.Colour) {
	t.line.Clear()
	t.c.tell(line{text: text, colour: colour, hang: 2})
}

// show tells of a step that lasts, if it is time for that.
func (t *teller) show() {
	const soon, every = time.Second, 30 * time.Second
	now, waits := t.c.Now(), t.event.State == setup.Waits
	if t.event.State != setup.Begins && !waits {
		return
	}
	passed := now.Sub(t.began)
	text := "… " + t.c.stepName(t.event.Step, t.event.Detail)
	if passed >= soon {
		text += "  " + screen.Duration(t.c.lang, passed)
	}
	if waits {
		text += "  " + t.c.waiting(t.event.Why)
	}
	switch first := t.told.IsZero(); {
	case t.c.Err.Live:
		t.line.Draw(screen.Clean(text))
	case first && (waits || passed >= soon), !first && now.Sub(t.told) >= every:
		t.told = now
		t.c.tell(line{text: text, colour: screen.Faint, hang: 2})
	}
}

func (c *call) stepName(step, detail string) string {
	return c.say(language.Key("setup_step."+step), detail)
}

// waiting says what a step waits for: CloudFormation, or Entra.
func (c *call) waiting(why string) string {
	switch {
	case strings.Contains(why, "_IN_PROGRESS"):
		return "CloudFormation " + why
	case why == "entra":
		return c.say("setup.waits_entra")
	case why == "no_answer":
		return c.say("setup.waits_answer")
	}
	return c.say("setup.entra_lags", why)
}
