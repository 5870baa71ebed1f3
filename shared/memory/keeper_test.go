package memory_test

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/subscription/subscriptiontest"
)

func TestSubscriptionsConform(t *testing.T) {
	t.Parallel()
	shared := new(memory.Subscriptions) // as all cases share a table in a deployment
	subscriptiontest.TestStore(t, func(*testing.T) subscription.Store { return shared })
}

func TestSubscriptionsForget(t *testing.T) {
	t.Parallel()
	store := new(memory.Subscriptions)
	if err := store.SaveRecord(t.Context(), subscription.Record{Tenant: "a", Holder: "x"}); err != nil {
		t.Fatal(err)
	}
	store.Forget("a")
	got, err := store.Record(t.Context(), "a")
	if want := (subscription.Record{Tenant: "a"}); err != nil || got != want {
		t.Errorf("Record after Forget: %+v, %v; want %+v", got, err, want)
	}
}
