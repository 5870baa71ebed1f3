package main

import (
	"context"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// notRenewed is what the judge says of a signal that had no effect. What must not end
// anybody's sessions the emulator finds.
const notRenewed = "and the stamp is of"

// misheard lets the resolver ask for something else.
func misheard(change func(*stamp.Request)) plan {
	return provided(func(i *inlet) {
		i.spoilResolver = func(c resolver.Config) resolver.Config {
			c.Queue = misunderstood{c.Queue, change}
			return c
		}
	})
}

// misadded adds the sources otherwise than the administrator did.
func misadded(change func(*signal.Record)) plan {
	return provided(func(i *inlet) { i.spoilRecord = change })
}

// hastyReceiver acknowledges before it queues.
func hastyReceiver(i *inlet) {
	i.spoilReceiver = func(c receiver.Config) receiver.Config {
		c.Queue = hastyIntake{c.Queue}
		return c
	}
}

// hastyIntake acknowledges everything, and queues one signal in two.
type hastyIntake struct{ receiver.Queue }

func (h hastyIntake) Enqueue(ctx context.Context, messages []signal.Message) error {
	_ = h.Queue.Enqueue(ctx, slices.DeleteFunc(slices.Clone(messages), func(m signal.Message) bool {
		return m.Signal != nil && m.Signal.ID < "8"
	}))
	return nil
}

// trusting lets a source speak for all domains.
func trusting(r *signal.Record) { r.Domains = []string{federatedDomain, subdomain, managedDomain} }

// nervous takes log-outs for signals. At Okta nobody can.
func nervous(r *signal.Record) { r.SessionsRevoked = true }

// misunderstood changes what the resolver asks for.
type misunderstood struct {
	stamp.Queue
	change func(*stamp.Request)
}

func (q misunderstood) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	changed := slices.Clone(requests)
	for i := range changed {
		q.change(&changed[i].Request)
	}
	return q.Queue.Postpone(ctx, changed)
}

// asOfNow asks for a stamp of the time at which the signal is resolved, each time anew.
func asOfNow(r *stamp.Request) { r.NotBefore = time.Now().UTC().Truncate(time.Second) }

// asOfBefore asks for a stamp that the user mostly has.
func asOfBefore(r *stamp.Request) { r.NotBefore = r.NotBefore.Add(-200 * 24 * time.Hour) }
