package ask_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// Who makes an app owns it, unless as an Application Administrator; everybody who owns it is
// told once, over several pages, and may go.
func TestOwners(t *testing.T) {
	for office, own := range map[msgraphtest.Office][]string{
		msgraphtest.GlobalAdministrator: {userID(0)}, msgraphtest.ApplicationAdministrator: nil,
	} {
		t.Run(fmt.Sprint(office), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph, client := administrator(t, msgraphtest.Options{Paging: msgraphtest.Paging{EmptyPageChance: 1}})
				graph.tenant.SetOffice(userID(0), office)
				app, err := client.EnsureApp(t.Context(), wantedApp)
				if err != nil || !slices.Equal(app.Owners, own) {
					t.Fatalf("%v, %v", app.Owners, err)
				}
				if err := client.Disown(t.Context(), app, userID(0)); err != nil {
					t.Error(err)
				}
				if app, err = client.App(t.Context(), uniqueName); err != nil || len(app.Owners) > 0 {
					t.Errorf("%v, %v", app.Owners, err)
				}
			})
		})
	}
}

// A credential of the service principal signs in, and is told apart from the application's.
func TestPrincipalCredential(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, client := administrator(t, msgraphtest.Options{})
		made := graph.tenant.AddApp(msgraphtest.AppOptions{})
		end := time.Now().Add(time.Hour).UTC()
		made.AddPrincipalSecret("hidden", "h1dden", end)
		for n := range 2 {
			made.AddOwner(userID(n))
		}
		app, err := client.AppByClientID(t.Context(), made.ID())
		if err != nil || !slices.Equal(app.Owners, userIDs(2)) || len(app.Credentials) != 1 {
			t.Fatalf("%+v, %v", app, err)
		}
		if c := app.Credentials[0]; c != (directory.AppCredential{KeyID: c.KeyID, Name: "hidden", OfPrincipal: true, Start: c.Start, End: end}) {
			t.Errorf("%+v", c)
		}
		secret := msgraph.Auth{ClientSecret: func(context.Context, bool) (string, error) { return "h1dden", nil }}
		if err := ask.SignIn(t.Context(), msgraph.Options{Cloud: msgraph.Clouds()[0], TenantID: tenantID, ClientID: made.ID(), Transport: graph.server, Auth: secret}); err != nil {
			t.Error(err)
		}
	})
}
