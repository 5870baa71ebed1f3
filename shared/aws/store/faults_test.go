package store_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

// newFaultyTable returns a table in moto, once as it is and once with between in the
// way.
func newFaultyTable(t *testing.T, between mototest.Intercept) (sound, faulty *store.Table) {
	t.Helper()
	config := mototest.Config(mototest.Shared(t))
	name := createTable(t, config)
	sound = store.New(dynamodb.NewFromConfig(config), name)
	config.Retryer, config.HTTPClient = mototest.QuickRetryer, between
	return sound, store.New(dynamodb.NewFromConfig(config), name)
}

// fakeTable returns a table with nothing behind it but answer, for virtual time.
func fakeTable(answer mototest.Intercept) *store.Table {
	config := mototest.Config("http://dynamodb.invalid")
	config.Retryer, config.HTTPClient = mototest.QuickRetryer, answer
	return store.New(dynamodb.NewFromConfig(config), "table")
}

// claim returns the entry of a user who is being claimed for the first time.
func claim(tenant string) stamp.Entry {
	return stamp.Entry{
		Tenant: tenant, User: stamptest.NewID(),
		State: stamp.StateClaimed, Claimed: sampleTime, Updated: sampleTime,
	}
}

func writeOne(ctx context.Context, table *store.Table, e stamp.Entry) error {
	return table.Write(ctx, []stamp.Entry{e})[0]
}

func stored(t *testing.T, table *store.Table, e stamp.Entry) stamp.Entry {
	t.Helper()
	found, err := table.Entries(t.Context(), e.Tenant, []string{e.User})
	if err != nil {
		t.Fatalf("Entries: %v", err)
	}
	return found[e.User]
}

// A claim whose answer is lost is the worker's own: taken for somebody else's, the
// user would keep a live session until it lapses.
func TestAWriteWhoseAnswerIsLostHasSucceeded(t *testing.T) {
	t.Parallel()
	puts := 0
	sound, faulty := newFaultyTable(t, func(operation string, r *http.Request, send mototest.Send) (*http.Response, error) {
		if operation == "PutItem" {
			if puts++; puts == 1 {
				return mototest.Lose(r, send)
			}
		}
		return send(r)
	})
	e := claim(stamptest.NewID())
	if err := writeOne(t.Context(), faulty, e); err != nil {
		t.Errorf("Write = %v, want none", err)
	}
	if got := stored(t, sound, e); got.Version != 1 || got.State != e.State || puts != 2 {
		t.Errorf("after %d attempts version %d is stored in state %q, want 2 attempts, version 1, %q", puts, got.Version, got.State, e.State)
	}
}

// Whoever wrote after the write whose answer was lost has the last word.
func TestAWriteWhoseAnswerIsLostAndOvertakenConflicts(t *testing.T) {
	t.Parallel()
	e := claim(stamptest.NewID())
	var sound, faulty *store.Table
	puts := 0
	sound, faulty = newFaultyTable(t, func(operation string, r *http.Request, send mototest.Send) (*http.Response, error) {
		if puts++; puts > 1 {
			return send(r)
		}
		answer, err := mototest.Lose(r, send)
		rival := e
		rival.Version, rival.State = 1, stamp.StateStamped
		return answer, errors.Join(err, writeOne(r.Context(), sound, rival))
	})
	if err := writeOne(t.Context(), faulty, e); !errors.Is(err, stamp.ErrConflict) {
		t.Errorf("Write = %v, want ErrConflict", err)
	}
	if got := stored(t, sound, e).State; got != stamp.StateStamped {
		t.Errorf("state %q is stored, want that of the last write", got)
	}
}

// An equal write of somebody else is a conflict all the same.
func TestAnEqualWriteOfAnotherConflicts(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	e := claim(stamptest.NewID())
	first, second := writeOne(t.Context(), table, e), writeOne(t.Context(), table, e)
	if first != nil || !errors.Is(second, stamp.ErrConflict) {
		t.Errorf("two equal writes came to %v and %v, want none and ErrConflict", first, second)
	}
}

func TestAWriteWithoutAnyAnswerIsNoConflict(t *testing.T) {
	t.Parallel()
	_, faulty := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
		return mototest.Lose(r, send)
	})
	if err := writeOne(t.Context(), faulty, claim(stamptest.NewID())); err == nil || errors.Is(err, stamp.ErrConflict) {
		t.Errorf("Write = %v, want an error that is no conflict", err)
	}
}

func TestAThrottledTableLosesNothing(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			sound, faulty := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
				if strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
					return mototest.Refuse(r, http.StatusBadRequest, code)
				}
				return send(r)
			})
			tenant := stamptest.NewID()
			entries, users := make([]stamp.Entry, 40), make([]string, 40)
			for i := range entries {
				entries[i] = claim(tenant)
				users[i] = entries[i].User
			}
			checkWritten(t, sound, faulty.Write(t.Context(), entries), entries)
			if got, err := faulty.Entries(t.Context(), tenant, users); err != nil || len(got) != len(users) {
				t.Errorf("Entries = %d entries, %v, want all %d", len(got), err, len(users))
			}
		})
	}
}

// checkWritten checks that an entry is stored if and only if Write says so.
func checkWritten(t *testing.T, table *store.Table, errs []error, entries []stamp.Entry) {
	t.Helper()
	for i, err := range errs {
		if errors.Is(err, stamp.ErrConflict) {
			t.Errorf("entry %d: %v, but nobody else writes", i, err)
		}
		if got := stored(t, table, entries[i]).Version == 1; got != (err == nil) {
			t.Errorf("entry %d: stored %t, Write says %v", i, got, err)
		}
	}
}

func TestATableThatStaysThrottledIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := fakeTable(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
			return mototest.Refuse(r, http.StatusBadRequest, "ThrottlingException")
		})
		e := claim(stamptest.NewID())
		if err := writeOne(t.Context(), table, e); err == nil || errors.Is(err, stamp.ErrConflict) {
			t.Errorf("Write = %v, want an error that is no conflict", err)
		}
		if _, err := table.Entries(t.Context(), e.Tenant, []string{e.User}); err == nil {
			t.Error("Entries succeeded: it must not say that the user is unknown")
		}
		if _, err := store.NewState[stamp.BrakeState](table, store.NameBrake).Load(t.Context(), e.Tenant); err == nil {
			t.Error("Load succeeded: it must not say that there is none")
		}
	})
}
