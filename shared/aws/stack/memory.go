package stack

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// Tenant is the id of the Entra tenant that the stack serves.
func (s *Stack) Tenant() string { return s.Parameters["TenantId"] }

// Table is what the functions keep.
func (s *Stack) Table() (*store.Table, error) {
	name, err := s.resource("Table")
	if err != nil {
		return nil, err
	}
	return store.New(dynamodb.NewFromConfig(s.account.Config()), name), nil
}

// Memory is what the functions remember of the tenant.
type Memory struct {
	Brake stamp.BrakeState
	// Limit is the brake's: how many users are stamped automatically in 24 hours.
	Limit  int
	Keeper keeper.Record
	Sweep  sweep.Checkpoint
	// Signals are the sources of signals.
	Signals signal.Registry
}

// Memory reads the documents of brake, keeper, sweep and signals. Those that were never
// written are empty. Where the table is gone the error is [ErrNoResource].
func (s *Stack) Memory(ctx context.Context) (m Memory, err error) {
	table, err := s.Table()
	if err != nil {
		return m, err
	}
	perDay, _ := strconv.Atoi(s.Parameters["StampsPerDay"]) // a number: the template takes no other
	m.Brake, m.Limit, err = stamp.NewBrake(store.NewState[stamp.BrakeState](table, store.NameBrake), perDay).State(ctx, s.Tenant())
	if err != nil {
		return m, explain(err)
	}
	if m.Keeper, err = load[keeper.Record](ctx, table, store.NameKeeper, s.Tenant()); err != nil {
		return m, err
	}
	if m.Sweep, err = load[sweep.Checkpoint](ctx, table, store.NameSweep, s.Tenant()); err != nil {
		return m, err
	}
	m.Signals, err = load[signal.Registry](ctx, table, store.NameSignals, s.Tenant())
	return m, err
}

func load[T any](ctx context.Context, table *store.Table, name, tenant string) (doc T, err error) {
	var item state.Item[T]
	if item, err = store.NewState[T](table, name).Load(ctx, tenant); err != nil {
		return doc, explain(err)
	}
	return item.Doc, nil
}

// Entry reads what the ledger holds of a user, by the object id in small letters; nothing
// is an entry of version 0.
func (s *Stack) Entry(ctx context.Context, user string) (stamp.Entry, error) {
	found, err := s.Entries(ctx, []string{user})
	return found[user], err
}

// Entries reads what the ledger holds of users. It takes a call for each.
func (s *Stack) Entries(ctx context.Context, users []string) (map[string]stamp.Entry, error) {
	table, err := s.Table()
	if err != nil {
		return nil, err
	}
	found, err := table.Entries(ctx, s.Tenant(), users)
	if err != nil {
		return nil, explain(err)
	}
	return found, nil
}
