package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// The names of the documents that a tenant has one of each.
const (
	NameKeeper = "keeper"
	NameSweep  = "sweep"
	NameBrake  = "brake"
	// NameSignals is of a [signal.Registry].
	NameSignals = "signals"
)

// State keeps one document of type T for each tenant, as [state.Store]. It is safe for
// concurrent use.
type State[T any] struct {
	table *Table
	name  string
}

// NewState returns the documents of that name, such as [NameBrake].
func NewState[T any](table *Table, name string) *State[T] {
	return &State[T]{table: table, name: name}
}

func (s *State[T]) key(tenant string) string { return tenant + "#" + s.name }

// Load implements [state.Store].
func (s *State[T]) Load(ctx context.Context, tenant string) (state.Item[T], error) {
	i, err := read[T](ctx, s.table, s.key(tenant))
	if err != nil {
		return state.Item[T]{}, fmt.Errorf("read the document %q: %w", s.name, err)
	}
	return state.Item[T]{Doc: i.Doc, Version: i.Version}, nil
}

// Save implements [state.Store].
func (s *State[T]) Save(ctx context.Context, tenant string, i state.Item[T]) (state.Item[T], error) {
	err := write(ctx, s.table, item[T]{Key: s.key(tenant), Version: i.Version, Doc: i.Doc}, state.ErrConflict)
	if errors.Is(err, state.ErrConflict) {
		return i, err
	}
	if err != nil {
		return i, fmt.Errorf("write the document %q: %w", s.name, err)
	}
	i.Version++
	return i, nil
}
