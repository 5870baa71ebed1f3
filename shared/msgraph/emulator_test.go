package msgraph_test

import (
	"errors"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// permissions are those that the package's calls need.
var permissions = []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All"}

// emulated is a tenant of a Graph that is as strict as the real one, with users in
// a federated domain, and a client signed in to it.
type emulated struct {
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	app    *msgraphtest.App
	client *msgraph.Client
}

// emulate sets a tenant up. It is for use within synctest: the server's time is
// the bubble's.
func emulate(t *testing.T, users int, o msgraphtest.Options, permissions ...string) emulated {
	t.Helper()
	o.Violation = func(what string) { t.Errorf("violation: %s", what) }
	server := msgraphtest.New(o)
	t.Cleanup(server.Close)
	tenant := server.AddTenant(msgraphtest.TenantOptions{ID: tenantID, Domains: []msgraphtest.Domain{
		{Name: "example.co.jp", Federated: true},
		{Name: "example.onmicrosoft.com"},
		{Name: "example.com", Unverified: true},
	}})
	app := tenant.AddApp(msgraphtest.AppOptions{
		ID: clientID, Permissions: permissions, Secrets: []msgraphtest.Secret{{Text: secret}},
	})
	for _, id := range userIDs(users) {
		tenant.AddUser(msgraphtest.NewUser{ID: id, UPN: "hanako." + id + "@example.co.jp"})
	}
	return emulated{server, tenant, app, signedIn(t, cloudNamed(t, "global"), server, server)}
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// A full $batch of users is read, stamped and read again.
func TestEmulatorStampsUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, msgraph.MaxBatch, msgraphtest.Options{}, permissions...)
		ids := userIDs(msgraph.MaxBatch)
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
		got := graph.server.Counts()
		if got.HTTP != 3 || got.Tokens != 1 || got.Parts != 60 || got.Writes != 20 {
			t.Errorf("counts %+v, want 3 requests of 60 parts, 20 writes and 1 token", got)
		}
	})
}

// Parts are throttled, unknown and refused each for itself.
func TestEmulatorRefusesParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 4, msgraphtest.Options{
			Limits: msgraphtest.Limits{Writes: msgraphtest.Quota{Count: 3, Per: 150 * time.Second}},
		}, permissions...)
		mustRevoke(t, graph.client, userIDs(3))
		time.Sleep(50 * time.Second)
		throttled := graphError(t, mustRevoke(t, graph.client, []string{userID(3)})[0])
		if !throttled.Throttled() || !throttled.NotDone || throttled.RetryAfter != 100*time.Second {
			t.Errorf("throttled: %+v", throttled)
		}
		time.Sleep(throttled.RetryAfter)
		errs := mustRevoke(t, graph.client, []string{userID(3), userID(99)})
		if unknown := graphError(t, errs[1]); errs[0] != nil || !unknown.NotFound() || unknown.Code != "Request_ResourceNotFound" {
			t.Errorf("later: %v, %+v", errs[0], unknown)
		}
	})
}

func TestEmulatorRefusesPermissions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, "User.Read.All")
		e := graphError(t, mustRevoke(t, graph.client, userIDs(1))[0])
		if !e.Forbidden() || !e.NotDone || e.Code != "Authorization_RequestDenied" || e.RequestID == "" {
			t.Errorf("revoke: %+v", e)
		}
		_, err := graph.client.Domains(t.Context())
		if e := graphError(t, err); !e.Forbidden() {
			t.Errorf("domains: %+v", e)
		}
	})
}

// A connection that breaks once the revocations took effect: nobody may take them
// for not done, and the client sends no second time.
func TestEmulatorBreaksOff(t *testing.T) {
	tests := []struct {
		name  string
		fault msgraphtest.Fault
	}{
		{"reset after", msgraphtest.Fault{After: true, Reset: true}},
		{"slow after", msgraphtest.Fault{After: true, Latency: time.Minute}},
		{"unavailable after", msgraphtest.Fault{After: true, Status: http.StatusServiceUnavailable}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 2, msgraphtest.Options{}, permissions...)
				tt.fault.Match = func(r msgraphtest.Request) bool { return r.Parts > 0 }
				graph.server.Inject(tt.fault)
				_, err := graph.client.RevokeSignInSessions(t.Context(), userIDs(2))
				e := graphError(t, err)
				if e.NotDone || (tt.fault.Reset && !errors.Is(leaktest.Seen(t, err), syscall.ECONNRESET)) {
					t.Errorf("error %+v", e)
				}
				if got := graph.server.Counts(); got.HTTP != 1 || got.Writes != 2 {
					t.Errorf("counts %+v, want 1 request and 2 writes", got)
				}
			})
		})
	}
}

func TestEmulatorKnowsNoSuchSecret(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{})
		client := graph.signedInBy(t, msgraph.FixedSecret("older8Q~value"))
		_, err := client.ReadUsers(t.Context(), userIDs(1))
		if e := graphError(t, err); e.Operation != "token" || e.Code != "AADSTS7000215" || !e.NotDone || e.RequestID == "" {
			t.Errorf("error %+v", e)
		}
		if n := graph.server.Counts().Tokens; n != 1 {
			t.Errorf("%d requests for a token, want 1", n)
		}
	})
}

func TestEmulatorListsDomains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got, err := emulate(t, 0, msgraphtest.Options{}, permissions...).client.Domains(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []directory.Domain{
			{Name: "example.co.jp", Federated: true, Verified: true},
			{Name: "example.onmicrosoft.com", Verified: true},
			{Name: "example.com"},
		} {
			if !slices.Contains(got, want) {
				t.Errorf("domains %+v, want among them %+v", got, want)
			}
		}
	})
}

func mustRead(t *testing.T, c *msgraph.Client, ids []string) []directory.Read {
	t.Helper()
	reads, err := c.ReadUsers(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return reads
}

func mustRevoke(t *testing.T, c *msgraph.Client, ids []string) []error {
	t.Helper()
	errs, err := c.RevokeSignInSessions(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return errs
}
