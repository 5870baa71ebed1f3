package ask_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

const (
	uniqueName = "sessionstamp-prod-123456789012-ap-northeast-1-stamper"
	issuer     = "https://0123.tokens.sts.global.api.aws"
)

var (
	wantedApp = directory.App{UniqueName: uniqueName, DisplayName: "sessionstamp stamper"}
	trusted   = directory.FederatedCredential{Name: "stamper", Issuer: issuer, Subject: "arn:aws:iam::123456789012:role/stamper", Audience: "api://AzureADTokenExchange"}
)

// administrator is a tenant in which a person looks after apps, by device code.
func administrator(t *testing.T, o msgraphtest.Options) (emulated, *ask.Client) {
	t.Helper()
	graph := emulate(t, 1, o)
	rights := []string{ask.ManageApps, ask.ManageRoles}
	graph.tenant.AddApp(msgraphtest.AppOptions{ID: ask.GraphCommandLineTools, Delegated: rights})
	graph.tenant.SignInPerson(userID(0))
	return graph, graph.person(t, tenantID, (&prompts{server: graph.server, accept: true}).auth(rights...))
}

// step is one thing that setup does to the app, which it may do again.
type step struct {
	name string
	do   func(context.Context, *ask.Client, *directory.App) error
}

var steps = []step{
	{"make", func(ctx context.Context, c *ask.Client, app *directory.App) (err error) {
		*app, err = c.EnsureApp(ctx, wantedApp)
		return err
	}},
	{"grant", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Grant(ctx, *app, "User.Read.All")
	}},
	{"grant", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Grant(ctx, *app, "User.RevokeSessions.All")
	}},
	{"withdraw", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Withdraw(ctx, *app, "User.Read.All")
	}},
	{"trust old", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		old := trusted
		old.Subject += "-old"
		return c.Trust(ctx, *app, old)
	}},
	{"trust", func(ctx context.Context, c *ask.Client, app *directory.App) error { return c.Trust(ctx, *app, trusted) }},
	{"trust another", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Trust(ctx, *app, directory.FederatedCredential{Name: "other", Issuer: issuer, Subject: "other", Audience: "api://AzureADTokenExchange"})
	}},
	{"distrust", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Distrust(ctx, *app, "other")
	}},
	{"disown", func(ctx context.Context, c *ask.Client, app *directory.App) error {
		return c.Disown(ctx, *app, userID(0))
	}},
}

var wholeApp = directory.App{
	UniqueName: uniqueName, DisplayName: wantedApp.DisplayName, Enabled: true,
	Roles: []string{"User.RevokeSessions.All"}, Federated: []directory.FederatedCredential{trusted},
}

// sameApp compares what is not made up by Graph.
func sameApp(t *testing.T, c *ask.Client, want directory.App) {
	t.Helper()
	got, err := c.App(t.Context(), uniqueName)
	byID, errByID := c.AppByClientID(t.Context(), got.ClientID)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(directory.App{}, "ID", "ClientID", "PrincipalID")); diff != "" || err != nil || errByID != nil || !cmp.Equal(got, byID) {
		t.Errorf("%v, %v (-want +got):\n%s", err, errByID, diff)
	}
}

// Each write is lost once, before or after it took effect: a person who tries again ends where
// one ends who lost nothing, and so does who tries all of it twice.
func TestAppWrites(t *testing.T) {
	for name, o := range map[string]msgraphtest.Options{
		"well": {}, "late": {Apps: msgraphtest.Registration{Object: 40 * time.Second}}, "empty pages": {Paging: msgraphtest.Paging{EmptyPageChance: 1}},
	} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " after=", after), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					graph, client := administrator(t, o)
					var app directory.App
					for range 2 {
						for _, s := range steps {
							remove := graph.server.Inject(msgraphtest.Fault{Reset: true, After: after, Times: 1, Match: writes})
							first := s.do(t.Context(), client, &app)
							if e, ok := errors.AsType[*directory.Error](first); first != nil && (!ok || e.NotDone) {
								t.Errorf("%s: %v", s.name, first)
							}
							remove()
							if err := s.do(t.Context(), client, &app); err != nil {
								t.Errorf("%s: %v, after %v", s.name, err, first)
							}
						}
					}
					sameApp(t, client, wholeApp)
					remove := graph.server.Inject(msgraphtest.Fault{Reset: true, After: after, Times: 1, Match: writes})
					_ = client.DeleteApp(t.Context(), app)
					remove()
					for range 2 {
						if err := client.DeleteApp(t.Context(), app); err != nil {
							t.Error(err)
						}
					}
					if _, err := client.App(t.Context(), uniqueName); !errors.Is(err, directory.ErrNoApp) {
						t.Errorf("deleted: %v", err)
					}
					if again, err := client.EnsureApp(t.Context(), wantedApp); err != nil || again.ClientID == app.ClientID {
						t.Errorf("made anew: %v", err)
					}
				})
			})
		}
	}
}

// writes are the requests that change something.
func writes(r msgraphtest.Request) bool { return r.Method != http.MethodGet && !r.Token }

// Throttling is waited out, and nothing is done twice.
func TestAppThrottled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, client := administrator(t, msgraphtest.Options{})
		var app directory.App
		for _, s := range steps {
			graph.server.Inject(msgraphtest.Fault{Status: http.StatusTooManyRequests, RetryAfter: 10 * time.Second, Times: 2, Match: writes})
			if err := s.do(t.Context(), client, &app); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		}
		sameApp(t, client, wholeApp)
	})
}

// A secret and a certificate sign in, with what was granted, until they are removed.
func TestAppCredentials(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, client := administrator(t, msgraphtest.Options{Apps: msgraphtest.Registration{Object: 20 * time.Second}})
		app, err := client.EnsureApp(t.Context(), wantedApp)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Grant(t.Context(), app, "User.Read.All"); err != nil {
			t.Fatal(err)
		}
		keyID, text, err := client.AddPassword(t.Context(), app, "one", time.Now().Add(24*time.Hour))
		if err != nil || text.Reveal() == "" {
			t.Fatal(err)
		}
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		certificates := make([]*x509.Certificate, 2)
		for i := range certificates {
			certificates[i] = x509test.Issue(t, x509test.Template(fmt.Sprint(i), time.Now(), time.Now().Add(24*time.Hour)), key, nil, nil)
			for range 2 {
				if err := client.AddCertificate(t.Context(), app, fmt.Sprint(i), certificates[i].Raw); err != nil {
					t.Fatal(err)
				}
			}
		}
		of := func(auth msgraph.Auth) msgraph.Options {
			return msgraph.Options{Cloud: msgraph.Clouds()[0], TenantID: tenantID, ClientID: app.ClientID, Transport: graph.server, Auth: auth}
		}
		bySecret := of(msgraph.Auth{ClientSecret: func(context.Context, bool) (string, error) { return text.Reveal(), nil }})
		byCertificate := of(msgraph.Auth{Certificate: func(context.Context, bool) ([]*x509.Certificate, crypto.Signer, error) {
			return certificates[1:], key, nil
		}})
		for _, o := range []msgraph.Options{bySecret, byCertificate} {
			if err := ask.SignIn(t.Context(), o); err != nil {
				t.Error(err)
			}
			if users, err := clientOf(t, o).FindUsers(t.Context(), []string{userID(0)}); err != nil || users[0].Err != nil {
				t.Errorf("%v, %+v", err, users)
			}
		}
		app, err = client.App(t.Context(), uniqueName)
		if err != nil || len(app.Credentials) != 3 || app.Credentials[0].KeyID != keyID || !app.Credentials[2].Certificate || app.Credentials[2].Name != "1" {
			t.Fatalf("%+v, %v", app.Credentials, err)
		}
		for range 2 {
			if err := errors.Join(client.RemovePassword(t.Context(), app, keyID), client.RemoveCertificate(t.Context(), app, app.Credentials[2].KeyID)); err != nil {
				t.Error(err)
			}
		}
		if got := codeOf(t, ask.SignIn(t.Context(), bySecret)); got != "AADSTS7000215" {
			t.Errorf("removed secret: %s", got)
		}
		if got := codeOf(t, ask.SignIn(t.Context(), byCertificate)); got != "AADSTS700027" {
			t.Errorf("removed certificate: %s", got)
		}
		if app, err = client.App(t.Context(), uniqueName); err != nil || len(app.Credentials) != 1 || app.Credentials[0].Name != "0" {
			t.Errorf("%+v, %v", app.Credentials, err)
		}
	})
}

// What cannot be done is told by its cause, and at once.
func TestAppRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, client := administrator(t, msgraphtest.Options{})
		app, err := client.EnsureApp(t.Context(), wantedApp)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		refused := func(what string, err, want error) {
			t.Helper()
			if graphError(t, err); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		refused("role", client.Grant(t.Context(), app, "User.Everything"), directory.ErrNoRole)
		for i := range directory.MaxFederated {
			f := trusted
			f.Name, f.Subject = fmt.Sprint("n", i), fmt.Sprint("s", i)
			if err := client.Trust(t.Context(), app, f); err != nil {
				t.Fatal(err)
			}
		}
		refused("the 21st", client.Trust(t.Context(), app, trusted), directory.ErrMaxFederated)
		twin := trusted
		twin.Subject = "s1"
		refused("a twin", client.Trust(t.Context(), app, twin), directory.ErrTrusted)
		graph.tenant.SetOffice(userID(0), msgraphtest.ApplicationAdministrator)
		if got := ask.MissingRight(client.Grant(t.Context(), app, "User.Read.All")); got != ask.ManageRoles {
			t.Errorf("Application Administrator lacks %q", got)
		}
		graph.server.Inject(msgraphtest.Fault{Status: http.StatusInternalServerError, Match: func(r msgraphtest.Request) bool {
			return r.Method == http.MethodDelete && strings.Contains(r.Path, "deletedItems")
		}})
		if err := client.DeleteApp(t.Context(), app); graphError(t, err).StatusCode != http.StatusInternalServerError {
			t.Error(err)
		}
		for id, want := range map[string]bool{app.ClientID: true, userID(0): false} {
			if is, err := client.Deleted(t.Context(), id); is != want || err != nil {
				t.Errorf("%s is deleted: %t, %v", id, is, err)
			}
		}
		_, err = client.EnsureApp(t.Context(), wantedApp)
		refused("deleted, not purged", err, directory.ErrDeletedApp)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// A token of another issuer that nobody trusts tells what Entra knows of its issuer.
func TestExchange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph, client := administrator(t, msgraphtest.Options{Apps: msgraphtest.Registration{Issuer: 10 * time.Minute}})
		app, err := client.EnsureApp(t.Context(), wantedApp)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": issuer, "sub": "a person", "aud": trusted.Audience}).SignedString([]byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		exchange := func() string {
			return codeOf(t, ask.Exchange(t.Context(), msgraph.Clouds()[0], graph.server, tenantID, app.ClientID, token))
		}
		none := exchange()
		if err := client.Trust(t.Context(), app, trusted); err != nil {
			t.Fatal(err)
		}
		early := exchange()
		time.Sleep(10 * time.Minute)
		if known := exchange(); none != "AADSTS70025" || early != "AADSTS700211" || known != "AADSTS700213" {
			t.Errorf("codes %s, %s, %s", none, early, known)
		}
	})
}
