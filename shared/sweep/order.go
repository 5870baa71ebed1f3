package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// An Order is what a Sweeper is to do. The zero value is an ordinary run; at most one
// field is set.
type Order struct {
	// Full asks for a full round, and runs.
	Full bool `json:"full"`
	// DryRun asks for a [Preview] and changes nothing.
	DryRun bool `json:"dryRun"`
	// Release opens the brake: what a person does who has seen that the users stamped
	// so far were the right ones.
	Release bool `json:"release"`
}

// errOrder is the cause of every refusal. It tells what can be ordered, and quotes
// nothing of what came.
var errOrder = errors.New(`want a JSON object with at most one of "full", "dryRun" and "release" set to true, each named once`)

// envelope are the fields of an event of EventBridge
// (https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html).
var envelope = []string{"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}

// DecodeOrder reads an order from JSON. An empty object is an ordinary run, and so is an
// event of EventBridge Scheduler. Everything unknown is refused: a person who mistypes a
// dry run must not get a real one.
func DecodeOrder(event []byte) (Order, error) {
	fields, err := decodeFields(event)
	if err != nil {
		return Order{}, err
	}
	if fields["source"] != nil && fields["detail-type"] != nil {
		for _, name := range envelope {
			delete(fields, name)
		}
	}
	var o Order
	known := map[string]*bool{"full": &o.Full, "dryRun": &o.DryRun, "release": &o.Release}
	for name, value := range fields {
		field, ok := known[name]
		if !ok {
			return Order{}, refuse("an unknown field: ")
		}
		if *field = string(value) == "true"; !*field && string(value) != "false" {
			return Order{}, refuse(name + " is neither true nor false: ")
		}
	}
	return o, o.validate()
}

func refuse(why string) error { return fmt.Errorf("order of a sweep: %s%w", why, errOrder) }

// decodeFields reads an object, and refuses a field that is named twice, which
// encoding/json would let pass.
func decodeFields(event []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(event))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, refuse("")
	}
	fields := make(map[string]json.RawMessage)
	for d.More() {
		name, nameErr := d.Token()
		key, _ := name.(string) // the Decoder refuses every other key
		var value json.RawMessage
		if err := d.Decode(&value); nameErr != nil || err != nil {
			return nil, refuse("")
		}
		if _, twice := fields[key]; twice {
			return nil, refuse("a field is there twice: ")
		}
		fields[key] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, refuse("")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("something follows it: ")
	}
	return fields, nil
}

func (o Order) validate() error {
	if o.Full && o.DryRun || o.Full && o.Release || o.DryRun && o.Release {
		return refuse("several at once: ")
	}
	return nil
}

// Run carries an order out, as far as it fits before the deadline of ctx. The next run
// goes on where this one stopped. A Report beside an error tells how far it came.
//
// A failure of Graph, queue or store is returned. A run that finds that another one is
// at work ends without an error.
func (s *Sweeper) Run(ctx context.Context, o Order) (Report, error) {
	if err := o.validate(); err != nil {
		return Report{}, err
	}
	switch {
	case o.Release:
		return s.release(ctx)
	case o.DryRun:
		return s.preview(ctx)
	case o.Full:
		if err := s.Ask(ctx, s.Tenant); err != nil {
			return Report{}, err
		}
	}
	return s.sweep(ctx)
}

func (s *Sweeper) release(ctx context.Context) (Report, error) {
	report := Report{Tenant: s.Tenant, Kind: KindRelease, Started: s.Now().UTC()}
	if err := s.Brake.Release(ctx, s.Tenant, report.Started); err != nil {
		return report, fmt.Errorf("release the brake: %w", err)
	}
	report.Finished = true
	s.Log.LogAttrs(ctx, slog.LevelInfo, "brake released", slog.String(logTenant, s.Tenant))
	return report, nil
}
