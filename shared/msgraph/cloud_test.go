package msgraph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// Each cloud's requests go to its own hosts, and so does the token's scope.
func TestClouds(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, graph, login, portal, audience string }{
		{"global", "graph.microsoft.com", "login.microsoftonline.com", "https://entra.microsoft.com", exchange},
		{"usgovernment-l4", "graph.microsoft.us", "login.microsoftonline.us", "https://entra.microsoft.us", exchange + "USGov"},
		{"usgovernment-l5", "dod-graph.microsoft.us", "login.microsoftonline.us", "https://entra.microsoft.us", exchange + "USGov"},
		{"china", "microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn", "https://entra.microsoftonline.cn", exchange + "China"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entra := entraFake(http.StatusOK, `{"token_type":"Bearer","expires_in":3599,"access_token":"t0k3n"}`)
			graph := answers(http.StatusOK, batchOf(partOf(1, http.StatusOK, `{}`)))
			cloud := cloudNamed(t, tt.name)
			if cloud.Portal != tt.portal || cloud.ExchangeAudience() != tt.audience {
				t.Errorf("the portal is %s, want %s; the audience %s, want %s", cloud.Portal, tt.portal, cloud.ExchangeAudience(), tt.audience)
			}
			client, err := msgraph.NewClient(msgraph.Options{
				Cloud: cloud, TenantID: tenantID, ClientID: clientID, Auth: bySecret(secret), Transport: both{entra, graph},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.RevokeSignInSessions(t.Context(), userIDs(1)); err != nil {
				t.Fatal(err)
			}
			for _, req := range entra.seen {
				if req.URL.Host != tt.login {
					t.Errorf("sign-in asked %s, want %s", req.URL.Host, tt.login)
				}
			}
			scope := "scope=https%3A%2F%2F" + tt.graph + "%2F.default"
			if last := entra.bodies[len(entra.bodies)-1]; !strings.Contains(last, scope) {
				t.Errorf("sign-in sent %q, want %s", last, scope)
			}
			if got := graph.seen[0].URL.Host; got != tt.graph {
				t.Errorf("Graph is %s, want %s", got, tt.graph)
			}
			if got := graph.seen[0].Header.Get("Authorization"); got != "Bearer t0k3n" {
				t.Errorf("Authorization is %q", got)
			}
		})
	}
}

func TestCloudByNameListsTheNames(t *testing.T) {
	t.Parallel()
	_, err := msgraph.CloudByName("mars")
	if err == nil {
		t.Fatal("there is a cloud called mars")
	}
	for _, c := range msgraph.Clouds() {
		if !strings.Contains(err.Error(), c.Name) {
			t.Errorf("error %q does not name %s", err, c.Name)
		}
	}
}
