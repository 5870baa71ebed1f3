package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Ledger is a [stamp.Ledger] in a file. It is safe for concurrent use.
type Ledger struct{ file *File }

// NewLedger returns the ledger in the file.
func NewLedger(f *File) *Ledger { return &Ledger{file: f} }

func key(tenant, what string) []byte { return []byte(tenant + "#" + what) }

// Entries implements [stamp.Ledger]. After an error nothing is returned.
func (l *Ledger) Entries(ctx context.Context, tenant string, ids []string) (map[string]stamp.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	found := make(map[string]stamp.Entry, len(ids))
	err := l.file.db.View(func(tx *bbolt.Tx) error {
		for _, id := range ids {
			e, err := entryAt(tx, tenant, id)
			if err != nil {
				return err
			}
			if e.Version > 0 {
				found[id] = e
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return found, nil
}

// entryAt returns a user's entry; one never written has the version 0.
func entryAt(tx *bbolt.Tx, tenant, user string) (e stamp.Entry, err error) {
	text := tx.Bucket(users).Get(key(tenant, user))
	if text == nil {
		return e, nil
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("decode the entry of user %s: %w", user, err)
	}
	return e, nil
}

// Write implements [stamp.Ledger], in one transaction.
func (l *Ledger) Write(ctx context.Context, entries []stamp.Entry) []error {
	errs := make([]error, len(entries))
	err := ctx.Err()
	if err == nil {
		err = l.file.db.Update(func(tx *bbolt.Tx) error {
			for i, e := range entries {
				errs[i] = write(tx, e)
			}
			return nil
		})
	}
	if err != nil {
		for i := range errs {
			errs[i] = errors.Join(errs[i], fmt.Errorf("write the ledger: %w", err))
		}
	}
	return errs
}

func write(tx *bbolt.Tx, e stamp.Entry) error {
	stored, err := entryAt(tx, e.Tenant, e.User)
	if err != nil {
		return err
	}
	if stored.Version != e.Version {
		return stamp.ErrConflict
	}
	e.Version++
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode the entry of user %s: %w", e.User, err)
	}
	return tx.Bucket(users).Put(key(e.Tenant, e.User), text)
}

// History returns the users of the tenant whom this machine has stamped, the last first
// by [stamp.Entry].Called. Of a user who was stamped several times it knows the last.
func (l *Ledger) History(ctx context.Context, tenant string) (stamped []stamp.Entry, err error) {
	err = l.file.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(users).ForEach(func(k, text []byte) error {
			var e stamp.Entry
			if err := errors.Join(ctx.Err(), json.Unmarshal(text, &e)); err != nil {
				return fmt.Errorf("entry %s: %w", k, err)
			}
			if e.Tenant == tenant && !e.Called.IsZero() {
				stamped = append(stamped, e)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	slices.SortFunc(stamped, lastFirst)
	return stamped, nil
}

func lastFirst(a, b stamp.Entry) int {
	if c := b.Called.Compare(a.Called); c != 0 {
		return c
	}
	return strings.Compare(a.User, b.User)
}
