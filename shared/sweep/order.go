package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// An Order is what a Sweeper is to do. The zero value is an ordinary run; at most
// one field is set.
type Order struct {
	// DryRun asks for a [Preview] and changes nothing.
	DryRun bool `json:"dryRun"`
	// Full asks for a full round, and runs.
	Full bool `json:"full"`
	// Lift lifts the ceilings of the backfill: what a person does who has seen
	// that the users stamped so far were the right ones.
	Lift bool `json:"lift"`
}

// errOrder is the cause of every order that is refused. It tells what can be
// ordered, and quotes nothing.
var errOrder = errors.New(`want a JSON object with at most one of "dryRun", "full" and "lift" set to true`)

// DecodeOrder reads an order from JSON: an empty object is an ordinary run, and so
// is an event of EventBridge or EventBridge Scheduler, in whose envelope
// (https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html)
// is no order. Anything else that is not known is refused: whoever mistypes a dry
// run must not get a real one.
func DecodeOrder(event []byte) (Order, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(event, &fields); err != nil || fields == nil {
		return Order{}, fmt.Errorf("order of a sweep: %w", errOrder)
	}
	if fields["source"] != nil && fields["detail-type"] != nil {
		for _, name := range []string{"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"} {
			delete(fields, name)
		}
	}
	var o Order
	known := map[string]*bool{"dryRun": &o.DryRun, "full": &o.Full, "lift": &o.Lift}
	for name, value := range fields {
		field, ok := known[name]
		if !ok {
			return Order{}, fmt.Errorf("order of a sweep: an unknown field: %w", errOrder)
		}
		if text := string(value); text != "true" && text != "false" {
			return Order{}, fmt.Errorf("order of a sweep: %s is neither true nor false: %w", name, errOrder)
		}
		*field = string(value) == "true"
	}
	return o, o.validate()
}

func (o Order) validate() error {
	n := 0
	for _, set := range []bool{o.DryRun, o.Full, o.Lift} {
		if set {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("order of a sweep: %d at once: %w", n, errOrder)
	}
	return nil
}

// An Answer is what came of an order. One field is set: Report of an ordinary run
// and of Full, Preview of DryRun, Lifted of Lift.
type Answer struct {
	Report  *Report  `json:"report,omitempty"`
	Preview *Preview `json:"preview,omitempty"`
	Lifted  *Lifted  `json:"lifted,omitempty"`
}

// Lifted tells how the backfill stood when its ceilings were lifted.
type Lifted struct {
	// At is when they were lifted.
	At time.Time `json:"lifted_at"`
	// Stopped tells which ceiling had been reached, "" for none, and StoppedAt
	// when.
	Stopped   revocation.Reason `json:"stopped"`
	StoppedAt time.Time         `json:"stopped_at,omitzero"`
	// Run counts the existing users let through since the lifting before.
	Run int `json:"run"`
}

// askedByOperator is the reason for the full round of an order.
const askedByOperator = "ordered"

// Do carries an order out. An answer beside an error tells how far it came.
func (s *Sweeper) Do(ctx context.Context, o Order) (Answer, error) {
	if err := o.validate(); err != nil {
		return Answer{}, err
	}
	switch {
	case o.DryRun:
		preview, err := s.preview(ctx)
		return Answer{Preview: &preview}, err
	case o.Lift:
		return s.lift(ctx)
	case o.Full:
		if err := s.AskForSweep(ctx, s.Tenant, askedByOperator, time.Time{}); err != nil {
			return Answer{}, err
		}
	}
	report, err := s.Run(ctx)
	return Answer{Report: &report}, err
}

// lift lifts the ceilings, of a dry run as well.
func (s *Sweeper) lift(ctx context.Context) (Answer, error) {
	before, err := s.real.Backfill(ctx, s.Tenant)
	if err != nil {
		return Answer{}, fmt.Errorf("read the state of the backfill: %w", err)
	}
	after, err := revocation.Lift(ctx, s.real, s.Tenant, s.Now().UTC())
	if err != nil {
		return Answer{}, err
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "ceilings lifted",
		slog.String(logTenant, s.Tenant), slog.String(logCeiling, string(before.Stopped)), slog.Int(logRun, before.Run))
	return Answer{Lifted: &Lifted{At: after.Lifted, Stopped: before.Stopped, StoppedAt: before.StoppedAt, Run: before.Run}}, nil
}
