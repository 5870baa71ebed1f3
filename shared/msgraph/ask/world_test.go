package ask_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

const (
	tenantID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	clientID = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
	groupID  = "3a1f0c52-97d4-4b0e-8f5d-2c6a7e11b9d0"
	secret   = "s3cr3t~value"
	// principal must not turn up in an error.
	principal = "hanako@example.co.jp"
)

var errDenied = errors.New("denied")

// userID returns the object id of the nth user, and userIDs those of the first n.
func userID(n int) string { return fmt.Sprintf("0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f%04x", n) }

func userIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = userID(i)
	}
	return ids
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// clientOf returns a client of the global cloud.
func clientOf(t *testing.T, o msgraph.Options) *ask.Client {
	t.Helper()
	o.Cloud = msgraph.Clouds()[0]
	client, err := ask.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// emulated is a tenant of a Graph that is as strict as the real one, with users in a
// federated domain, and a client to which an app has signed in.
type emulated struct {
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	client *ask.Client
}

// emulate sets a tenant up. Within synctest its time is the bubble's.
func emulate(t *testing.T, users int, o msgraphtest.Options, permissions ...string) emulated {
	t.Helper()
	o.Violation = func(what string) { t.Errorf("violation: %s", what) }
	server := msgraphtest.New(o)
	t.Cleanup(server.Close)
	tenant := server.AddTenant(msgraphtest.TenantOptions{ID: tenantID, Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}}})
	for _, id := range userIDs(users) {
		tenant.AddUser(msgraphtest.NewUser{ID: id, UPN: "hanako." + id + "@example.co.jp"})
	}
	e := emulated{server: server, tenant: tenant}
	e.client = e.app(t, clientID, permissions...)
	return e
}

// app returns a client to which an app with the permissions has signed in.
func (e emulated) app(t *testing.T, id string, permissions ...string) *ask.Client {
	t.Helper()
	e.tenant.AddApp(msgraphtest.AppOptions{ID: id, Permissions: permissions, Secrets: []msgraphtest.Secret{{Text: secret}}})
	look := map[string]string{"AZURE_TENANT_ID": tenantID, "AZURE_CLIENT_ID": id, "AZURE_CLIENT_SECRET": secret}
	return clientOf(t, msgraph.Options{Auth: ask.Environment(func(name string) string { return look[name] }), Transport: e.server})
}

// wire is an Entra that signs everybody in, and a Graph of one user.
type wire struct{ authorization string }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	base := "https://" + req.URL.Host + "/" + tenantID
	body := `{"token_type":"Bearer","expires_in":3599,"access_token":"t0k3n"}`
	switch {
	case !strings.HasPrefix(req.URL.Host, "login."):
		w.authorization = req.Header.Get("Authorization")
		body = `{"id":"` + userID(0) + `"}`
	case req.Method == http.MethodGet: // the discovery of the endpoints
		body = `{"issuer":"` + base + `/v2.0","authorization_endpoint":"` + base + `/oauth2/v2.0/authorize","token_endpoint":"` + base + `/oauth2/v2.0/token"}`
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// graphError returns err as a *directory.Error, and fails the test if it is none or names
// the user.
func graphError(t *testing.T, err error) *directory.Error {
	t.Helper()
	if strings.Contains(fmt.Sprint(err), "hanako") {
		t.Errorf("error %q names the user", err)
	}
	e, ok := errors.AsType[*directory.Error](err)
	if !ok {
		t.Fatalf("error %v (%T), want a *directory.Error", err, err)
	}
	return e
}

// codeOf returns the code of an error, "" without one.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	return graphError(t, err).Code
}
