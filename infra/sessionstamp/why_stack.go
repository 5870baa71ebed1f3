package main

import (
	"cmp"
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A remembrance is what a deployment knows of a user, and what keeps it from stamping.
type remembrance struct {
	stack           string
	entry           stamp.Entry
	paused, reached time.Time
}

// rememberedUser is its JSON.
type rememberedUser struct {
	Stack        string       `json:"stack"`
	State        stamp.State  `json:"state,omitempty"`
	Reason       stamp.Reason `json:"reason,omitempty"`
	Source       stamp.Source `json:"source,omitempty"`
	Claimed      string       `json:"claimed,omitempty"`
	Called       string       `json:"called,omitempty"`
	Stamp        string       `json:"stamp,omitempty"`
	Paused       string       `json:"paused,omitempty"`
	BrakeReached string       `json:"brakeReached,omitempty"`
}

// remembers finds the deployment, before anybody signs in to Entra, and returns what asks it
// about a user of a tenant. Where none was named, that is nil.
func (c *call) remembers(ctx context.Context, d deployment) (find func(t tenant, user string) (*remembrance, error), err error) {
	if d.name == "" {
		return func(tenant, string) (*remembrance, error) { return nil, nil }, nil
	}
	_, s, err := c.stack(ctx, d)
	if err != nil {
		return nil, err
	}
	return func(t tenant, user string) (*remembrance, error) {
		if err := ofTenant(s, t); err != nil {
			return nil, err
		}
		is, err := s.Memory(ctx)
		if err != nil {
			return nil, err
		}
		entry, err := s.Entry(ctx, user)
		return &remembrance{s.Name, entry, is.Brake.Paused, is.Brake.Reached}, err
	}, nil
}

func (r *remembrance) object() *rememberedUser {
	if r == nil {
		return nil
	}
	return &rememberedUser{
		r.stack, r.entry.State, r.entry.Reason, r.entry.Source, moment(r.entry.Claimed), moment(r.entry.Called), moment(r.entry.Stamp),
		moment(r.paused), moment(r.reached),
	}
}

// recalled says how far a user has come at a deployment, and what holds it back.
func (c *call) recalled(r *remembrance) (lines []line) {
	if r == nil {
		return nil
	}
	e, said := r.entry, ""
	switch e.State {
	case stamp.StateNone:
		said = c.say("why.stack_none", r.stack)
	case stamp.StateClaimed:
		said = c.say("why.stack_claimed", r.stack, c.when(e.Claimed))
	case stamp.StateCalled:
		said = c.say("why.stack_called", r.stack, c.when(e.Called))
	case stamp.StateStamped:
		said = c.say("why.stack_stamped", r.stack, cmp.Or(c.when(e.Called), c.when(e.Updated)))
	case stamp.StateCannotFix: // the findings tell why
	}
	if said != "" {
		lines = append(lines, marked(c.say("why.mark")+said, ""))
	}
	if isSet(r.paused) {
		lines = append(lines, marked("✗ "+c.say("status.paused", c.when(r.paused)), screen.Notice))
	}
	if isSet(r.reached) {
		lines = append(lines, marked("✗ "+c.say("why.stack_braked", c.when(r.reached)), screen.Notice))
	}
	return lines
}
