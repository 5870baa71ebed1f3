package main

import (
	"cmp"
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	cause "github.com/sessionstamp/sessionstamp/shared/explain" // explain is a function here
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// explainedStack is what a deployment knows, in the JSON of why.
type explainedStack struct {
	Stack   string       `json:"stack"`
	State   stamp.State  `json:"state,omitempty"`
	Reason  stamp.Reason `json:"reason,omitempty"`
	Source  stamp.Source `json:"source,omitempty"`
	Called  string       `json:"called,omitempty"`
	Updated string       `json:"updated,omitempty"`
	Paused  string       `json:"pausedSince,omitempty"`
	Reached string       `json:"brakeReached,omitempty"`
	// Cause is what a provider had reported, where a signal has signed the user out.
	Cause string `json:"cause,omitempty"`
	// Signal is the last one, where nobody was signed out for it.
	Signal *idleSignal `json:"signal,omitempty"`
}

// idleSignal is a signal after which nothing was done, or nothing yet.
type idleSignal struct {
	Handled string       `json:"handled"`
	Cause   string       `json:"cause"`
	Reason  stamp.Reason `json:"reason"`
}

// A witness is a deployment that is asked about a user. The zero value is none.
type witness struct {
	*stack.Stack

	brake stamp.BrakeState
	sweep sweep.Checkpoint
	// cause is what a provider had reported when the user was last signed out for it.
	cause string
	// idle is the last signal of the user, if it is one of [idleEnds].
	idle past
}

// idleEnds are the ends of signals of which why tells.
var idleEnds = map[stamp.Reason]language.Key{
	stamp.ReasonReported: "why.stack_reported", stamp.ReasonExcluded: "why.stack_excluded", stamp.ReasonBrake: "why.stack_waits",
}

// witness finds the deployment that is named, in whatever state it is.
func (c *call) witness(ctx context.Context, d deployment) (w witness, err error) {
	if d.name == "" {
		return w, d.sound()
	}
	if w.Stack, err = c.stack(ctx, d); err != nil {
		return w, err
	}
	m, err := w.Memory(ctx)
	w.brake, w.sweep = m.Brake, m.Sweep
	return w, err
}

// policy is the deployment's, and excludes more. Groups are not in it.
func (w witness) policy(more stamp.Exclusions) stamp.Policy {
	p := stamp.DefaultPolicy
	p.Exclusions = together(excludedBy(w.Stack), more)
	if w.Stack == nil {
		return p
	}
	if hours, err := time.ParseDuration(w.Parameters["NewUserWindowHours"] + "h"); err == nil {
		p.NewUserWindow = hours
	}
	return p
}

// recall is what the deployment knows of the users whom it may have looked at. When it last
// looked at everybody is left out where a report can't tell who is in scope.
func (w witness) recall(ctx context.Context, read reading, now time.Time) (m report.Memory, err error) {
	federated := stamp.FederatedAmong(read.domains)
	var ids []string
	for _, u := range read.users {
		if federated.Contain(u.Domain()) {
			ids = append(ids, u.ID)
		}
	}
	entries, err := w.Entries(ctx, ids)
	for _, id := range ids {
		if e, known := entries[id]; known {
			m.Entries = append(m.Entries, e)
		}
	}
	if len(entriesOf(w.Stack, "ExcludedGroups"))+len(entriesOf(w.Stack, "FederatedDomains")) == 0 {
		m.Swept = swept(w.sweep, now)
	}
	return m, err
}

// causeOf finds in the stamper's log what a provider had reported, "" where no signal was why,
// or the log does not tell.
func (w witness) causeOf(ctx context.Context, e stamp.Entry) string {
	if w.Stack == nil || e.Source != stamp.SourceSignal || e.Called.IsZero() {
		return ""
	}
	records, _, _ := w.Logs(ctx, "StamperFunction", e.Called.Add(-time.Minute), handledPattern(e.User), mostHandled) // else it says less
	for _, one := range stampedBy(records) {
		if one.Source == stamp.SourceSignal {
			return one.cause
		}
	}
	return ""
}

// idleSignal finds in the stamper's log the last signal of a user, if it has done nothing.
func (w witness) idleSignal(ctx context.Context, now time.Time, id string) (p past) {
	if w.Stack == nil || w.SignalMode() == stack.SignalsOff {
		return p
	}
	pasts, _, err := signalsOf(ctx, w.Stack, now.AddDate(0, 0, -usualHistory), id)
	if err == nil {
		pasts, err = withBraked(ctx, w.Stack, now, id, pasts)
	}
	if err != nil || len(pasts) == 0 || idleEnds[pasts[0].Reason] == "" {
		return p // else it says less
	}
	return pasts[0]
}

// idleSays tells of the signal, "" of none.
func (x explanation) idleSays() string {
	p := x.witness.idle
	if p.Reason == "" {
		return ""
	}
	what := x.by(p)
	if words, known := causes[p.cause]; known {
		what = x.say(words[1])
	}
	return x.say(idleEnds[p.Reason], what, x.when(p.Called))
}

// witnessLines say what the deployment knows of the user, and what holds it up.
func (x explanation) witnessLines() (lines []line) {
	w := x.witness
	if w.Stack == nil {
		return nil
	}
	said, idle := x.say("why.unread"), x.idleSays()
	if l, asked := x.evidence.Ledger.Get(); asked && l.Entry.State == stamp.StateNone {
		said, idle = cmp.Or(idle, x.say("why.stack_unknown")), ""
	} else if asked {
		said = x.ledgerSays(l)
		if words, known := causes[w.cause]; known {
			said += x.say("why.stack_signal", x.say(words[1]))
		} else if source := l.Entry.Source; source != "" {
			said += x.say("why.stack_source", x.say(language.Key("source."+source)))
		}
	}
	for _, said := range []string{said, idle} {
		if said != "" {
			lines = append(lines, marked(x.say("why.mark")+x.say("why.stack", w.Name, said), ""))
		}
	}
	if isSet(w.brake.Paused) {
		lines = append(lines, marked(x.say("why.mark")+x.say("why.stack_paused", x.when(w.brake.Paused)), screen.Notice))
	}
	if isSet(w.brake.Signals.Reached) {
		lines = append(lines, marked(x.say("why.mark")+x.say("why.stack_braked_signals", x.when(w.brake.Signals.Reached)), screen.Notice))
	}
	if isSet(w.brake.Reached) {
		lines = append(lines, marked(x.say("why.mark")+x.say("why.stack_braked", x.when(w.brake.Reached)), screen.Notice))
	}
	return lines
}

// object is it for programs, nil without a deployment.
func (w witness) object(l cause.Ledger) *explainedStack {
	if w.Stack == nil {
		return nil
	}
	e := l.Entry
	var idle *idleSignal
	if w.idle.Reason != "" {
		idle = &idleSignal{moment(w.idle.Called), w.idle.cause, w.idle.Reason}
	}
	return &explainedStack{
		w.Name, e.State, e.Reason, e.Source, moment(e.Called), moment(e.Updated), moment(w.brake.Paused), moment(w.brake.Reached), w.cause, idle,
	}
}
