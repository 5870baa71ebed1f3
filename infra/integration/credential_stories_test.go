package integration

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// issuer is that of the account's tokens.
const issuer = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"

// withoutCredential are the parameters where nothing is stored for Entra.
var withoutCredential = map[string]string{"AuthMode": "web-identity", "CredentialSecretArn": ""}

// shortTokens is an Entra whose tokens are used once: whoever holds one signs in again
// for the next call.
var shortTokens = msgraphtest.Options{TokenLife: 5 * time.Minute}

// lateNews is such an Entra, which hears late of what was added.
var lateNews = msgraphtest.Options{TokenLife: shortTokens.TokenLife, CredentialLag: 5 * time.Second}

// clientSecretReplaced: the app's client secret is replaced again and again, while users
// come. Nobody ends the revoker that holds the first ones.
func clientSecretReplaced(w *world) {
	w.graph.app.Grant("Application.ReadWrite.OwnedBy")
	w.subscribe()
	w.poll()
	revoker := w.survivor("before")
	r := w.beginRotation("CredentialRotation")
	for _, step := range steps {
		w.must(r.step(step))
		revoker.stamps("during-"+step, 0)
		w.functions["KeeperFunction"].program.Close() // the next process reads the secret again
		w.schedule("KeeperSchedule")
	}
	first := w.credential()
	if days := time.Until(first.Expires).Hours() / 24; first.ClientSecret == secretText || days < 60 {
		w.t.Errorf("after the rotation the client secret is good for %.0f days, want another one, for longer than to the next", days)
	}
	w.graph.app.RemoveSecret(secretText) // whoever has made it by hand
	revoker.stamps("after-the-first", 1)
	w.replacedLate("CredentialRotation")
	if second := w.credential(); second.ClientSecret == first.ClientSecret {
		w.t.Error("the second rotation has replaced nothing")
	}
	revoker.stamps("after-the-second", 0)
	w.replacedLate("CredentialRotation") // now the first one is neither current nor previous
	w.logged("RotatorFunction", map[string]any{"step": "finishSecret", "removed": []string{first.KeyID}})
	revoker.stamps("after-the-third", 1)
	w.called("addPassword", 3)
	w.called("removePassword", 1)
	w.schedule("KeeperSchedule") // it holds the first one too
	w.measured("KeeperFunction", "DaysToCredentialExpiry")
	w.measured("RotatorFunction", "RotationFailed")
}

// clientStateReplaced: the subscription moves to the new clientState when every webhook
// knows it, and not before.
func clientStateReplaced(w *world) {
	w.subscribe()
	old := w.clientState()
	w.replaced("ClientStateRotation")
	now := w.clientState()
	if now == old || w.graph.tenant.Subscriptions()[0].ClientState != old {
		w.t.Fatal("right after the rotation, the subscription and the secret are not one behind the other")
	}
	user := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "mori@" + federated})
	w.post(w.notification(user, old))
	w.post(w.notification(user, now))
	if found := fmt.Sprint(w.schedule("KeeperSchedule")["found"]); found != "[healthy]" {
		w.t.Errorf("right after the rotation the keeper found %s, want all healthy", found)
	}
	if err := w.beginRotation("ClientStateRotation").all(); err == nil || !says(err.Error(), "still carries the previous clientState", "Wait for the keeper's next run") {
		w.t.Errorf("another rotation before that ends with %v, want that the keeper is waited for", err)
	}
	w.functions["KeeperFunction"].recorder.pass(secrets.SettleTime)
	w.schedule("KeeperSchedule")
	if subs := w.graph.tenant.Subscriptions(); len(subs) != 1 || subs[0].ClientState != now {
		w.t.Fatalf("the keeper has left %d subscriptions, want one with the new clientState", len(subs))
	}
	w.post(w.notification(user, now))
	if visible, _, _ := w.queued("NotificationQueue"); visible != "3" {
		w.t.Errorf("%s of 3 notifications were queued", visible)
	}
	w.replaced("ClientStateRotation")
}

// nothingStored: Entra takes the tokens that AWS gives the roles, and nothing else.
func nothingStored(w *world) {
	w.trustRoles()
	w.subscribe()
	w.poll()
	w.stamps("fujita")
	w.schedule("SweeperSchedule")
	for _, id := range []string{"RevokerFunction", "KeeperFunction", "SweeperFunction"} {
		w.checkTokens(w.functions[id])
	}
	if report, err := w.functions["KeeperFunction"].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		return slices.Contains(metricsOf(record), "SubscriptionHoursLeft")
	}); err != nil || slices.Contains(metricsOf(report), "DaysToCredentialExpiry") {
		w.t.Errorf("the keeper measures %v (%v), want no expiry of what is not stored", metricsOf(report), err)
	}
	w.replaced("ClientStateRotation")
}

// trustRoles does with the stack's outputs what an administrator does in Entra.
func (w *world) trustRoles() {
	w.t.Helper()
	w.graph.app.RemoveSecret(secretText)
	outputs, err := w.stack.Outputs()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, role := range []string{"Revoker", "Keeper", "Sweeper"} {
		w.graph.app.AddFederated(msgraphtest.FederatedCredential{
			Name: role, Issuer: issuer, Subject: outputs[role+"Subject"], Audience: outputs["TokenAudience"]})
	}
}

// checkTokens checks that a function has asked for tokens as its role's policy demands,
// and that this allows no other.
func (w *world) checkTokens(f *function) {
	w.t.Helper()
	statements := slices.DeleteFunc(slices.Clone(f.Policy), func(s templatetest.Statement) bool {
		return !slices.Contains(s.Actions, tokenAction)
	})
	if len(statements) != 1 {
		w.t.Fatalf("the %s has %d statements about %s, want one", f.Name, len(statements), tokenAction)
	}
	audience := statements[0].Conditions["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"]
	most := statements[0].Conditions["NumericLessThanEquals"]["sts:DurationSeconds"]
	if want := []string{strconv.Itoa(identity.Lifetime)}; !slices.Equal(most, want) {
		w.t.Errorf("the %s may ask for tokens for %q seconds, want %q", f.Name, most, want)
	}
	asked := f.sts.Requests()
	if len(asked) == 0 {
		w.t.Errorf("the %s has asked for no token", f.Name)
	}
	for _, request := range asked {
		if request.Seconds != identity.Lifetime || !slices.Equal(request.Audience, audience) || request.Algorithm != "RS256" {
			w.t.Errorf("the %s has asked for %+v, its role may ask for %q", f.Name, request, audience)
		}
	}
}

// setUpWithoutTrust: the administrator has forgotten AWS, and then Entra. CloudFormation
// is told what is missing.
func setUpWithoutTrust(w *world) {
	keeper := w.functions["KeeperFunction"]
	keeper.sts.Refuse(403, identity.CodeDisabled, "Outbound web identity federation is not enabled for this account.")
	if a := w.customResource("Create", nil); a.Status != "FAILED" || !says(a.Reason, "aws iam enable-outbound-web-identity-federation") {
		w.t.Errorf("CloudFormation was told %+v", a)
	}
	keeper.sts.Refuse(0, "", "")
	if a := w.customResource("Create", nil); a.Status != "FAILED" || !says(a.Reason, issuer, keeper.Role, "api://AzureADTokenExchange") {
		w.t.Errorf("CloudFormation was told %+v", a)
	}
	w.trustRoles()
	w.subscribe()
}

// certificateReplaced: the app signs in with a certificate, which is then replaced again
// and again. Graph adds and removes keys only for whoever proves to hold one.
func certificateReplaced(w *world) {
	stored, byHand := w.newCertificate()
	w.graph.app.RemoveSecret(secretText)
	w.graph.app.AddCertificate(byHand)
	w.graph.app.Grant("Application.ReadWrite.OwnedBy")
	w.must(w.cloud.call(w.ctx, "secretsmanager.PutSecretValue", map[string]string{
		"SecretId": w.given["CredentialSecretArn"], "SecretString": stored}, nil))
	w.subscribe()
	w.poll()
	revoker := w.survivor("before")
	w.replaced("CredentialRotation")
	first := w.certificate()
	revoker.stamps("after-the-first", 0)
	revoker = w.survivor("between") // which holds the first one
	w.replaced("CredentialRotation")
	second := w.certificate()
	revoker.stamps("after-the-second", 0)
	w.replaced("CredentialRotation") // now the first one is neither current nor previous
	third := w.certificate()
	revoker.stamps("after-the-third", 1)
	w.certificates(map[string][]byte{"by hand": byHand, "first": first, "second": second, "third": third}, "by hand", "second", "third")
	w.called("addKey", 3)
	w.called("removeKey", 1)
	w.schedule("SweeperSchedule")
	w.schedule("KeeperSchedule")
	w.measured("KeeperFunction", "DaysToCredentialExpiry")
}

// certificate is the certificate (DER) that is stored as current.
func (w *world) certificate() []byte {
	w.t.Helper()
	var stored struct{ Certificate string }
	w.must(json.Unmarshal([]byte(w.secret(w.given["CredentialSecretArn"])), &stored))
	block, rest := pem.Decode([]byte(stored.Certificate))
	if block == nil || len(rest) > 0 {
		w.t.Fatal("the secret does not hold one certificate in PEM")
	}
	return block.Bytes
}

// certificates checks which of the certificates that there have been are registered with
// the app, and that no others are.
func (w *world) certificates(known map[string][]byte, want ...string) {
	w.t.Helper()
	var got []string
	for _, der := range w.graph.app.Certificates() {
		name := "unknown"
		for each, of := range known {
			if bytes.Equal(der, of) {
				name = each
			}
		}
		got = append(got, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("the certificates of the app (-want +got):\n%s", diff)
	}
}

// newCertificate makes a certificate as a secret holds it, and in DER.
func (w *world) newCertificate() (stored string, der []byte) {
	w.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	template := x509test.Template("sessionstamp", time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
	certificate := x509test.Issue(w.t, template, key, nil, nil)
	return x509test.Stored(w.t, certificate, key), certificate.Raw
}

// stamps lets a user appear and waits for the stamp. It returns the user's id.
func (w *world) stamps(name string) (user string) {
	w.t.Helper()
	user = w.graph.newUser(name)
	w.logged("RevokerFunction", map[string]any{"message": "user handled", "user": user, "reason": "revoked"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the sessions of the user %s were revoked %d times, want once", name, n)
	}
	return user
}

// credential is the client secret that is stored as current.
func (w *world) credential() (c struct {
	ClientSecret string    `json:"clientSecret"`
	KeyID        string    `json:"keyId"`
	Expires      time.Time `json:"expires"`
}) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.secret(w.given["CredentialSecretArn"])), &c); err != nil {
		w.t.Fatal("the client secret is not stored as JSON")
	}
	return c
}
