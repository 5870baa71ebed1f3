package memory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

func TestAllListsOneTenantByUser(t *testing.T) {
	t.Parallel()
	var l memory.Ledger
	if got := l.All("a"); len(got) != 0 {
		t.Errorf("All of an empty ledger = %v, want none", got)
	}
	for i, err := range l.Write(t.Context(), []revocation.Entry{
		{Tenant: "a", User: "3"}, {Tenant: "b", User: "2"}, {Tenant: "a", User: "1"},
	}) {
		if err != nil {
			t.Fatalf("Write of entry %d: %v", i, err)
		}
	}
	want := []revocation.Entry{{Tenant: "a", User: "1", Version: 1}, {Tenant: "a", User: "3", Version: 1}}
	if diff := cmp.Diff(want, l.All("a")); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
}
