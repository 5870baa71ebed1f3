package msgraph_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// entraFake answers the discovery of the tenant's endpoints as Entra does, and
// requests for a token with status and body.
func entraFake(status int, body string) *fake {
	return &fake{answer: func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/.well-known/openid-configuration") {
			return discovery(req), nil
		}
		resp := response(status, body)
		resp.Header.Set("Retry-After", "3")
		return resp, nil
	}}
}

// withSecret returns a client that signs in with the secret.
func withSecret(t *testing.T, entra, graph http.RoundTripper) *msgraph.Client {
	t.Helper()
	return signedInTo(t, entra, graph, bySecret(msgraph.FixedSecret(secret)))
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body string
		want directory.Error
		code int
	}{
		{
			name: "wrong secret",
			code: http.StatusUnauthorized,
			body: `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret ` + secret + ` provided.","error_codes":[7000215],"correlation_id":"9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"}`,
			want: directory.Error{StatusCode: 401, Code: "AADSTS7000215", RequestID: "9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"},
		},
		{
			name: "no number",
			code: http.StatusBadRequest,
			body: `{"error":"invalid_request","error_description":"` + principal + `","correlation_id":"` + principal + `"}`,
			want: directory.Error{StatusCode: 400, Code: "invalid_request"},
		},
		{
			name: "not JSON",
			code: http.StatusServiceUnavailable,
			body: `<html>` + principal + `</html>`,
			want: directory.Error{StatusCode: 503},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entra, graph := entraFake(tt.code, tt.body), answers(http.StatusOK, batchOf())
			_, err := withSecret(t, entra, graph).RevokeSignInSessions(t.Context(), userIDs(1))
			tt.want.Operation, tt.want.NotDone, tt.want.RetryAfter = "token", true, 3*time.Second
			got := graphError(t, err)
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error %q tells the secret", err)
			}
			if graph.requests() != 0 {
				t.Error("Graph was called without a token")
			}
			if n := entra.requests(); n != 2 { // discovery and one try
				t.Errorf("%d requests to sign in, want 2", n)
			}
		})
	}
}

// What the credential says in words may quote a token, so only the transport's
// own error is passed on.
func TestTokenErrorsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		entra *fake
		is    error
	}{
		{"connection refused", fails(syscall.ECONNREFUSED), syscall.ECONNREFUSED},
		{"token that is not JSON", entraFake(http.StatusOK, `{"access_token":"`+secret+`",`), nil},
		{"token of no type", entraFake(http.StatusOK, `{"access_token":7}`), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusOK, batchOf())
			_, err := withSecret(t, tt.entra, graph).ReadUsers(t.Context(), userIDs(1))
			e := graphError(t, err)
			if e.Operation != "token" || !e.NotDone || graph.requests() != 0 {
				t.Errorf("error %+v after %d requests to Graph", e, graph.requests())
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error %q tells the token", err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
		})
	}
}

// A tenant that does not exist is already refused where its endpoints are asked for.
func TestUnknownTenant(t *testing.T) {
	t.Parallel()
	entra := answers(http.StatusBadRequest, `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}`)
	_, err := withSecret(t, entra, answers(http.StatusOK, batchOf())).ReadUsers(t.Context(), userIDs(1))
	e := graphError(t, err)
	if e.Operation != "token" || e.Code != "AADSTS90002" || e.StatusCode != http.StatusBadRequest || !e.NotDone {
		t.Errorf("error %+v", e)
	}
}

// A credential of another kind is not trusted with its words either.
func TestCredentialErrorsAreNotQuoted(t *testing.T) {
	t.Parallel()
	client, err := msgraph.NewClient(msgraph.Options{
		Cloud:      cloudNamed(t, "global"),
		Credential: token{err: errors.New(secret)},
		Transport:  fails(context.Canceled),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Domains(t.Context())
	if e := graphError(t, err); e.Operation != "token" || !e.NotDone || strings.Contains(err.Error(), secret) {
		t.Errorf("error %+v", e)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	t.Parallel()
	global := cloudNamed(t, "global")
	if _, err := msgraph.NewClient(msgraph.Options{Cloud: global, Credential: token{}}); err != nil {
		t.Errorf("NewClient refuses the least it needs: %v", err)
	}
	for name, o := range map[string]msgraph.Options{
		"no cloud":      {Credential: token{}},
		"no credential": {Cloud: global},
	} {
		if _, err := msgraph.NewClient(o); err == nil {
			t.Errorf("NewClient accepts %s", name)
		}
	}
	for name, o := range map[string]msgraph.CredentialOptions{
		"no cloud":  {TenantID: tenantID, ClientID: clientID},
		"no tenant": {Cloud: global, ClientID: clientID},
		"no client": {Cloud: global, TenantID: tenantID},
	} {
		if _, err := msgraph.NewCredential(o, bySecret(msgraph.FixedSecret(secret))); err == nil {
			t.Errorf("NewCredential accepts %s", name)
		}
	}
	if _, err := msgraph.NewCredential(msgraph.CredentialOptions{Cloud: global, TenantID: tenantID, ClientID: clientID}, bySecret(nil)); err == nil {
		t.Error("NewCredential accepts no source")
	}
}
