package job

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Record is what is kept of an order that has ended, for who asks later what was done and
// why. It names nobody.
type Record struct {
	Verb Verb
	// Started is when the order was planned, Ended when nobody was left to be called, or
	// when it was given up. UTC.
	Started, Ended time.Time
	// Reason is what the person has said why, "" for nothing.
	Reason string `json:",omitempty"`
	// People were called, and Failed are those whom a person must look at.
	People, Failed int
}

// keptRecords is how many records there are at most.
const keptRecords = 200

// Records returns the records of the newest orders, the last first.
func (e *Engine) Records(ctx context.Context) ([]Record, error) {
	item, err := e.records.Load(ctx, e.Tenant)
	if err != nil {
		return nil, fmt.Errorf("read the records of orders: %w", err)
	}
	return item.Doc, nil
}

// record writes the record of an order that has called anybody, or writes it anew: reading the stamps back may show
// more of those who have failed.
func (e *Engine) record(ctx context.Context, o Order) error {
	if o.Stack != "" && len(o.Targets) > 0 { // its ledger is elsewhere, and some of it may be there
		return e.keep(ctx, Record{Verb: o.Verb, Started: o.Started, Ended: e.Now().UTC(), Reason: o.Reason, People: len(o.Targets)})
	}
	users := make([]string, len(o.Targets))
	for i, t := range o.Targets {
		users[i] = t.User
	}
	entries, err := e.ledger.Entries(ctx, e.Tenant, users)
	if err != nil || len(users) == 0 {
		return err
	}
	r := Record{Verb: o.Verb, Started: o.Started, Ended: e.Now().UTC(), Reason: o.Reason}
	for _, user := range users {
		switch known := entries[user]; {
		case o.hasFailed(known):
			r.Failed++
		case !known.Called.Before(o.Started):
			r.People++
		}
	}
	if r.People+r.Failed == 0 {
		return nil // it did nothing
	}
	return e.keep(ctx, r)
}

// keep puts a record in the place of that of the same order.
func (e *Engine) keep(ctx context.Context, r Record) error {
	item, err := e.records.Load(ctx, e.Tenant)
	if err == nil {
		others := slices.DeleteFunc(item.Doc, func(other Record) bool { return other.Started.Equal(r.Started) })
		item.Doc = append([]Record{r}, others[:min(len(others), keptRecords-1)]...)
		_, err = e.records.Save(ctx, e.Tenant, item)
	}
	if err != nil {
		return fmt.Errorf("write the record of the order: %w", err)
	}
	return nil
}
