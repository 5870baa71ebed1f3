package msgraphtest_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A server is an http.RoundTripper: whatever takes one can talk to it.
func Example() {
	server := msgraphtest.New(msgraphtest.Options{})
	defer server.Close()
	tenant := server.AddTenant(msgraphtest.TenantOptions{
		Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}},
	})
	app := tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.Read.All", "User.RevokeSessions.All"},
		Secrets:     []msgraphtest.Secret{{Text: "secret"}},
	})
	client := &http.Client{Transport: server}

	resp, err := client.PostForm("https://login.microsoftonline.com/"+tenant.ID()+"/oauth2/v2.0/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {app.ID()},
		"client_secret": {"secret"},
		"scope":         {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}
