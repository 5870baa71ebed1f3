// Package state is how programs that forget everything between two invocations
// remember: one small document for each tenant, with a version, written only by whoever
// has read the version before.
package state

import (
	"context"
	"errors"
	"fmt"
)

// ErrConflict is returned by Save for a document that somebody else has written since
// it was read.
var ErrConflict = errors.New("the document was written by somebody else")

// An Item is a document as it was read: Version counts its writes, 0 for one never
// written, whose Doc is then the zero value.
type Item[T any] struct {
	Doc     T
	Version int64
}

// Store keeps one document of type T for each tenant. Package statetest holds the suite
// that every implementation passes.
type Store[T any] interface {
	// Load reads the tenant's document, strongly consistent.
	Load(ctx context.Context, tenant string) (Item[T], error)
	// Save writes the document with its version raised by one, if the stored version is
	// still i.Version, and returns it as it stands then. Else it returns [ErrConflict],
	// or a failure after which the document may have been written or not.
	Save(ctx context.Context, tenant string, i Item[T]) (Item[T], error)
}

// updateTries bounds how often a change is made again.
const updateTries = 20

// Update changes the tenant's document, and again where somebody else was faster. The
// change tells whether there is anything to write. Its error is no [ErrConflict].
func Update[T any](ctx context.Context, store Store[T], tenant string, change func(*T) bool) error {
	for range updateTries {
		item, err := store.Load(ctx, tenant)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if !change(&item.Doc) {
			return nil
		}
		if _, err = store.Save(ctx, tenant, item); err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return fmt.Errorf("write: %w", err)
		}
	}
	return fmt.Errorf("somebody else was faster %d times", updateTries)
}
