package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// keep is how long an entry is kept: more than a year, for a
// person who looks into one. After that the stamp in Graph answers.
const keep = 400 * 24 * time.Hour

func userKey(tenant, user string) string { return tenant + "#user#" + user }

// Entries implements [stamp.Ledger]. After an error nothing is returned.
func (t *Table) Entries(ctx context.Context, tenant string, users []string) (map[string]stamp.Entry, error) {
	items := make([]item[stamp.Entry], len(users))
	errs := make([]error, len(users))
	pacing.Each(len(users), func(i int) {
		items[i], errs[i] = read[stamp.Entry](ctx, t, userKey(tenant, users[i]))
	})
	found := make(map[string]stamp.Entry, len(users))
	for i, user := range users {
		if errs[i] != nil {
			return nil, fmt.Errorf("read the ledger entry of user %s: %w", user, errs[i])
		}
		if e := items[i].Doc; items[i].Version > 0 {
			e.Version = items[i].Version
			found[user] = e
		}
	}
	return found, nil
}

// Write implements [stamp.Ledger].
func (t *Table) Write(ctx context.Context, entries []stamp.Entry) []error {
	errs := make([]error, len(entries))
	pacing.Each(len(entries), func(i int) {
		errs[i] = write(ctx, t, entryItem(entries[i]), stamp.ErrConflict)
		if errs[i] != nil && !errors.Is(errs[i], stamp.ErrConflict) {
			errs[i] = fmt.Errorf("write the ledger entry of user %s: %w", entries[i].User, errs[i])
		}
	})
	return errs
}

// entryItem returns the item that an entry is stored as.
func entryItem(e stamp.Entry) item[stamp.Entry] {
	return item[stamp.Entry]{Key: userKey(e.Tenant, e.User), Version: e.Version, Doc: e, Expires: e.Updated.Add(keep).Unix()}
}
