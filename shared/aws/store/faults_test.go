package store_test

import (
	"cmp"
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

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/aws/store/storetest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/revocation/revocationtest"
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
func claim(tenant string) revocation.Entry {
	return revocation.Entry{
		Tenant: tenant, User: revocationtest.NewID(),
		State: revocation.StateClaimed, Claimed: sampleTime, Updated: sampleTime,
	}
}

func writeOne(ctx context.Context, table *store.Table, e revocation.Entry) error {
	return table.Write(ctx, []revocation.Entry{e})[0]
}

func stored(t *testing.T, table *store.Table, e revocation.Entry) revocation.Entry {
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
	e := claim(revocationtest.NewID())
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
	e := claim(revocationtest.NewID())
	var sound, faulty *store.Table
	puts := 0
	sound, faulty = newFaultyTable(t, func(operation string, r *http.Request, send mototest.Send) (*http.Response, error) {
		if puts++; puts > 1 {
			return send(r)
		}
		answer, err := mototest.Lose(r, send)
		rival := e
		rival.Version, rival.State = 1, revocation.StateRevoked
		return answer, errors.Join(err, writeOne(r.Context(), sound, rival))
	})
	if err := writeOne(t.Context(), faulty, e); !errors.Is(leaktest.Seen(t, err), revocation.ErrConflict) {
		t.Errorf("Write = %v, want ErrConflict", err)
	}
	if got := stored(t, sound, e).State; got != revocation.StateRevoked {
		t.Errorf("state %q is stored, want that of the last write", got)
	}
}

// An equal write of somebody else is a conflict all the same.
func TestAnEqualWriteOfAnotherConflicts(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	e := claim(revocationtest.NewID())
	first, second := writeOne(t.Context(), table, e), writeOne(t.Context(), table, e)
	if first != nil || !errors.Is(leaktest.Seen(t, second), revocation.ErrConflict) {
		t.Errorf("two equal writes came to %v and %v, want none and ErrConflict", first, second)
	}
}

func TestAWriteWithoutAnyAnswerIsNoConflict(t *testing.T) {
	t.Parallel()
	_, faulty := newFaultyTable(t, func(_ string, r *http.Request, send mototest.Send) (*http.Response, error) {
		return mototest.Lose(r, send)
	})
	if err := writeOne(t.Context(), faulty, claim(revocationtest.NewID())); leaktest.Seen(t, err) == nil || errors.Is(err, revocation.ErrConflict) {
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
			tenant := revocationtest.NewID()
			var entries []revocation.Entry
			want := make(map[string]revocation.Entry)
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
func checkWritten(t *testing.T, table *store.Table, errs []error, entries []revocation.Entry) {
	t.Helper()
	for i, err := range errs {
		if errors.Is(leaktest.Seen(t, err), revocation.ErrConflict) {
			t.Errorf("entry %d: %v, but nobody else writes", i, err)
		}
		if got := stored(t, table, entries[i]).Version == 1; got != (leaktest.Seen(t, err) == nil) {
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
		e := claim(revocationtest.NewID())
		if err := writeOne(t.Context(), table, e); leaktest.Seen(t, err) == nil || errors.Is(err, revocation.ErrConflict) {
			t.Errorf("Write = %v, want an error that is no conflict", err)
		}
		if _, err := table.Entries(t.Context(), e.Tenant, []string{e.User}); leaktest.Seen(t, err) == nil {
			t.Error("Entries succeeded: it must not say that the user is unknown")
		}
		if _, err := table.Checkpoint(t.Context(), e.Tenant); leaktest.Seen(t, err) == nil {
			t.Error("Checkpoint succeeded: it must not say that there is none")
		}
		if _, ok, err := store.NewQuota(table, revocation.DefaultPace).Reserve(t.Context(), e.Tenant, 1, sampleTime, time.Hour); ok || leaktest.Seen(t, err) == nil {
			t.Errorf("Reserve = %t, %v, want an error", ok, err)
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
	tenant := revocationtest.NewID()
	var entries []revocation.Entry
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
		got, err := table.Entries(t.Context(), revocationtest.NewID(), []string{revocationtest.NewID()})
		if leaktest.Seen(t, err) == nil || got != nil || calls != 8 {
			t.Errorf("Entries = %v, %v after %d calls, want an error after 8", got, err, calls)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := table.Entries(ctx, revocationtest.NewID(), []string{revocationtest.NewID()}); !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) {
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
		users[i] = revocationtest.NewID()
	}
	if _, err := table.Entries(t.Context(), revocationtest.NewID(), slices.Concat(users, users)); err != nil {
		t.Fatalf("Entries: %v", err)
	}
	if calls != 3 {
		t.Errorf("%d calls for %d users who are named twice, want 3", calls, len(users))
	}
}

// A reservation whose answer is lost is made once, not twice.
func TestAReservationWhoseAnswerIsLostCountsOnce(t *testing.T) {
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
	pace := revocation.Pace{Limit: 100, Window: 10 * time.Second, Share: 0.9, Burst: 10}
	waitOfNext := func(first, second *store.Table) time.Duration {
		tenant := revocationtest.NewID()
		_, ok, err := store.NewQuota(first, pace).Reserve(t.Context(), tenant, 10, sampleTime, 0)
		wait, again, errAgain := store.NewQuota(second, pace).Reserve(t.Context(), tenant, 10, sampleTime, time.Minute)
		if err := cmp.Or(err, errAgain); err != nil || !ok || !again {
			t.Errorf("Reserve = %t and %t, %v, want both", ok, again, err)
		}
		return wait
	}
	if got, want := waitOfNext(faulty, sound), waitOfNext(sound, sound); got != want {
		t.Errorf("the next reservation waits %s, want %s", got, want)
	}
}

func TestAQuotaThatOthersKeepChangingIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		puts := 0
		table := fakeTable(func(operation string, r *http.Request, _ mototest.Send) (*http.Response, error) {
			if operation == "GetItem" {
				return mototest.Answer(r, http.StatusOK, struct{}{})
			}
			puts++
			return mototest.Refuse(r, http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException")
		})
		wait, ok, err := store.NewQuota(table, revocation.DefaultPace).Reserve(t.Context(), revocationtest.NewID(), 20, sampleTime, time.Hour)
		if wait != 0 || ok || leaktest.Seen(t, err) == nil || puts != 12 {
			t.Errorf("Reserve = %s, %t, %v after %d tries, want an error after 12", wait, ok, err, puts)
		}
	})
}

// TestHeldReadsEveryPage lets DynamoDB answer with one user at a time, and once with
// none, as it may where a page is full.
func TestHeldReadsEveryPage(t *testing.T) {
	t.Parallel()
	const tenant = "t"
	item := func(user string) map[string]any {
		return map[string]any{
			"pk": map[string]string{"S": tenant + "#user#" + user}, "version": map[string]string{"N": "1"},
			"doc": map[string]any{"M": struct{}{}},
		}
	}
	pages := []struct {
		after string
		items []map[string]any
		last  string
	}{
		{"", []map[string]any{item("a")}, "a"},
		{"a", []map[string]any{}, "b"},
		{"b", []map[string]any{item("c")}, "c"},
		{"c", []map[string]any{item("d")}, ""},
	}
	tests := []struct {
		name  string
		limit int
		want  []string
		calls int
	}{
		{"more than there are", 10, []string{"a", "c", "d"}, 4},
		{"fewer", 2, []string{"a", "c"}, 3},
		{"nobody", 0, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			table := fakeTable(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
				var query struct{ ExclusiveStartKey map[string]map[string]string }
				if err := mototest.Body(r, &query); err != nil {
					return nil, err
				}
				page := pages[calls]
				calls++
				if after := query.ExclusiveStartKey["pk"]["S"]; after != page.after {
					t.Errorf("call %d begins after %q, want %q", calls, after, page.after)
				}
				body := map[string]any{"Items": page.items}
				if page.last != "" {
					body["LastEvaluatedKey"] = map[string]any{"pk": map[string]string{"S": page.last}}
				}
				return mototest.Answer(r, http.StatusOK, body)
			})
			held, err := table.Held(t.Context(), tenant, tt.limit)
			if err != nil {
				t.Fatalf("Held: %v", err)
			}
			var users []string
			for _, e := range held {
				users = append(users, e.User)
			}
			if !slices.Equal(users, tt.want) || calls != tt.calls {
				t.Errorf("Held = %v after %d calls, want %v after %d", users, calls, tt.want, tt.calls)
			}
		})
	}
}
