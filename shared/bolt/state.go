package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// State keeps one document of type T for each tenant, as [state.Store]. It is safe for
// concurrent use.
type State[T any] struct {
	file *File
	name string
}

// NewState returns the documents of that name, such as "brake".
func NewState[T any](f *File, name string) *State[T] {
	return &State[T]{file: f, name: name}
}

// Load implements [state.Store].
func (s *State[T]) Load(ctx context.Context, tenant string) (i state.Item[T], err error) {
	if err = ctx.Err(); err == nil {
		err = s.file.db.View(func(tx *bbolt.Tx) (err error) {
			i, err = s.read(tx, tenant)
			return err
		})
	}
	if err != nil {
		return state.Item[T]{}, fmt.Errorf("read the document %q: %w", s.name, err)
	}
	return i, nil
}

func (s *State[T]) read(tx *bbolt.Tx, tenant string) (i state.Item[T], err error) {
	if text := tx.Bucket(documents).Get(key(tenant, s.name)); text != nil {
		err = json.Unmarshal(text, &i)
	}
	return i, err
}

// Save implements [state.Store].
func (s *State[T]) Save(ctx context.Context, tenant string, i state.Item[T]) (state.Item[T], error) {
	next := state.Item[T]{Doc: i.Doc, Version: i.Version + 1}
	text, err := json.Marshal(next)
	if err = errors.Join(ctx.Err(), err); err == nil {
		err = s.file.db.Update(func(tx *bbolt.Tx) error {
			stored, err := s.read(tx, tenant)
			if err != nil {
				return err
			}
			if stored.Version != i.Version {
				return state.ErrConflict
			}
			return tx.Bucket(documents).Put(key(tenant, s.name), text)
		})
	}
	if err != nil {
		return i, fmt.Errorf("write the document %q: %w", s.name, err)
	}
	return next, nil
}
