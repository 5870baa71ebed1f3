package main

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	cause "github.com/sessionstamp/sessionstamp/shared/explain" // explain is a function here
	"github.com/sessionstamp/sessionstamp/shared/stamp"
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
}

// A witness is a deployment that is asked about a user. The zero value is none.
type witness struct {
	*stack.Stack

	brake stamp.BrakeState
}

// witness finds the deployment that a question names, in whatever state it is.
func (c *call) witness(ctx context.Context, q question) (w witness, err error) {
	if q.deployment.name == "" {
		return w, q.deployment.sound()
	}
	if _, w.Stack, err = c.stack(ctx, q.deployment); err != nil {
		return w, err
	}
	m, err := w.Memory(ctx)
	w.brake = m.Brake
	return w, err
}

// policy is the deployment's, as far as it decides about one user.
func (w witness) policy() stamp.Policy {
	p := stamp.DefaultPolicy
	p.Exclusions = stamp.Exclusions{IDs: entriesOf(w.Stack, "ExcludedUsers"), Patterns: entriesOf(w.Stack, "ExcludedUpnPatterns")}
	if w.Stack == nil {
		return p
	}
	if hours, err := time.ParseDuration(w.Parameters["NewUserWindowHours"] + "h"); err == nil {
		p.NewUserWindow = hours
	}
	return p
}

// witnessLines say what the deployment knows of the user, and what holds it up.
func (x explanation) witnessLines() (lines []line) {
	w := x.witness
	if w.Stack == nil {
		return nil
	}
	said := x.say("why.unread")
	if l, asked := x.evidence.Ledger.Get(); asked && l.Entry.State == stamp.StateNone {
		said = x.say("why.stack_unknown")
	} else if asked {
		said = x.ledgerSays(l)
		if source := l.Entry.Source; source != "" {
			said += x.say("why.stack_source", x.say(language.Key("source."+source)))
		}
	}
	lines = append(lines, marked(x.say("why.mark")+x.say("why.stack", w.Name, said), ""))
	if isSet(w.brake.Paused) {
		lines = append(lines, marked(x.say("why.mark")+x.say("why.stack_paused", x.when(w.brake.Paused)), screen.Notice))
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
	return &explainedStack{
		w.Name, e.State, e.Reason, e.Source, moment(e.Called), moment(e.Updated), moment(w.brake.Paused), moment(w.brake.Reached),
	}
}
