package store_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/aws/store/storetest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

// newFaultyTable returns a table in moto, once as it is and once with between in the
// way.
func newFaultyTable(t *testing.T, between mototest.Intercept) (sound, faulty *store.Table) {
	t.Helper()
	config := mototest.Config(mototest.Shared(t))
	name := storetest.Create(t, config)
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
			var mu sync.Mutex
			seen := 0
			sound, faulty := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
				mu.Lock()
				seen++
				refused := seen%5 == 0 // every fifth attempt
				mu.Unlock()
				if refused {
					return mototest.Refuse(r, http.StatusBadRequest, code)
				}
				return send(r)
			})
			tenant := stamptest.NewID()
			var entries []stamp.Entry
			want := make(map[string]stamp.Entry)
			for range 40 {
				e := claim(tenant)
				entries = append(entries, e)
				e.Version = 1
				want[e.User] = e
			}
			checkWritten(t, sound, faulty.Write(t.Context(), entries), entries)
			got, err := faulty.Entries(t.Context(), tenant, slices.Collect(maps.Keys(want)))
			if err != nil || !maps.Equal(want, got) {
				t.Errorf("Entries = %d entries, %v, want all %d", len(got), err, len(want))
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

// batchRequest is the body of BatchGetItem.
type batchRequest struct {
	RequestItems map[string]batchKeys
}

type batchKeys struct {
	ConsistentRead bool
	Keys           []map[string]map[string]string
}

// readSome answers for the first n keys of a BatchGetItem, and leaves the others.
func readSome(t *testing.T, n int, r *http.Request, send mototest.Send) (*http.Response, error) {
	var request batchRequest
	if err := mototest.Body(r, &request); err != nil {
		return nil, err
	}
	left := make(map[string]batchKeys)
	for table, asked := range request.RequestItems {
		if !asked.ConsistentRead {
			t.Error("a read that is not strongly consistent")
		}
		if len(asked.Keys) > n {
			// Without ConsistentRead: the caller is to say again what it needs.
			left[table] = batchKeys{Keys: asked.Keys[n:]}
			request.RequestItems[table] = batchKeys{ConsistentRead: true, Keys: asked.Keys[:n]}
		}
	}
	shorter, err := mototest.WithBody(r, request)
	if err != nil {
		return nil, err
	}
	answer, err := send(shorter)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var body map[string]any
	if err := mototest.Decode(answer.Body, &body); err != nil {
		return nil, err
	}
	body["UnprocessedKeys"] = left
	return mototest.Answer(r, http.StatusOK, body)
}

func TestKeysLeftUnprocessedAreReadLater(t *testing.T) {
	t.Parallel()
	calls := 0
	sound, faulty := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
		calls++
		return readSome(t, 30, r, send)
	})
	tenant := stamptest.NewID()
	var entries []stamp.Entry
	var users []string
	for range 70 {
		entries = append(entries, claim(tenant))
		users = append(users, entries[len(entries)-1].User)
	}
	checkWritten(t, sound, sound.Write(t.Context(), entries), entries)
	got, err := faulty.Entries(t.Context(), tenant, users)
	if err != nil || len(got) != len(users) {
		t.Errorf("Entries = %d entries, %v, want %d", len(got), err, len(users))
	}
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}

func TestKeysThatStayUnprocessedAreAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		table := fakeTable(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
			calls++
			var request batchRequest
			if err := mototest.Body(r, &request); err != nil {
				return nil, err
			}
			return mototest.Answer(r, http.StatusOK, map[string]any{"Responses": struct{}{}, "UnprocessedKeys": request.RequestItems})
		})
		got, err := table.Entries(t.Context(), stamptest.NewID(), []string{stamptest.NewID()})
		if err == nil || got != nil || calls != 8 {
			t.Errorf("Entries = %v, %v after %d calls, want an error after 8", got, err, calls)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := table.Entries(ctx, stamptest.NewID(), []string{stamptest.NewID()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Entries = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestReadsAreBatched(t *testing.T) {
	t.Parallel()
	calls := 0
	_, table := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
		calls++
		return send(r)
	})
	users := make([]string, 201)
	for i := range users {
		users[i] = stamptest.NewID()
	}
	if _, err := table.Entries(t.Context(), stamptest.NewID(), slices.Concat(users, users)); err != nil {
		t.Fatalf("Entries: %v", err)
	}
	if calls != 3 {
		t.Errorf("%d calls for %d users who are named twice, want 3", calls, len(users))
	}
}
