package msgraphtest

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const (
	testObject  = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
	otherApp    = "aaaaaaaa-b3c1-4479-ba74-197b5c5751ae"
	otherObject = "bbbbbbbb-b3c1-4479-ba74-197b5c5751ae"
)

// newKeeper makes a world whose app looks after its own registration.
func newKeeper(t *testing.T, o Options, change func(*AppOptions)) *world {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	tenant := s.AddTenant(TenantOptions{ID: testTenant})
	options := AppOptions{ID: testApp, ObjectID: testObject, DisplayName: "sessionstamp",
		Permissions: []string{applicationsOwned}, Secrets: []Secret{{Text: testSecret}}}
	if change != nil {
		change(&options)
	}
	app := tenant.AddApp(options)
	tenant.AddApp(AppOptions{ID: otherApp, ObjectID: otherObject})
	return &world{Server: s, t: t, tenant: tenant, app: app}
}

func TestWhoMayTouchApplications(t *testing.T) {
	t.Parallel()
	own, other := "/applications/"+testObject, "/applications/"+otherObject
	roles := func(permissions ...string) func(*AppOptions) {
		return func(o *AppOptions) { o.Permissions = permissions }
	}
	tests := []struct {
		name         string
		change       func(*AppOptions)
		method, path string
		status       int
		code         string
	}{
		{"own", nil, "GET", own, 200, ""},
		{"own by client id", nil, "GET", "/applications(appId='" + testApp + "')", 200, ""},
		{"client id for object id", nil, "GET", "/applications/" + testApp, 404, "Request_ResourceNotFound"},
		{"object id for client id", nil, "GET", "/applications(appId='" + testObject + "')", 404, "Request_ResourceNotFound"},
		{"another's", nil, "GET", other, 403, "Authorization_RequestDenied"},
		{"another's with Read.All", roles(applicationsRead), "GET", other, 200, ""},
		{"own, not its owner", func(o *AppOptions) { o.NotOwner = true }, "GET", own, 403, "Authorization_RequestDenied"},
		{"no permission", roles(), "GET", own, 403, "Authorization_RequestDenied"},
		{"add to own", nil, "POST", own + "/addPassword", 200, ""},
		{"add to own, not its owner", func(o *AppOptions) { o.NotOwner = true }, "POST", own + "/addPassword", 403, "Authorization_RequestDenied"},
		{"add with Read.All", roles(applicationsRead), "POST", own + "/addPassword", 403, "Authorization_RequestDenied"},
		{"add to another's", nil, "POST", other + "/addPassword", 403, "Authorization_RequestDenied"},
		{"add to another's with ReadWrite.All", roles(applicationsWrite), "POST", other + "/addPassword", 200, ""},
		{"delete", nil, "DELETE", own, 405, "Request_BadRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newKeeper(t, Options{}, test.change)
			body := ""
			if test.method == "POST" {
				body = "{}"
			}
			w.want(w.call(test.method, test.path, body), test.status, test.code)
		})
	}
}

// The certificate itself is shown to those who ask for it.
func TestSelectKeys(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newKeeper(t, Options{Now: at.now}, nil)
	cert := certify(t, rsaKeys()[0], at.at)
	w.app.AddCertificate(cert.Raw)
	for query, want := range map[string]string{
		"": "", "?$select=id": "", "?$select=id,passwordCredentials,keyCredentials": string(cert.Raw),
	} {
		var got applicationJSON
		if err := json.Unmarshal(w.call("GET", "/applications/"+testObject+query, "").body, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.KeyCredentials) != 1 || string(got.KeyCredentials[0].Key) != want {
			t.Errorf("%q: keys %+v", query, got.KeyCredentials)
		}
	}
}

func TestListApplications(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role, filter string
		want         []string
	}{
		"own":               {applicationsOwned, "", []string{testApp}},
		"all":               {applicationsRead, "", []string{testApp, otherApp}},
		"filtered":          {applicationsRead, "appId eq '" + otherApp + "'", []string{otherApp}},
		"filtered, not own": {applicationsOwned, "appId eq '" + otherApp + "'", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newKeeper(t, Options{}, func(o *AppOptions) { o.Permissions = []string{test.role} })
			req := w.request("GET", "/applications", "")
			if test.filter != "" {
				req.URL.RawQuery = "$filter=" + strings.ReplaceAll(test.filter, " ", "+")
			}
			var got struct{ Value []applicationJSON }
			if err := json.Unmarshal(w.send(req).body, &got); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, a := range got.Value {
				ids = append(ids, a.AppID)
			}
			if diff := cmp.Diff(test.want, ids); diff != "" {
				t.Errorf("apps (-want +got):\n%s", diff)
			}
		})
	}
	w := newKeeper(t, Options{}, nil)
	w.want(w.call("GET", "/applications?$filter=displayName+eq+'x'", ""), 400, "Request_UnsupportedQuery")
}

func TestRotateSecret(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newKeeper(t, Options{Now: at.now, CredentialLag: time.Minute}, nil)
	own := "/applications/" + w.app.ObjectID()
	r := w.call("POST", own+"/addPassword", `{"passwordCredential":{"displayName":"second"}}`)
	w.want(r, 200, "")
	var added credentialJSON
	if err := json.Unmarshal(r.body, &added); err != nil {
		t.Fatal(err)
	}
	if n := len(*added.SecretText); n < 16 || n > 64 || !added.End.Equal(at.at.AddDate(2, 0, 0)) {
		t.Errorf("secret of %d characters until %s", n, added.End)
	}
	if got := w.call("GET", own, ""); strings.Contains(string(got.body), *added.SecretText) {
		t.Error("the secret was shown again")
	}
	form := secretForm("client_secret", *added.SecretText)
	w.want(w.postForm(tokenURL, form), 401, "7000215")
	at.advance(time.Minute)
	w.want(w.postForm(tokenURL, form), 200, "")

	w.want(w.call("POST", own+"/removePassword", `{"keyId":"`+added.KeyID+`"}`), 204, "")
	w.want(w.postForm(tokenURL, form), 401, "7000215")
	w.want(w.call("POST", own+"/removePassword", `{"keyId":"`+added.KeyID+`"}`), 400, "Request_BadRequest")
	w.want(w.call("POST", own+"/addPassword", `nonsense`), 400, "Request_BadRequest")
	w.want(w.call("POST", own+"/addPassword", `{"passwordCredential":{"endDateTime":"2020-01-01T00:00:00Z"}}`), 400, "Request_BadRequest")
}

func TestRollCertificate(t *testing.T) {
	t.Parallel()
	at := newClock()
	keys := rsaKeys()
	cert := certify(t, keys[0], at.at.Add(-time.Hour))
	next := base64.StdEncoding.EncodeToString(certify(t, keys[1], at.at.Add(-time.Hour)).Raw)
	tests := []struct {
		name   string
		change func(*assertion)
		key    string
		status int
		code   string
	}{
		{"good", func(*assertion) {}, next, 200, ""},
		{"proof of another key", func(a *assertion) { a.key = keys[1] }, next, 401, "Authentication_MissingOrMalformed"},
		{"proof by client id", func(a *assertion) { a.claims["iss"] = testApp }, next, 401, "Authentication_MissingOrMalformed"},
		{"proof for Graph", func(a *assertion) { a.claims["aud"] = "https://graph.microsoft.com" }, next, 401, "Authentication_MissingOrMalformed"},
		{"proof for too long", func(a *assertion) { a.claims["exp"] = at.at.Add(11 * time.Minute).Unix() }, next, 401, "Authentication_MissingOrMalformed"},
		{"proof expired", func(a *assertion) { a.claims["exp"] = at.at.Unix() }, next, 401, "Authentication_MissingOrMalformed"},
		{"no certificate", func(*assertion) {}, "AAAA", 400, "Request_BadRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newKeeper(t, Options{Now: at.now}, func(o *AppOptions) {
				o.Permissions, o.Certificates = nil, [][]byte{cert.Raw}
			})
			proof := assertion{method: jwt.SigningMethodRS256, key: keys[0], claims: jwt.MapClaims{
				"aud": proofAudience, "iss": testObject, "nbf": at.at.Unix(), "exp": at.at.Add(proofLife).Unix()}}
			test.change(&proof)
			signed := proof.sign(t)
			w.want(w.call("POST", "/applications/"+testObject+"/addKey", fmt.Sprintf(
				`{"keyCredential":{"type":"AsymmetricX509Cert","usage":"Verify","key":%q},"proof":%q}`, test.key, signed)),
				test.status, test.code)
		})
	}
}

// A certificate that was just added proves nothing yet.
func TestProofByNewCertificate(t *testing.T) {
	t.Parallel()
	at := newClock()
	keys := rsaKeys()
	w := newKeeper(t, Options{Now: at.now, CredentialLag: time.Minute}, func(o *AppOptions) {
		o.Certificates = [][]byte{certify(t, keys[0], at.at.Add(-time.Hour)).Raw}
	})
	next := base64.StdEncoding.EncodeToString(certify(t, keys[1], at.at.Add(-time.Hour)).Raw)
	add := func(key *rsa.PrivateKey) response {
		proof := assertion{method: jwt.SigningMethodRS256, key: key, claims: jwt.MapClaims{
			"aud": proofAudience, "iss": testObject, "nbf": at.at.Unix(), "exp": at.at.Add(proofLife).Unix()}}.sign(t)
		return w.call("POST", "/applications/"+testObject+"/addKey", fmt.Sprintf(
			`{"keyCredential":{"type":"AsymmetricX509Cert","usage":"Verify","key":%q},"proof":%q}`, next, proof))
	}
	w.want(add(keys[0]), 200, "")
	w.want(add(keys[1]), 401, "Authentication_MissingOrMalformed")
	at.advance(time.Minute)
	w.want(add(keys[1]), 200, "")
}

func TestRemoveKey(t *testing.T) {
	t.Parallel()
	at := newClock()
	key := rsaKeys()[0]
	w := newKeeper(t, Options{Now: at.now}, func(o *AppOptions) {
		o.Certificates = [][]byte{certify(t, key, at.at.Add(-time.Hour)).Raw}
	})
	proof := assertion{method: jwt.SigningMethodRS256, key: key, claims: jwt.MapClaims{
		"aud": proofAudience, "iss": testObject, "nbf": at.at.Unix(), "exp": at.at.Add(proofLife).Unix()}}.sign(t)
	var app applicationJSON
	if err := json.Unmarshal(w.call("GET", "/applications/"+testObject, "").body, &app); err != nil {
		t.Fatal(err)
	}
	remove := func(keyID, proof string) response {
		return w.call("POST", "/applications/"+testObject+"/removeKey", fmt.Sprintf(`{"keyId":%q,"proof":%q}`, keyID, proof))
	}
	w.want(remove(app.KeyCredentials[0].KeyID, "nonsense"), 401, "Authentication_MissingOrMalformed")
	w.want(remove(testUser, proof), 400, "Request_BadRequest")
	w.want(remove(app.KeyCredentials[0].KeyID, proof), 204, "")
	w.want(remove(app.KeyCredentials[0].KeyID, proof), 401, "Authentication_MissingOrMalformed")
}

func TestCreateFederatedRefusals(t *testing.T) {
	t.Parallel()
	good := federatedJSON{Name: "aws", Issuer: "https://issuer", Subject: "role", Audiences: []string{exchangeAudience}}
	tests := []struct {
		name   string
		change func(*federatedJSON)
		status int
		code   string
	}{
		{"good", func(f *federatedJSON) { f.Name, f.Subject = "second", "other" }, 201, ""},
		{"same name", func(f *federatedJSON) { f.Subject = "other" }, 409, "Request_MultipleObjectsWithSameKeyValue"},
		{"same issuer and subject", func(f *federatedJSON) { f.Name = "second" }, 409, "Request_MultipleObjectsWithSameKeyValue"},
		{"no name", func(f *federatedJSON) { f.Name = "" }, 400, "Request_BadRequest"},
		{"name for no URL", func(f *federatedJSON) { f.Name = "a b" }, 400, "Request_BadRequest"},
		{"long name", func(f *federatedJSON) { f.Name = strings.Repeat("a", 121) }, 400, "Request_BadRequest"},
		{"no audience", func(f *federatedJSON) { f.Audiences = nil }, 400, "Request_BadRequest"},
		{"two audiences", func(f *federatedJSON) { f.Audiences = []string{"a", "b"} }, 400, "Request_BadRequest"},
		{"no issuer", func(f *federatedJSON) { f.Issuer = "" }, 400, "Request_BadRequest"},
		{"long subject", func(f *federatedJSON) { f.Subject = strings.Repeat("a", 601) }, 400, "Request_BadRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newKeeper(t, Options{}, func(o *AppOptions) {
				o.Federated = []FederatedCredential{{Name: good.Name, Issuer: good.Issuer, Subject: good.Subject}}
			})
			asked := good
			test.change(&asked)
			body, err := json.Marshal(asked)
			if err != nil {
				t.Fatal(err)
			}
			w.want(w.call("POST", "/applications/"+testObject+"/federatedIdentityCredentials", string(body)), test.status, test.code)
		})
	}
}

func TestTwentyFederatedCredentials(t *testing.T) {
	t.Parallel()
	w := newKeeper(t, Options{}, func(o *AppOptions) {
		for i := range maxFederated {
			o.Federated = append(o.Federated, FederatedCredential{Name: fmt.Sprint(i), Issuer: "i", Subject: fmt.Sprint(i)})
		}
	})
	w.want(w.call("POST", "/applications/"+testObject+"/federatedIdentityCredentials",
		`{"name":"n","issuer":"i","subject":"s","audiences":["a"]}`), 400, "Request_BadRequest")
}

func TestFederatedCredentialLifeCycle(t *testing.T) {
	t.Parallel()
	at := newClock()
	key := rsaKeys()[0]
	w := newKeeper(t, Options{Now: at.now, CredentialLag: time.Minute}, nil)
	w.AddIssuer("https://issuer", map[string]crypto.PublicKey{"": key.Public()})
	all := "/applications(appId='" + testApp + "')/federatedIdentityCredentials"
	r := w.call("POST", all, `{"name":"aws","issuer":"https://issuer","subject":"role","description":"d","audiences":["`+exchangeAudience+`"]}`)
	w.want(r, 201, "")
	var added federatedJSON
	if err := json.Unmarshal(r.body, &added); err != nil || added.ID == "" {
		t.Fatalf("%v %s", err, r.body)
	}
	form := func() response {
		a := assertion{method: jwt.SigningMethodRS256, key: key, claims: jwt.MapClaims{
			"iss": "https://issuer", "sub": "role", "aud": exchangeAudience, "exp": at.at.Add(time.Hour).Unix()}}
		return w.postForm(tokenURL, secretForm(assertionForm(a.sign(t))...))
	}
	w.want(form(), 400, "70021")
	at.advance(time.Minute)
	w.want(form(), 200, "")

	w.want(w.call("GET", all, ""), 200, "")
	w.want(w.call("GET", all+"/aws", ""), 200, "")
	w.want(w.call("DELETE", all+"/"+added.ID, ""), 204, "")
	w.want(w.call("DELETE", all+"/"+added.ID, ""), 404, "Request_ResourceNotFound")
	w.want(w.call("GET", all+"/aws", ""), 404, "Request_ResourceNotFound")
	w.want(form(), 401, "70025")
}
