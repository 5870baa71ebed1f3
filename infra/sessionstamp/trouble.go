package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
)

// A trouble is what keeps a verb from its work, as one sentence for the person.
type trouble struct {
	status int
	key    language.Key
	args   []any
	// more are lines in the person's language that follow the sentence.
	more []string
	// next are commands to go on with.
	next  []hint
	cause error
}

// Error says it in English, with its cause.
func (t *trouble) Error() string {
	said := words.Say(language.English, t.key, t.args...)
	if t.cause != nil {
		said += ": " + t.cause.Error()
	}
	return said
}

// Unwrap returns the cause.
func (t *trouble) Unwrap() error { return t.cause }

// misuse is for what the person wrote, and failure for what went wrong elsewhere.
func misuse(key language.Key, args ...any) error {
	return &trouble{status: wrongUse, key: key, args: args}
}

func failure(cause error, key language.Key, args ...any) error {
	return &trouble{status: wrong, key: key, args: args, cause: cause}
}

// fail tells the person, and returns the exit status. Who reads no more than the head has
// what was wanted.
func (c *call) fail(err error) int {
	if screen.IsClosed(err) {
		return c.status
	}
	t := worded(err)
	mark := c.Err.Paint(screen.Wrong, "✗")
	said := screen.Clean(c.say(t.key, t.args...))
	for i, line := range screen.Wrap("✗ "+said, c.Err.Columns, 2) {
		if i == 0 {
			line = mark + strings.TrimPrefix(line, "✗")
		}
		_, _ = fmt.Fprintln(c.Stderr, line)
	}
	for _, text := range t.more {
		for _, line := range screen.Wrap("  "+screen.Clean(text), c.Err.Columns, 4) {
			_, _ = fmt.Fprintln(c.Stderr, line)
		}
	}
	if len(t.next) > 0 {
		_, _ = fmt.Fprintln(c.Stderr, strings.Join(c.hints(t.next), "\n"))
	}
	return t.status
}

// worded is the sentence of an error, be it that of a package below.
func worded(err error) *trouble {
	if t, is := errors.AsType[*trouble](err); is {
		return t
	}
	return explain(err)
}

// explain makes a sentence of an error of the packages below.
func explain(err error) *trouble {
	t := &trouble{status: wrong, cause: err}
	graph, ofGraph := errors.AsType[*directory.Error](err)
	key, args, ofAWS := explainAWS(err)
	switch {
	case ofAWS:
		t.key, t.args = key, args
	case errors.Is(err, context.Canceled):
		t.key = "fail.stopped"
	case errors.Is(err, bolt.ErrBusy):
		t.key = "fail.busy"
	case errors.Is(err, bolt.ErrDamaged):
		t.key, t.args = "fail.damaged", []any{err.Error()}
	case ofGraph:
		t.key, t.args = explainGraph(graph)
	default:
		t.key, t.args = "fail.other", []any{err.Error()}
	}
	return t
}

func explainGraph(e *directory.Error) (language.Key, []any) {
	where := strings.Join(strings.Fields(fmt.Sprintf("%s %d %s %s", e.Operation, e.StatusCode, e.Code, e.RequestID)), " ")
	if e.StatusCode == 0 { // a browser or az has passed on what Entra says
		where = strings.TrimSpace(e.Code + " " + e.RequestID)
	}
	right := ask.MissingRight(e)
	key, known := refusals[e.Code]
	switch {
	case known:
		return key, []any{where}
	case errors.Is(e, ask.ErrBrowser):
		return "fail.browser", nil
	case errors.Is(e, ask.ErrDeviceCode):
		return "fail.no_sign_in", []any{"device code"}
	case errors.Is(e, ask.ErrAzureCLI):
		return "fail.az", nil
	case e.Operation == directory.Certificate:
		return "fail.certificate", nil
	case e.StatusCode == 0 && e.NotDone && e.ClientRequestID == "" && e.Operation != directory.Token && !e.OfCredential():
		return "fail.other", []any{e.Error()} // Microsoft was not even asked
	case e.StatusCode == 0:
		return "fail.no_answer", []any{e.Operation}
	case e.Operation == directory.Token || e.OfCredential():
		return "fail.sign_in", []any{where}
	case right == ask.ManageApps, right == ask.ManageRoles:
		return "fail.forbidden_apps", []any{where, right}
	case right != "":
		return "fail.forbidden", []any{where, right}
	case e.Throttled():
		return "fail.throttled", []any{where}
	}
	return "fail.graph", []any{where}
}
