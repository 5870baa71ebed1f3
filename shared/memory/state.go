package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// State is a [state.Store] that forgets with the process. It keeps documents in JSON, so
// that no map or slice is shared. The zero value is empty and ready. It is safe for
// concurrent use.
type State[T any] struct {
	mu   sync.Mutex
	docs map[string]document // by tenant
}

type document struct {
	text    []byte
	version int64
}

// Load implements [state.Store].
func (s *State[T]) Load(ctx context.Context, tenant string) (i state.Item[T], err error) {
	if err := ctx.Err(); err != nil {
		return i, err
	}
	s.mu.Lock()
	stored := s.docs[tenant]
	s.mu.Unlock()
	if stored.version == 0 {
		return i, nil
	}
	if err := json.Unmarshal(stored.text, &i.Doc); err != nil {
		return state.Item[T]{}, fmt.Errorf("decode the document: %w", err)
	}
	i.Version = stored.version
	return i, nil
}

// Save implements [state.Store].
func (s *State[T]) Save(ctx context.Context, tenant string, i state.Item[T]) (state.Item[T], error) {
	if err := ctx.Err(); err != nil {
		return i, err
	}
	text, err := json.Marshal(i.Doc)
	if err != nil {
		return i, fmt.Errorf("encode the document: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.docs[tenant].version != i.Version {
		return i, state.ErrConflict
	}
	if s.docs == nil {
		s.docs = make(map[string]document)
	}
	i.Version++
	s.docs[tenant] = document{text, i.Version}
	return i, nil
}
