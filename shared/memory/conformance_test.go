package memory_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/revocation/revocationtest"
)

func TestLedgerConforms(t *testing.T) {
	t.Parallel()
	shared := new(memory.Ledger) // as all cases share a table in a deployment
	revocationtest.TestLedger(t, func(*testing.T) revocation.Ledger { return shared })
}

func TestQuotaConforms(t *testing.T) {
	t.Parallel()
	revocationtest.TestQuota(t, func(_ *testing.T, pace revocation.Pace) revocation.Quota {
		return memory.NewQuota(pace)
	})
}

func TestQueueConforms(t *testing.T) {
	t.Parallel()
	revocationtest.TestQueue(t, synctest.Test, func(_ *testing.T, s revocationtest.QueueSettings) revocationtest.Queue {
		q := memory.NewQueue(memory.QueueOptions{Visibility: s.Visibility, MaxReceives: s.MaxReceives})
		return revocationtest.Queue{
			Sender: memory.Requests{Queue: q},
			Receive: func(ctx context.Context) ([]revocationtest.Message, error) {
				received, err := q.Receive(ctx, 10)
				messages := make([]revocationtest.Message, len(received))
				for i, m := range received {
					messages[i] = revocationtest.Message{
						Body:   m.Body,
						Delete: func(context.Context) error { q.Delete(m); return nil },
					}
				}
				return messages, err
			},
			DeadLetters: func(context.Context) ([][]byte, error) { return q.DeadLetters(), nil },
		}
	})
}

func TestBackfillConforms(t *testing.T) {
	t.Parallel()
	shared := new(memory.Backfill)
	revocationtest.TestBackfillStore(t, func(*testing.T) revocation.BackfillStore { return shared })
}
