package store_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// sampleTime needs every digit down to the microsecond.
var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

const (
	sampleTenant = "0f0e3c4b-5a0f-4a6e-9a55-2f3c0b1d7e11"
	sampleUser   = "6f1f1b0c-7a67-4c85-9ad6-10b5f3c2d9aa"
)

func hours(n int) time.Time { return sampleTime.Add(time.Duration(n) * time.Hour) }

func sampleEntry(state revocation.State) revocation.Entry {
	return revocation.Entry{
		Tenant: sampleTenant, User: sampleUser, Version: 6,
		State: state, Reason: revocation.ReasonRevoked, Source: revocation.SourceNotification,
		Created: hours(0).Truncate(time.Second), Seen: hours(1), Spared: hours(6), Claimed: hours(2), Called: hours(3), Stamp: hours(4),
		Accepted: 1, Tries: 2, Rereads: 3, Updated: hours(5),
	}
}

var sampleRecord = subscription.Record{
	Tenant: sampleTenant, Version: 6,
	SubscriptionID:  "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
	ClientState:     "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	NotificationURL: "https://hook.example/notify", LifecycleURL: "https://hook.example/lifecycle",
	ShownURL: "https://hook.example/notify/", Mended: hours(7), Refused: hours(9), TakenDown: hours(8),
	Began: hours(0), Since: hours(1), Expires: hours(2), Renewed: hours(3), Checked: hours(4), Challenged: hours(5),
	Holder: "XKCD4TSVJPDQ2UWZ6Y7N3EHRAM", HeldUntil: hours(6),
}

var sampleBackfill = revocation.BackfillState{
	Tenant: sampleTenant, Version: 6, Run: 12,
	Recent:  []revocation.Slot{{Start: hours(0), Count: 5}, {Start: hours(1), Count: 7}},
	Members: 1000, Stopped: revocation.ReasonCeilingRun, StoppedAt: hours(2), Lifted: hours(3),
}

var sampleCheckpoint = sweep.Checkpoint{
	Tenant: sampleTenant, Version: 6,
	DeltaLink: "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=a", Failed: 11,
	Full: &sweep.FullRound{
		Started: hours(0), DeltaLink: "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=b",
		Next: "https://graph.microsoft.com/v1.0/users?$skiptoken=c", Pages: 1, Members: 2, Unstamped: 3, Unreadable: 10, Failed: 12, Asks: 4,
	},
	FullDone: hours(1), Confirm: hours(2), Members: 5, Unstamped: 6, Unreadable: 9, Since: hours(3),
	Asked: "gap", AskedSince: hours(4), Asks: 8, Answered: 7, BackfillUntil: hours(5), Holder: "run", HeldUntil: hours(6),
}

// A kind of item, with how it is written and read back.
type kind struct {
	name   string
	sample any  // what is written; in the table its version is one higher
	bare   bool // the sample lacks fields on purpose
	write  func(*testing.T, *store.Table) error
	read   func(*testing.T, *store.Table) (any, error)
}

func kinds() []kind {
	return []kind{
		entryKind("stamped", revocation.StateStamped),
		entryKind("gone", revocation.StateGone),
		entryKind("held", revocation.StateHeld),
		entryKind("cannot_fix", revocation.StateCannotFix),
		bareKind(),
		{
			"subscription", sampleRecord, false,
			func(t *testing.T, table *store.Table) error { return table.SaveRecord(t.Context(), sampleRecord) },
			func(t *testing.T, table *store.Table) (any, error) { return table.Record(t.Context(), sampleTenant) },
		},
		{
			"backfill", sampleBackfill, false,
			func(t *testing.T, table *store.Table) error { return table.SaveBackfill(t.Context(), sampleBackfill) },
			func(t *testing.T, table *store.Table) (any, error) { return table.Backfill(t.Context(), sampleTenant) },
		},
		{
			"checkpoint", sampleCheckpoint, false,
			func(t *testing.T, table *store.Table) error {
				return table.SaveCheckpoint(t.Context(), sampleCheckpoint)
			},
			func(t *testing.T, table *store.Table) (any, error) {
				return table.Checkpoint(t.Context(), sampleTenant)
			},
		},
	}
}

func entryKind(name string, state revocation.State) kind {
	return ledgerKind(name, false, sampleEntry(state))
}

// bareKind is a user who waits, and of whom nothing else is known: no time is written
// that has not come, and the index lists the user last.
func bareKind() kind {
	return ledgerKind("held_bare", true, revocation.Entry{Tenant: sampleTenant, User: sampleUser, State: revocation.StateHeld})
}

func ledgerKind(name string, bare bool, e revocation.Entry) kind {
	return kind{
		name, e, bare,
		func(t *testing.T, table *store.Table) error { return writeOne(t.Context(), table, e) },
		func(t *testing.T, table *store.Table) (any, error) { return stored(t, table, e), nil },
	}
}

// TestItems pins what is written, and reads what was written by the version that the
// golden files are of: a table outlives many versions.
func TestItems(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			if !k.bare {
				checkFilled(t, reflect.ValueOf(k.sample))
			}
			path := "testdata/" + k.name + ".json"
			goldentest.Compare(t, path, string(k.written(t)))
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			k.checkReads(t, golden)
		})
	}
}

// checkFilled checks that a sample has a value in every field.
func checkFilled(t *testing.T, sample reflect.Value) {
	t.Helper()
	for field, value := range sample.Fields() {
		if value.IsZero() {
			t.Errorf("the sample has no value in field %s: add one", field.Name)
		}
	}
}

// written returns the item that PutItem sends, but for its random token.
func (k kind) written(t *testing.T) []byte {
	t.Helper()
	var put struct{ Item map[string]any }
	err := k.write(t, fakeTable(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
		if err := mototest.Body(r, &put); err != nil {
			return nil, err
		}
		return mototest.Answer(r, http.StatusOK, struct{}{})
	}))
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	put.Item["write"] = map[string]string{"S": "RANDOM"}
	text, err := json.MarshalIndent(put.Item, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// checkReads checks that an item, and one with a field more, of a version to come, is
// read as the sample.
func (k kind) checkReads(t *testing.T, text []byte) {
	t.Helper()
	newer := bytes.Replace(text, []byte(`"M": {`), []byte(`"M": {"later": {"S": "x"},`), 1)
	for name, text := range map[string][]byte{"this version": text, "a newer version": newer} {
		got, err := k.read(t, fakeTable(func(operation string, r *http.Request, _ mototest.Send) (*http.Response, error) {
			item := json.RawMessage(text)
			if operation == "BatchGetItem" {
				return mototest.Answer(r, http.StatusOK, map[string]any{"Responses": map[string]any{"table": []any{item}}})
			}
			return mototest.Answer(r, http.StatusOK, map[string]any{"Item": item})
		}))
		if err != nil {
			t.Fatalf("read the item of %s: %v", name, err)
		}
		if diff := cmp.Diff(written(k.sample), got); diff != "" {
			t.Errorf("read from the item of %s (-written +read):\n%s", name, diff)
		}
	}
}

// written returns the sample with the version that it has in the table.
func written(sample any) any {
	raised := reflect.New(reflect.TypeOf(sample)).Elem()
	raised.Set(reflect.ValueOf(sample))
	version := raised.FieldByName("Version")
	version.SetInt(version.Int() + 1)
	return raised.Interface()
}

func TestAnItemOfSomebodyElseIsAnError(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"no version":           `{"pk": {"S": "x#checkpoint"}}`,
		"a document of no use": `{"pk": {"S": "x#checkpoint"}, "version": {"N": "1"}, "doc": {"S": "text"}}`,
		"a time that is none":  `{"pk": {"S": "x#checkpoint"}, "version": {"N": "1"}, "doc": {"M": {"since": {"S": "yesterday"}}}}`,
	}
	for name, item := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := fakeTable(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
				return mototest.Answer(r, http.StatusOK, map[string]any{"Item": json.RawMessage(item)})
			})
			if c, err := table.Checkpoint(t.Context(), "x"); leaktest.Seen(t, err) == nil {
				t.Errorf("Checkpoint = %+v, want an error", c)
			}
		})
	}
}
