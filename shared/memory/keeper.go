package memory

import (
	"context"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// Subscriptions is a [subscription.Store] that forgets with the process. The zero
// value is empty and ready. It is safe for concurrent use.
type Subscriptions struct {
	mu      sync.Mutex
	records map[string]subscription.Record // by tenant
}

// Record implements [subscription.Store].
func (s *Subscriptions) Record(ctx context.Context, tenant string) (subscription.Record, error) {
	if err := ctx.Err(); err != nil {
		return subscription.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if record, ok := s.records[tenant]; ok {
		return record, nil
	}
	return subscription.Record{Tenant: tenant}, nil
}

// SaveRecord implements [subscription.Store].
func (s *Subscriptions) SaveRecord(ctx context.Context, record subscription.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[record.Tenant].Version != record.Version {
		return subscription.ErrConflict
	}
	if s.records == nil {
		s.records = make(map[string]subscription.Record)
	}
	record.Version++
	s.records[record.Tenant] = record
	return nil
}

// Forget loses what is known of a tenant, as a table that was replaced would.
func (s *Subscriptions) Forget(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, tenant)
}
