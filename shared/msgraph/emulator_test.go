package msgraph_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// permissions are those that the package's calls need.
var permissions = []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All", "GroupMember.Read.All"}

// emulated is a tenant of a Graph that is as strict as the real one, with users in
// a federated domain, and a client signed in to it.
type emulated struct {
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	client *msgraph.Client
}

// emulate sets a tenant up. It is for use within synctest: the server's time is
// the bubble's.
func emulate(t *testing.T, users int, o msgraphtest.Options, permissions ...string) emulated {
	t.Helper()
	o.Violation = func(what string) { t.Errorf("violation: %s", what) }
	server := msgraphtest.New(o)
	t.Cleanup(server.Close)
	tenant := server.AddTenant(msgraphtest.TenantOptions{ID: tenantID, Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}}})
	tenant.AddApp(msgraphtest.AppOptions{ID: clientID, Permissions: permissions, Secrets: []msgraphtest.Secret{{Text: secret}}})
	for _, id := range userIDs(users) {
		tenant.AddUser(msgraphtest.NewUser{ID: id, UPN: "hanako." + id + "@example.co.jp"})
	}
	return emulated{server, tenant, signedInTo(t, server, server, bySecret(secret))}
}

// A full $batch of users is read, looked up in a group, stamped and read again.
func TestEmulatorStampsUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, ids := emulate(t, msgraph.MaxBatch, msgraphtest.Options{}, permissions...), userIDs(msgraph.MaxBatch)
		for _, r := range mustRead(t, graph.client, ids) {
			if r.Err != nil || !r.User.StampKnown || !r.User.SignInSessionsValidFrom.IsZero() || r.User.Domain() != "example.co.jp" {
				t.Errorf("before: %+v", r)
			}
		}
		for i, err := range mustRevoke(t, graph.client, ids) {
			if err != nil {
				t.Errorf("user %d: %v", i, err)
			}
		}
		for _, r := range mustRead(t, graph.client, ids) {
			if age := time.Since(r.User.SignInSessionsValidFrom); r.Err != nil || age < 0 || age > time.Second {
				t.Errorf("after: %+v", r)
			}
		}
		domains, err := graph.client.Domains(t.Context())
		if want := (directory.Domain{Name: "example.co.jp", Federated: true, Verified: true}); err != nil || !slices.Contains(domains, want) {
			t.Errorf("domains %+v, %v", domains, err)
		}
	})
}

func TestEmulatorTellsMembership(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, inner := emulate(t, 3, msgraphtest.Options{}, permissions...), userID(0xff00)
		graph.tenant.AddGroup(inner, userID(1))
		graph.tenant.AddGroup(groupID, userID(0), inner)
		got, err := graph.client.MemberOf(t.Context(), userIDs(3), []string{groupID})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{1, 1, 0} {
			if got[i].Err != nil || len(got[i].Groups) != want {
				t.Errorf("user %d: %+v", i, got[i])
			}
		}
		_, err = graph.client.MemberOf(t.Context(), userIDs(3), []string{groupID, userID(7)})
		if e := graphError(t, err); !e.NotFound() || !strings.Contains(err.Error(), userID(7)) {
			t.Errorf("no such group: %v", err)
		}
	})
}

// A connection that breaks once the revocations took effect: nobody may take them
// for not done, and the client sends no second time.
func TestEmulatorBreaksOff(t *testing.T) {
	for name, fault := range map[string]msgraphtest.Fault{
		"reset after":       {After: true, Reset: true},
		"slow after":        {After: true, Latency: time.Minute},
		"unavailable after": {After: true, Status: http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 2, msgraphtest.Options{}, permissions...)
				fault.Match = func(r msgraphtest.Request) bool { return r.Parts > 0 }
				graph.server.Inject(fault)
				_, err := graph.client.RevokeSignInSessions(t.Context(), userIDs(2))
				if e := graphError(t, err); e.NotDone || (fault.Reset && !errors.Is(err, syscall.ECONNRESET)) {
					t.Errorf("error %+v", e)
				}
				if got := graph.server.Counts(); got.HTTP != 1 {
					t.Errorf("counts %+v, want 1 request", got)
				}
			})
		})
	}
}

// All users are listed, and whatever changes is told by a round of delta, though Graph
// fails now and then.
func TestEmulatorListsUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1100, msgraphtest.Options{}, permissions...)
		graph.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return !r.Token }, Status: http.StatusServiceUnavailable, Times: 3})
		link, err := graph.client.LatestDelta(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, err := graph.client.UserPage(t.Context(), "")
		if err != nil || len(first.Users) != msgraph.MaxPage {
			t.Fatalf("%d users, %v", len(first.Users), err)
		}
		rest, err := graph.client.UserPage(t.Context(), first.Next)
		if err != nil || len(first.Users)+len(rest.Users) != 1100 || rest.Next != "" {
			t.Errorf("%d more users, %v", len(rest.Users), err)
		}
		mustRevoke(t, graph.client, userIDs(1))
		page, err := graph.client.DeltaPage(t.Context(), link)
		if err != nil || !slices.ContainsFunc(page.Users, func(u directory.User) bool { return u.ID == userID(0) && u.StampKnown }) {
			t.Errorf("page %+v, %v", page, err)
		}
	})
}

// subscriber is an endpoint that answers handshakes with its status.
type subscriber struct{ status int }

// RoundTrip implements http.RoundTripper.
func (s subscriber) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status,
		Header:     http.Header{"Content-Type": {"text/plain"}},
		Body:       io.NopCloser(strings.NewReader(req.URL.Query().Get("validationToken"))),
		Request:    req,
	}, nil
}

// The life of a subscription.
func TestEmulatorSubscription(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusOK}}, "User.Read.All")
		want := wanted()
		want.Expires = time.Now().Add(7 * 24 * time.Hour).UTC()
		created, err := graph.client.CreateSubscription(t.Context(), want, clientState)
		if err != nil {
			t.Fatal(err)
		}
		_, err = graph.client.CreateSubscription(t.Context(), want, clientState)
		if e := discreet(t, err); !e.Conflict() || e.NotDone {
			t.Errorf("twice: %+v", e)
		}
		want.ID, want.ApplicationID, want.Expires = created.ID, clientID, want.Expires.Add(24*time.Hour)
		renewed, err := graph.client.RenewSubscription(t.Context(), created.ID, want.Expires)
		if diff := cmp.Diff(want, renewed); err != nil || diff != "" {
			t.Errorf("renewed (-want +got), %v:\n%s", err, diff)
		}
		if all, err := graph.client.Subscriptions(t.Context()); err != nil || len(all) != 1 || all[0] != want {
			t.Errorf("all %+v, %v", all, err)
		}
		if err := graph.client.DeleteSubscription(t.Context(), created.ID); err != nil {
			t.Error(err)
		}
		if e := discreet(t, graph.client.DeleteSubscription(t.Context(), created.ID)); !e.NotFound() || !e.NotDone {
			t.Errorf("deleted again: %+v", e)
		}
	})
}
