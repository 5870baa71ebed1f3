package memory_test

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation/revocationtest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/sweep/sweeptest"
)

func TestCheckpointsConform(t *testing.T) {
	t.Parallel()
	shared := new(memory.Checkpoints) // as all cases share a table in a deployment
	sweeptest.TestStore(t, func(*testing.T) sweep.Store { return shared })
}

func TestHeldConforms(t *testing.T) {
	t.Parallel()
	shared := new(memory.Ledger)
	revocationtest.TestHeld(t, func(*testing.T) revocationtest.HeldLedger { return shared })
}
