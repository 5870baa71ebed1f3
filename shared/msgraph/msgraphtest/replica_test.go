package msgraphtest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const lag = 30 * time.Second

func TestReplicaLagsBehind(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag}})
	d.federatedUsers(hanako)
	d.want(d.get("/users/"+hanako), 404, "Request_ResourceNotFound")
	d.want(d.get("/users/"+hanako+"@example.co.jp"), 404, "Request_ResourceNotFound")
	if got := d.get("/users").ids(); len(got) != 0 {
		t.Errorf("the list shows %v", got)
	}
	d.at = d.at.Add(lag)
	d.want(d.get("/users/"+hanako), http.StatusOK, "")

	d.revoke(hanako)
	stamp := func() any { return d.get("/users/" + hanako + "?$select=" + stampProperty).body[stampProperty] }
	if got := stamp(); got != nil {
		t.Errorf("the stamp is %v at once", got)
	}
	d.at = d.at.Add(lag - time.Nanosecond)
	if got := stamp(); got != nil {
		t.Errorf("the stamp is %v too early", got)
	}
	d.at = d.at.Add(time.Nanosecond)
	if got := stamp(); got != "2026-05-24T22:25:00Z" {
		t.Errorf("the stamp is %v after the lag", got)
	}

	d.delete(hanako)
	d.want(d.get("/users/"+hanako), http.StatusOK, "")
	d.want(d.do("POST", "/users/"+hanako+"/revokeSignInSessions", ""), 404, "Request_ResourceNotFound")
	d.at = d.at.Add(lag)
	d.want(d.get("/users/"+hanako), 404, "Request_ResourceNotFound")
}

func TestReplicaKnowsUsersOfOld(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag}})
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@example.co.jp", Created: d.at.Add(-lag)})
	d.want(d.get("/users/"+hanako), http.StatusOK, "")
	d.tenant.AddUser(NewUser{ID: taro, UPN: "taro@example.co.jp", Created: d.at.Add(-lag + time.Nanosecond)})
	d.want(d.get("/users/"+taro), 404, "Request_ResourceNotFound")
}

func TestReplicaAnswersItsShare(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag, Share: 0.25}, Seed: 7})
	d.federatedUsers(hanako)
	missing := 0
	for range 1000 {
		missing += btoi(d.get("/users/"+hanako).status == http.StatusNotFound)
	}
	if missing < 200 || missing > 300 {
		t.Errorf("%d of 1000 reads are stale, want about 250", missing)
	}
}

func TestReplicaRefusesWrites(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag, Writes: true}})
	d.federatedUsers(hanako)
	d.want(d.do("POST", "/users/"+hanako+"/revokeSignInSessions", ""), 404, "Request_ResourceNotFound")
	d.at = d.at.Add(lag)
	d.revoke(hanako)
}

func TestReplicaDeltaLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag, Share: 0.5}, Delta: Delta{PageSize: 3}, Seed: 3})
	_, link := d.round("/users/delta" + stampSelection)
	stamped := make(map[string]bool)
	want := 0
	collect := func() {
		var items []map[string]any
		items, link = d.round(link)
		for _, item := range items {
			stamped[item["id"].(string)] = item[stampProperty] != nil
		}
	}
	for i := range 200 {
		id := d.tenant.AddUser(NewUser{ID: numbered(i), UPN: numbered(i) + "@example.co.jp"})
		if i%2 == 0 {
			d.revoke(id)
			want++
		}
		d.at = d.at.Add(time.Second)
		if i%10 == 9 {
			collect()
		}
	}
	d.at = d.at.Add(lag)
	collect()
	got := 0
	for _, is := range stamped {
		got += btoi(is)
	}
	if len(stamped) != 200 || got != want {
		t.Errorf("%d users with %d stamps, want 200 with %d", len(stamped), got, want)
	}
}

func TestReplicaForgets(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: lag}})
	for i := range 100 {
		d.at = d.at.Add(time.Second)
		d.federatedUsers(numbered(i))
	}
	h := d.tenant.dir.history
	if len(h.past) != 30 || len(h.recent) != 30 {
		t.Errorf("%d users and %d moments are kept, want 30 each", len(h.past), len(h.recent))
	}
	shown := slices.Concat(d.pages("/users?$top=999")...)
	if diff := cmp.Diff(70, len(shown)); diff != "" {
		t.Errorf("users shown (-want +got):\n%s", diff)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
