package store_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/state/statetest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"

	"github.com/google/go-cmp/cmp"
)

var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

// newTable returns a table of its own.
func newTable(t *testing.T) *store.Table {
	t.Helper()
	config := mototest.Config(mototest.Shared(t))
	return store.New(dynamodb.NewFromConfig(config), createTable(t, config))
}

// createTable makes a table as template.yaml does, with a name of its own, and returns
// the name.
func createTable(t *testing.T, config aws.Config) string {
	t.Helper()
	name := "sessionstamp-" + rand.Text()
	_, err := dynamodb.NewFromConfig(config).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatalf("create a table: %v", err)
	}
	return name
}

// The cases of a suite share a table, as they would in a deployment.

func TestLedgerConforms(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	stamptest.TestLedger(t, func(*testing.T) stamp.Ledger { return table })
}

func TestStateConforms(t *testing.T) {
	t.Parallel()
	s := store.NewState[statetest.Doc](newTable(t), store.NameKeeper)
	statetest.TestStore(t, func(*testing.T) state.Store[statetest.Doc] { return s })
}

// What the programs really keep comes back as it was.
func TestDocumentsRoundTrip(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	tally := stamp.Tally{Hours: map[int64]int{1_795_000_000: 7}, Reached: sampleTime, Released: sampleTime.Add(time.Hour)}
	roundTrip(t, table, store.NameBrake, stamp.BrakeState{Tally: tally, Signals: tally, Members: 1000, Paused: sampleTime})
	roundTrip(t, table, store.NameSignals, signal.Registry{Sources: map[string]signal.Record{"0123": {
		Name: "Okta", Kind: signal.KindSSF, Domains: []string{"federated.example"}, SessionsRevoked: true,
		Stream: signal.Stream{Provider: signal.Keycloak, Issuer: "https://idp.example", Audiences: []string{"a"}, ID: "1", Asked: sampleTime},
		Added:  sampleTime, Heard: sampleTime, Pinged: sampleTime,
	}}})
	roundTrip(t, table, store.NameKeeper, keeper.Record{
		ID: "id", Fingerprint: "print", Expires: sampleTime, SweepOwed: true, Claimed: sampleTime, TakenDown: true,
	})
	roundTrip(t, table, store.NameSweep, sweep.Checkpoint{
		DeltaLink: "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=a", FullNext: "next", FullStarted: sampleTime,
		FullDue: sampleTime, Counts: sweep.Counts{Members: 2}, Unmatched: []string{"svc-*@contoso.com"},
	})
}

func roundTrip[T any](t *testing.T, table *store.Table, name string, doc T) {
	t.Helper()
	s, tenant := store.NewState[T](table, name), stamptest.NewID()
	before, err := s.Load(t.Context(), tenant)
	if err != nil || before.Version != 0 {
		t.Errorf("%s: version %d, %v before the first write", name, before.Version, err)
	}
	if _, err := s.Save(t.Context(), tenant, state.Item[T]{Doc: doc}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), tenant)
	if diff := cmp.Diff(state.Item[T]{Doc: doc, Version: 1}, got); err != nil || diff != "" {
		t.Errorf("%s: %v (-saved +loaded):\n%s", name, err, diff)
	}
}
