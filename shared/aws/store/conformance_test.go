package store_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/aws/store/storetest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/revocation/revocationtest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/subscription/subscriptiontest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/sweep/sweeptest"
)

// newTable returns a table of its own.
func newTable(t *testing.T) *store.Table {
	t.Helper()
	config := mototest.Config(mototest.Shared(t))
	return store.New(dynamodb.NewFromConfig(config), storetest.Create(t, config))
}

// The cases of a suite share a table, as they would in a deployment.

func TestLedgerConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	revocationtest.TestLedger(t, func(*testing.T) revocation.Ledger { return table })
}

func TestHeldConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	revocationtest.TestHeld(t, func(*testing.T) revocationtest.HeldLedger { return table })
}

func TestQuotaConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	revocationtest.TestQuota(t, func(_ *testing.T, pace revocation.Pace) revocation.Quota {
		return store.NewQuota(table, pace)
	})
}

func TestBackfillConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	revocationtest.TestBackfillStore(t, func(*testing.T) revocation.BackfillStore { return table })
}

func TestRecordConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	subscriptiontest.TestStore(t, func(*testing.T) subscription.Store { return table })
}

func TestCheckpointConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	sweeptest.TestStore(t, func(*testing.T) sweep.Store { return table })
}
