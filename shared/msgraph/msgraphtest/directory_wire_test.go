package msgraphtest

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUsersOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	got := w.call("GET", "/users?$select=id,signInSessionsValidFromDateTime", "")
	want := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id,signInSessionsValidFromDateTime)",` +
		`"value":[{"id":"` + testUser + `","signInSessionsValidFromDateTime":null}]}`
	w.want(got, http.StatusOK, "")
	if diff := cmp.Diff(want, trimmed(got.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	w.want(w.call("GET", "/users/"+hanako[:35]+"9", ""), http.StatusNotFound, "Request_ResourceNotFound")
	w.want(w.call("GET", "/groups/"+outer, ""), http.StatusForbidden, "Authorization_RequestDenied")
}

// A stale replica answers the reads in a batch too.
func TestReplicaInsideABatch(t *testing.T) {
	t.Parallel()
	turned := newClock()
	w := newWorld(t, Options{Now: turned.now, Replica: Replica{Lag: time.Minute}})
	const batch = `{"requests":[{"id":"1","method":"GET","url":"/users/` + testUser + `?$select=id"},` +
		`{"id":"2","method":"GET","url":"/users/delta?$select=id"}]}`
	read := func() (status int, shown int) {
		var answer struct {
			Responses []struct {
				ID     string
				Status int
				Body   struct{ Value []json.RawMessage }
			}
		}
		r := w.call("POST", "/$batch", batch)
		w.want(r, http.StatusOK, "")
		if err := json.Unmarshal(r.body, &answer); err != nil {
			t.Fatal(err)
		}
		for _, part := range answer.Responses {
			if part.ID == "1" {
				status = part.Status
			} else {
				shown = len(part.Body.Value)
			}
		}
		return status, shown
	}
	if status, shown := read(); status != http.StatusNotFound || shown != 0 {
		t.Errorf("at once: status %d and %d users, want 404 and none", status, shown)
	}
	turned.advance(time.Minute)
	if status, shown := read(); status != http.StatusOK || shown != 1 {
		t.Errorf("after the lag: status %d and %d users, want 200 and one", status, shown)
	}
}
