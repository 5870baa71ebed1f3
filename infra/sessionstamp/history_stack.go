package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	// usualHistory is how far back a deployment's log is searched.
	usualHistory = 7
	// mostHandled is how many records of it are read.
	mostHandled = 20_000
)

// sound refuses flags that do not go together, before anybody signs in.
func (r recollection) sound() error {
	if r.name != "" && r.orders {
		return misuse("use.stack_history")
	}
	switch {
	case r.name != "":
	case !r.since.IsZero():
		return misuse("use.needs_stack", "since")
	case r.signals:
		return misuse("use.needs_stack", "signals")
	}
	return r.deployment.sound()
}

// stackHistory tells whom a deployment has stamped, by its stamper's log, which holds
// object ids only.
func (c *call) stackHistory(ctx context.Context, r recollection, id string) (err error) {
	if r.since.IsZero() {
		r.since = c.Now().AddDate(0, 0, -usualHistory)
	}
	s, err := c.stack(ctx, r.deployment)
	if err != nil {
		return err
	}
	names := make(map[string]string)
	if strings.Contains(r.user, "@") {
		if id, err = c.find(ctx, r.user); err != nil {
			return err
		}
		names[id] = r.user
	}
	if r.signals {
		return c.signalHistory(ctx, s, r, id, names)
	}
	records, cut, err := s.Logs(ctx, "StamperFunction", r.since, handledPattern(id), mostHandled)
	if err != nil {
		return err
	}
	entries := stampedBy(records)
	if r.names && len(names) == 0 && len(entries) > 0 {
		if names, err = c.names(ctx, r.shown(entries, c.format)); err != nil {
			return err
		}
	}
	v := c.historyView(s.Tenant(), entries, names, r)
	key := language.Key("history.stack")
	if len(entries) == 1 {
		key += ".one"
	}
	v.before = []line{{text: c.say(key, s.Name, language.Number(len(entries)), c.when(r.since))}}
	if r.user != "" && len(entries) == 0 {
		v.before[0].text = c.say("history.stack_not", s.Name, r.user, c.when(r.since))
	}
	v.after = c.beyond(len(entries)-len(v.table.Rows), cut)
	v.next = []hint{{"history --names" + r.named(), "hint.names"}, {"status" + r.given(), "hint.status"}}
	if r.names || r.user != "" {
		v.next = v.next[1:]
	}
	if s.SignalMode() != stack.SignalsOff {
		v.next = append(v.next, hint{"history --signals" + r.named(), "hint.signals"})
	}
	return c.show(v)
}

// beyond says what a table leaves out: rows, and what was not read of a log.
func (c *call) beyond(hidden int, cut bool) (lines []line) {
	if hidden > 0 {
		lines = append(lines, line{text: c.say("rest", language.Number(hidden)), colour: screen.Faint})
	}
	if cut {
		lines = append(lines, line{text: c.say("history.cut"), colour: screen.Notice})
	}
	return lines
}

// handledPattern finds the records that tell of a stamp, of one user if there is an id: an
// object id, in which nothing needs to be quoted
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
func handledPattern(id string) string {
	return patternOf(`$.message = "user handled" && ($.reason = "called" || $.reason = "read_back" || $.reason = "still_empty")`, id)
}

// patternOf finds records, of one user if there is an id.
func patternOf(pattern, id string) string {
	if id != "" {
		pattern += ` && $.user = "` + id + `"`
	}
	return "{ " + pattern + " }"
}

// handled is a stamper's record of one user.
type handled struct {
	Message string        `json:"message"`
	User    string        `json:"user"`
	Source  stamp.Source  `json:"source"`
	Verdict stamp.Verdict `json:"verdict"`
	Reason  stamp.Reason  `json:"reason"`
	// Provider and Cause are those of a signal.
	Provider string `json:"provider"`
	Cause    string `json:"cause"`
	// After is how many seconds after the creation the call was made.
	After *float64 `json:"creation_to_call_s"`
}

// handledIn reads a record of a log. What is no such record is passed over.
func handledIn(r stack.Record) (h handled, is bool) {
	err := json.Unmarshal([]byte(r.Message), &h)
	return h, err == nil && h.Message == "user handled"
}

// stampedBy makes entries of the records of a log: one for each call, the last first, with
// what became of it.
func stampedBy(records []stack.Record) (entries []past) {
	latest := make(map[string]int)
	for _, r := range records {
		h, is := handledIn(r)
		if !is || !directory.IsID(h.User) {
			continue
		}
		if h.Reason == stamp.ReasonCalled {
			e := past{stamp.Entry{User: h.User, Called: r.At, Source: h.Source, State: stamp.StateCalled, Reason: h.Reason}, h.Provider, h.Cause}
			if h.After != nil {
				e.Created = r.At.Add(-time.Duration(*h.After * float64(time.Second)))
			}
			latest[h.User] = len(entries)
			entries = append(entries, e)
			continue
		}
		i, called := latest[h.User]
		if state, ended := ends[h.Reason]; called && ended {
			entries[i].Reason, entries[i].State = h.Reason, state
		}
	}
	slices.Reverse(entries)
	return entries
}

// ends are what became of a call, by the reason of a later record.
var ends = map[stamp.Reason]stamp.State{
	stamp.ReasonReadBack: stamp.StateStamped, stamp.ReasonStillEmpty: stamp.StateCannotFix,
}
