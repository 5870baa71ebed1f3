package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
)

// The ways to sign in. Without one the environment decides: who has set variables for an
// app means the app, and everybody else has a browser.
const (
	byBrowser     = "browser"
	byDevice      = "device"
	byAzureCLI    = "az"
	byEnvironment = "env"
)

var signIns = []string{byBrowser, byDevice, byAzureCLI, byEnvironment}

// The variables by which azidentity lets a program sign in.
const (
	tenantVariable      = "AZURE_TENANT_ID"
	clientVariable      = "AZURE_CLIENT_ID"
	secretVariable      = "AZURE_CLIENT_SECRET" //nolint:gosec // a name, and no secret
	certificateVariable = "AZURE_CLIENT_CERTIFICATE_PATH"
	tokenVariable       = "AZURE_FEDERATED_TOKEN_FILE"
)

// The permissions that verbs ask a person for, in Graph's names.
const (
	readUsers   = "User.Read.All"
	readOneself = "User.Read" // and the tenant's name: https://learn.microsoft.com/graph/api/organization-list
	readDomains = "Domain.Read.All"
	readMembers = "GroupMember.Read.All"
	revoke      = "User.RevokeSessions.All"
)

// readMe is what [call.introduce] needs, unless it may read all users.
const readMe = "User.Read"

// What evidence needs besides, where --all-rights asks for it.
var readEvidence = []string{
	"Domain-InternalFederation.Read.All", "Policy.Read.All", "Policy.Read.ConditionalAccess",
	"AuditLog.Read.All", "IdentityRiskyUser.Read.All",
}

// A tenant is one to which somebody has signed in.
type tenant struct {
	*ask.Client
	// id is the tenant's, a lower-case GUID.
	id string
	// as says who signed in, and how.
	as string
	// person is their object id, "" for an app.
	person string
	// seen is told how many users were read, as they come; nil: nobody is.
	seen func(users int)
}

// UserPage is the client's, and counts.
func (t tenant) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	page, err := t.Client.UserPage(ctx, next)
	if t.seen != nil {
		t.seen(len(page.Users))
	}
	return page, err
}

// signIn opens the tenant. A person signs in now, and is asked for these permissions; an
// app has those that it was given.
func (c *call) signIn(ctx context.Context, permissions ...string) (t tenant, err error) {
	if !slices.Contains(permissions, readUsers) {
		permissions = append(slices.Clip(permissions), readMe)
	}
	way := c.signInBy
	if way == "" {
		way = c.usualWay()
	}
	if !slices.Contains(permissions, readUsers) {
		permissions = append(permissions, readOneself)
	}
	options, err := c.options(way, permissions)
	if err != nil {
		return t, err
	}
	if options.Cloud, err = msgraph.CloudByName(c.cloud); err != nil {
		return t, err
	}
	if t.Client, err = ask.New(options); err != nil {
		return t, err
	}
	if t.id = options.TenantID; c.demo || way == byEnvironment {
		t.as = c.say("signed_in.env", options.ClientID)
		if c.demo {
			t.as = c.say("signed_in.demo")
		}
		return t, nil
	}
	return t, unconsented(c.introduce(ctx, &t, way), permissions)
}

// unconsented says of a consent to manage apps, which nobody should give for everybody, that it
// is for the person alone.
func unconsented(err error, permissions []string) error {
	if err == nil || !slices.Contains(permissions, ask.ManageApps) {
		return err
	}
	if t := worded(err); t.key == "fail.consent" {
		return failure(err, "fail.consent_apps", t.args...)
	}
	return err
}

// introduce finds out who has signed in, and to which tenant.
func (c *call) introduce(ctx context.Context, t *tenant, way string) error {
	organization, err := t.Organization(ctx)
	if err != nil {
		return err
	}
	t.id = organization.ID
	t.as = organization.DisplayName
	if me, err := t.Me(ctx); err == nil { // an app may hold the session of az
		t.as, t.person = me.UserPrincipalName, me.ID
	}
	t.as = c.say(language.Key("signed_in."+way), t.as)
	return nil
}

func (c *call) usualWay() string {
	for _, name := range []string{secretVariable, certificateVariable, tokenVariable} {
		if c.Env(name) != "" {
			return byEnvironment
		}
	}
	return byBrowser
}

// options return what signs in.
func (c *call) options(way string, permissions []string) (o msgraph.Options, err error) {
	o.Transport = c.Transport
	if c.demo {
		o.TenantID, o.ClientID, o.Transport = demo.TenantID, demo.ClientID, c.emulated().Transport()
		o.Auth.ClientSecret = always(demo.Secret)
		return o, nil
	}
	if o.TenantID, err = c.tenantOfEnvironment(); err != nil {
		return o, err
	}
	o.ClientID = c.clientID
	switch way {
	case byBrowser:
		o.Auth = ask.Browser(permissions...)
		_, _ = fmt.Fprintln(c.Stderr, c.Err.Paint(screen.Faint, c.say("browser")))
	case byDevice:
		o.Auth = ask.DeviceCode(c.showCode, permissions...)
	case byAzureCLI:
		o.Auth = ask.AzureCLI()
	case byEnvironment:
		return c.appOfEnvironment(o)
	}
	return o, nil
}

// tenantOfEnvironment returns the tenant that --tenant or the environment names, "" for
// the person's own.
func (c *call) tenantOfEnvironment() (string, error) {
	id, from := strings.ToLower(c.tenantID), "--tenant"
	if id == "" {
		id, from = strings.ToLower(c.Env(tenantVariable)), tenantVariable
	}
	if id != "" && !directory.IsID(id) {
		return "", misuse("use.no_guid", from)
	}
	return id, nil
}

func (c *call) appOfEnvironment(o msgraph.Options) (msgraph.Options, error) {
	if o.ClientID == "" {
		o.ClientID = strings.ToLower(c.Env(clientVariable))
	}
	var unset []string
	if o.TenantID == "" {
		unset = append(unset, tenantVariable)
	}
	if o.ClientID == "" {
		unset = append(unset, clientVariable)
	}
	if c.usualWay() != byEnvironment {
		unset = append(unset, secretVariable)
	}
	switch {
	case len(unset) > 0:
		return o, misuse("use.environment", strings.Join(unset, ", "))
	case !directory.IsID(o.ClientID):
		return o, misuse("use.no_guid", clientVariable)
	}
	if name := c.missingFile(); name != "" {
		return o, misuse("use.certificate", name)
	}
	o.Auth = ask.Environment(func(name string) string {
		switch name {
		case tenantVariable:
			return o.TenantID
		case clientVariable:
			return o.ClientID
		}
		return c.Env(name)
	})
	return o, nil
}

// missingFile returns the variable that names no file, "" if none does.
func (c *call) missingFile() string {
	for _, name := range []string{certificateVariable, tokenVariable} {
		path := c.Env(name)
		if info, err := os.Stat(path); path != "" && (err != nil || info.IsDir()) {
			return name
		}
	}
	return ""
}

// showCode tells the person what to do on any device.
func (c *call) showCode(_ context.Context, code ask.Code) error {
	_, err := fmt.Fprintln(c.Stderr, c.Err.Paint(screen.Strong, screen.Clean(c.say("device", code.URL, code.UserCode))))
	return err
}

func always(secret string) func(context.Context, bool) (string, error) {
	return func(context.Context, bool) (string, error) { return secret, nil }
}
