package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

// unset takes variables away from the environment of the person's machine.
func (p *patient) unset(prefix string) (undo func()) {
	before := p.desk.env
	p.desk.env = slices.DeleteFunc(slices.Clone(before), func(v string) bool { return strings.HasPrefix(v, prefix) })
	return func() { p.desk.env = before }
}

// file is the person's local file of the tenant.
func (p *patient) file() string {
	folder := filepath.Join(p.desk.home, ".local", "state", "sessionstamp")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		p.t.Fatal(err)
	}
	return filepath.Join(folder, p.graph.tenant.ID()+".db")
}

var machineFaults = []fault{
	{name: "the clock is 20 minutes slow", id: "clock_off", make: func(p *patient) func() {
		p.graph.SetDate(20*time.Minute + 30*time.Second)
		return func() { p.graph.SetDate(0) }
	}},
	{name: "SAM is not installed", id: "sam_missing", make: func(p *patient) func() {
		sam := filepath.Join(p.desk.bin, "sam")
		_ = os.Rename(sam, sam+"-away")
		return func() { _ = os.Rename(sam+"-away", sam) }
	}},
	{name: "the local file is damaged", id: "file_unreadable", make: func(p *patient) func() {
		file := p.file()
		if err := os.WriteFile(file, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
			p.t.Fatal(err)
		}
		return func() { _ = os.Remove(file) }
	}},
	{name: "another sessionstamp uses the local file", id: "file_locked", make: (*patient).locked},
	{name: "no region is named", id: "region_unknown", make: func(p *patient) func() {
		region, usual := p.unset("AWS_REGION="), p.unset("AWS_DEFAULT_REGION=")
		return func() { usual(); region() }
	}},
	{name: "there is no such profile", id: "profile_unknown", make: func(p *patient) func() {
		p.args = []string{"--profile", "nobody"}
		return func() { p.args = nil }
	}},
	{name: "nobody is signed in to AWS", id: "credentials_missing", make: func(p *patient) func() { return p.unset("AWS_ACCESS_KEY_ID=") }},
	{name: "AWS does not know the access key", id: "credentials_invalid", make: func(p *patient) func() {
		undo := p.unset("AWS_ACCESS_KEY_ID=")
		p.desk.env = append(p.desk.env, "AWS_ACCESS_KEY_ID=AKIASOMEBODYELSES000")
		return undo
	}},
	{name: "the session of AWS has ended", id: "credentials_expired", make: func(p *patient) func() {
		p.aws.Expire(person)
		return func() { p.aws.AccessKey(person) }
	}},
}

// another makes an app by which no function can sign in, and has the stack use it as its
// reader.
func (p *patient) another() (object, func()) {
	app := p.administer("PATCH", "/applications(uniqueName='"+uuid.NewString()+"')", object{"displayName": "another"})
	return app, p.parameter("ClientId", app["appId"].(string))
}

// enable lets a service principal get tokens, or not.
func enable(p *patient, app func(*graph) *msgraphtest.App, on bool) {
	p.administer("PATCH", "/servicePrincipals(appId='"+app(p.graph).ID()+"')", object{"accountEnabled": on})
}

// password gives the reader a client secret for some days.
func (p *patient) password(name string, days int) (undo func()) {
	app := "/applications(appId='" + p.graph.reader.ID() + "')/"
	key := p.administer("POST", app+"addPassword", object{"passwordCredential": object{"displayName": name, "endDateTime": time.Now().AddDate(0, 0, days)}})["keyId"]
	return func() { p.administer("POST", app+"removePassword", object{"keyId": key}) }
}

// certificate gives the reader a certificate of ours.
func (p *patient) certificate() (undo func()) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	now := time.Now()
	certificate := x509test.Issue(p.t, x509test.Template("sessionstamp", now, now.AddDate(0, 0, 90)), key, nil, nil)
	p.administer("PATCH", "/applications(appId='"+p.graph.reader.ID()+"')", object{"keyCredentials": []any{
		object{"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "sessionstamp", "key": base64.StdEncoding.EncodeToString(certificate.Raw)},
	}})
	return nil // it is mended
}

// storing has the stack sign in as one app by a stored secret.
func (p *patient) storing() (undo func()) {
	undos := []func(){
		permitted(theReader, func(before []string) []string { return append(slices.Clone(before), "User.RevokeSessions.All") })(p),
		p.parameter("AuthMode", "client-secret"), p.parameter("StamperClientId", ""), p.parameter("CredentialSecretArn", p.stack.ref("ClientStateSecret")),
	}
	return func() {
		for _, undo := range undos {
			undo()
		}
	}
}

// excludes has the stack exclude other groups.
func (p *patient) excludes(group string) func() { return p.parameter("ExcludedGroups", group) }

var entraFaults = []fault{
	{name: "the reader app is gone", id: "app_missing", make: func(p *patient) func() { return p.parameter("ClientId", uuid.NewString()) }},
	{name: "the reader app was deleted", id: "app_deleted", make: func(p *patient) func() {
		app, undo := p.another()
		p.administer("DELETE", "/applications/"+app["id"].(string), nil)
		return undo
	}},
	{name: "the reader app has no service principal", id: "principal_missing", also: []string{"resolver_untrusted", "trust_missing", "trust_missing"}, make: func(p *patient) func() {
		_, undo := p.another()
		return undo
	}},
	{name: "the stamper app is disabled", id: "app_disabled", make: func(p *patient) func() {
		enable(p, theStamper, false)
		return func() { enable(p, theStamper, true) }
	}},
	{name: "the person is signed in to another tenant", id: "tenant_mismatch", make: func(p *patient) func() {
		before := p.doctor
		p.doctor = p.signIn(p.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{{Name: "fabrikam.example", Federated: true}}}), examining...)
		return func() { p.doctor = before }
	}},
	{name: "no domain is federated any more", id: "no_federated_domain", make: func(p *patient) func() {
		p.graph.tenant.SetFederated(federated, false)
		return func() { p.graph.tenant.SetFederated(federated, true) }
	}},
	{name: "a named domain is not the tenant's", id: "named_domain_unknown", make: func(p *patient) func() {
		return p.parameter("FederatedDomains", federated+",fabrikam.example")
	}},
	{name: "an excluded user is not there", id: "excluded_user_unknown", make: func(p *patient) func() { return p.parameter("ExcludedUsers", p.spared+","+aGUID) }},
	{name: "an excluded group is not there", id: "excluded_group_unknown", make: func(p *patient) func() { return p.excludes(p.group + "," + aGUID) }},
	{name: "an excluded group is empty", id: "excluded_group_empty", make: func(p *patient) func() {
		p.graph.tenant.AddGroup(groupID("empty"))
		return p.excludes(groupID("empty"))
	}},
	{name: "an excluded group hides its members", id: "group_hidden", make: func(p *patient) func() {
		p.graph.tenant.SetGroup(p.group, "hidden", true)
		return func() { p.graph.tenant.SetGroup(p.group, "shown", false) }
	}},
	{name: "a new user was left without a stamp", id: "new_users_lack_stamp", make: func(p *patient) func() {
		user := p.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "left@" + federated, Created: time.Now().Add(-5 * time.Hour)})
		return func() { p.administer("DELETE", "/users/"+user, nil) }
	}},
	{name: "an old secret of ours is in an app that needs none", id: "credential_orphaned", fixed: true,
		make: func(p *patient) func() { return p.password("sessionstamp", 90) }},
	{name: "an old certificate of ours is in an app that needs none", id: "credential_orphaned", fixed: true, make: (*patient).certificate},
	{name: "somebody owns the stamper app", id: "app_owned", fixed: true, make: func(p *patient) func() {
		p.graph.stamper.AddOwner(p.spared)
		return nil // it is mended
	}},
	{name: "somebody's secret is in an app that needs none", id: "credential_needless", make: func(p *patient) func() { return p.password("a test", 90) }},
	{name: "no secret is in an app that needs one", id: "credential_none", make: (*patient).storing},
	{name: "the secret ends in ten days", id: "credential_ends", make: func(p *patient) func() {
		mode, password := p.storing(), p.password("sessionstamp", 10)
		return func() { password(); mode() }
	}},
}

// permitted gives an app other permissions.
func permitted(app func(*graph) *msgraphtest.App, change func([]string) []string) func(*patient) func() {
	return func(p *patient) func() {
		a := app(p.graph)
		before := a.SetPermissions()
		a.SetPermissions(change(before)...)
		return func() { a.SetPermissions(before...) }
	}
}

func theReader(g *graph) *msgraphtest.App  { return g.reader }
func theStamper(g *graph) *msgraphtest.App { return g.stamper }

// permissionFaults withdraw each permission, and grant some that are not needed.
func permissionFaults() (all []fault) {
	apps := map[string]func(*graph) *msgraphtest.App{"reader": theReader, "stamper": theStamper}
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		app := apps[name]
		for _, permission := range append([]string{"GroupMember.Read.All"}, stamperPermissions...) {
			if name == "reader" && permission == "User.RevokeSessions.All" {
				continue
			}
			all = append(all, fault{name: "the " + name + " app lacks " + permission, id: "permission_missing", fixed: true,
				make: permitted(app, func(before []string) []string { return without(before, permission) })})
		}
		all = append(all, fault{name: "the " + name + " app may read the whole directory", id: "permission_beyond", fixed: true,
			make: permitted(app, func(before []string) []string { return append(slices.Clone(before), "Directory.Read.All") })})
	}
	return append(all, fault{name: "the reader app may revoke sessions", id: "reader_can_revoke", fixed: true,
		make: permitted(theReader, func(before []string) []string { return append(slices.Clone(before), "User.RevokeSessions.All") })})
}

// trusted changes the federated credentials of an app.
func trusted(app func(*graph) *msgraphtest.App, change func(all []msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential) func(*patient) func() {
	return func(p *patient) func() {
		a := app(p.graph)
		before := a.SetFederated()
		a.SetFederated(change(slices.Clone(before))...)
		return func() { a.SetFederated(before...) }
	}
}

// first changes the first of them.
func first(change func(*msgraphtest.FederatedCredential)) func([]msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential {
	return func(all []msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential {
		change(&all[0])
		return all
	}
}

// elsewhere is another account's issuer.
const elsewhere = "https://00000000-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"

// moved has all trust another issuer.
func moved(all []msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential {
	for i := range all {
		all[i].Issuer = elsewhere
	}
	return all
}

var trustFaults = []fault{
	{name: "the stamper app trusts nobody", id: "trust_missing", fixed: true,
		make: trusted(theStamper, func([]msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential { return nil })},
	{name: "the resolver is not trusted yet", id: "resolver_untrusted", fixed: true,
		make: trusted(theReader, func(all []msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential {
			return slices.DeleteFunc(slices.Clone(all), func(f msgraphtest.FederatedCredential) bool { return strings.Contains(f.Subject, "-resolver-") })
		})},
	{name: "the keeper is trusted by another account's issuer", id: "trust_wrong_issuer", fixed: true,
		make: trusted(theReader, first(func(f *msgraphtest.FederatedCredential) { f.Issuer = elsewhere }))},
	{name: "the issuer has changed for all", id: "issuer_changed", fixed: true, make: func(p *patient) func() {
		reader, stamper := trusted(theReader, moved)(p), trusted(theStamper, moved)(p)
		return func() { reader(); stamper() }
	}},
	{name: "the role of another region is trusted", id: "trust_wrong_subject", fixed: true,
		make: trusted(theReader, first(func(f *msgraphtest.FederatedCredential) {
			f.Subject = strings.Replace(f.Subject, "eu-central-1", "us-east-1", 1)
		}))},
	{name: "tokens for another audience are trusted", id: "trust_wrong_audience", fixed: true,
		make: trusted(theStamper, first(func(f *msgraphtest.FederatedCredential) { f.Audience = "api://elsewhere" }))},
	{name: "a stranger is trusted", id: "trust_stranger", fixed: true,
		make: trusted(theStamper, func(all []msgraphtest.FederatedCredential) []msgraphtest.FederatedCredential {
			return append(all, msgraphtest.FederatedCredential{Name: "ci", Issuer: "https://token.actions.githubusercontent.com", Subject: "repo:someone/else:ref:refs/heads/main"})
		})},
}

// locked holds the local file as another process does.
func (p *patient) locked() (undo func()) {
	file, err := bolt.Open(p.ctx, filepath.Dir(p.file()), p.graph.tenant.ID())
	if err != nil {
		p.t.Fatal(err)
	}
	return func() { _ = file.Close() }
}
