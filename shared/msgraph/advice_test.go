package msgraph_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// A fault is something wrong with how the app signs in.
type fault struct {
	cause subscription.Cause
	// arrange makes it. Without it all were well.
	arrange func(*faulty)
}

// faulty is a tenant, an app that can sign in to it in every way, and what a fault
// can change of it.
type faulty struct {
	emulated
	t *testing.T
	// entra is how Entra behaves, and tenant and app what it is told they are.
	entra       msgraphtest.Options
	tenant, app string
	// What the app signs in with, in each mode.
	secret      *secretSource
	certificate *certificateSource
	provider    *provider
	// unregistered: Entra is not told of certificate and provider. Else it has this
	// record of the provider.
	unregistered bool
	record       msgraphtest.FederatedCredential
	// first, if it is not nil, comes before the first call; then comes after it has
	// gone well, before a second.
	first, then func()
}

const otherID = "99999999-6d4d-4958-8b9f-9d6445542f95"

// faults are all that can be wrong, by mode. What the emulator can refuse, it
// refuses itself.
var faults = map[directory.AuthMode]map[string]fault{
	directory.AuthClientSecret: {
		"throttled": tokensEnd(429, subscription.CauseSignInThrottled),
		"unwell":    tokensEnd(503, subscription.CauseSignInUnwell),
		"wrong":     {subscription.CauseSecretWrong, func(f *faulty) { f.secret.kept, f.secret.stored = "wr0ng~value", "wr0ng~value" }},
		"expired": {subscription.CauseSecretExpired, func(f *faulty) {
			f.then = func() { time.Sleep(3 * 366 * 24 * time.Hour) }
		}},
		"removed": {subscription.CauseSecretWrong, func(f *faulty) {
			f.then = func() { f.emulated.app.RemoveSecret(secret); time.Sleep(2 * time.Hour) }
		}},
		"unread":               {subscription.CauseSecretUnread, func(f *faulty) { f.secret.wait = denied }},
		"app disabled":         {subscription.CauseAppDisabled, func(f *faulty) { f.first = func() { f.emulated.app.Disable() } }},
		"no service principal": {subscription.CauseNoServicePrincipal, func(f *faulty) { f.first = func() { f.emulated.app.RemoveServicePrincipal() } }},
		"empty":                {subscription.CauseSecretUnread, func(f *faulty) { f.secret.kept = "" }},
		"unknown app":          {subscription.CauseAppUnknown, func(f *faulty) { f.app = otherID }},
		"unknown tenant":       {subscription.CauseTenantUnknown, func(f *faulty) { f.tenant = otherID }},
		"unreachable": {subscription.CauseUnreachable, func(f *faulty) {
			f.first = func() {
				f.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return r.Token }, Reset: true})
			}
		}},
	},
	directory.AuthCertificate: {
		"throttled":      tokensEnd(429, subscription.CauseSignInThrottled),
		"unwell":         tokensEnd(503, subscription.CauseSignInUnwell),
		"not registered": {subscription.CauseCertificateWrong, func(f *faulty) { f.unregistered = true }},
		"removed": {subscription.CauseCertificateWrong, func(f *faulty) {
			f.then = func() { f.emulated.app.RemoveCertificates(); time.Sleep(2 * time.Hour) }
		}},
		"expired meanwhile": {subscription.CauseCertificateTime, func(f *faulty) {
			f.then = func() { time.Sleep(400 * 24 * time.Hour) }
		}},
		"expired":        {subscription.CauseCertificateTime, func(f *faulty) { f.certifiedFrom(-400 * 24 * time.Hour) }},
		"not yet good":   {subscription.CauseCertificateEarly, func(f *faulty) { f.certifiedFrom(24 * time.Hour) }},
		"another key":    {subscription.CauseCertificateUnread, func(f *faulty) { f.certificate.kept.key = rsaKeys()[1] }},
		"unread":         {subscription.CauseCertificateUnread, func(f *faulty) { f.certificate.err = errDenied }},
		"clock":          {subscription.CauseClock, func(f *faulty) { f.entra.Now = func() time.Time { return time.Now().Add(time.Hour) } }},
		"unknown app":    {subscription.CauseAppUnknown, func(f *faulty) { f.app = otherID }},
		"unknown tenant": {subscription.CauseTenantUnknown, func(f *faulty) { f.tenant = otherID }},
	},
	directory.AuthWebIdentity: {
		"throttled":               tokensEnd(429, subscription.CauseSignInThrottled),
		"unwell":                  tokensEnd(503, subscription.CauseSignInUnwell),
		"no federated credential": {subscription.CauseFederation, func(f *faulty) { f.unregistered = true }},
		"not replicated":          {subscription.CauseFederation, func(f *faulty) { f.entra.CredentialLag = time.Hour }},
		"issuer":                  {subscription.CauseFederationIssuer, func(f *faulty) { f.record.Issuer += "/" }},
		"subject":                 {subscription.CauseFederationSubject, func(f *faulty) { f.record.Subject += "-old" }},
		"case of the subject":     {subscription.CauseFederationSubject, func(f *faulty) { f.record.Subject = strings.ToUpper(awsRole) }},
		"audience":                {subscription.CauseFederationAudience, func(f *faulty) { f.record.Audience = exchange + "USGov" }},
		"expired": {subscription.CauseClock, func(f *faulty) {
			f.provider.change = func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }
		}},
		"key not published":   {subscription.CauseFederationKey, func(f *faulty) { f.provider.unpublished = true }},
		"another key":         {subscription.CauseFederationKey, func(f *faulty) { f.provider.key = rsaKeys()[1] }},
		"garbled":             {subscription.CauseFederationKey, func(f *faulty) { f.provider.garbled = "g4rbled" }},
		"issuer out of reach": {subscription.CauseFederationKey, func(f *faulty) { f.provider.down = true }},
		"switched off": {subscription.CauseFederationOff, func(f *faulty) {
			f.provider.err = awsError{"OutboundWebIdentityFederationDisabledException", "have an administrator run, once: aws iam enable-outbound-web-identity-federation"}
		}},
		"not allowed": {subscription.CauseWebIdentity, func(f *faulty) {
			f.provider.err = awsError{"AccessDenied", "allow the function's role sts:GetWebIdentityToken"}
		}},
		"aws is silent":  {subscription.CauseWebIdentity, func(f *faulty) { f.provider.err = errors.New("see that the function may open HTTPS connections") }},
		"unknown app":    {subscription.CauseAppUnknown, func(f *faulty) { f.app = otherID }},
		"unknown tenant": {subscription.CauseTenantUnknown, func(f *faulty) { f.tenant = otherID }},
	},
}

// tokensEnd is a fault of the token endpoint itself, from the first call on.
func tokensEnd(status int, cause subscription.Cause) fault {
	return fault{cause, func(f *faulty) {
		f.first = func() {
			f.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return r.Token }, Status: status, Code: "temporarily_unavailable"})
		}
	}}
}

// certifiedFrom replaces the certificate by one that is good from another time.
func (f *faulty) certifiedFrom(d time.Duration) {
	f.certificate.kept.chain = chainOf(certify(f.t, "leaf", rsaKeys()[0], time.Now().Add(d), nil, nil))
}

// denied is a secretSource's wait that fails it.
func denied(context.Context, bool) error { return errDenied }

// newFaulty arranges a fault.
func newFaulty(t *testing.T, arrange func(*faulty)) *faulty {
	f := &faulty{
		t: t, tenant: tenantID, app: clientID, provider: newProvider(),
		certificate: &certificateSource{kept: pairOf(rsaKeys()[0], certify(t, "leaf", rsaKeys()[0], time.Now(), nil, nil))},
		secret:      &secretSource{kept: secret, stored: secret},
		record:      msgraphtest.FederatedCredential{Name: "aws", Issuer: awsIssuer, Subject: awsRole},
	}
	arrange(f)
	f.certificate.stored = f.certificate.kept
	f.emulated = emulate(t, 1, f.entra, permissions...)
	f.server.AddProvider(awsIssuer, f.provider)
	if !f.unregistered {
		f.emulated.app.AddFederated(f.record)
		f.emulated.app.AddCertificate(f.certificate.kept.chain[0].Raw)
	}
	return f
}

// call makes a call as the app, and returns how that failed.
func (f *faulty) call(mode directory.AuthMode) error {
	client := f.signedInAs(f.t, msgraph.Auth{
		Mode: mode, Secrets: f.secret, Certificates: f.certificate, WebIdentity: f.provider.token,
	}, func(o *msgraph.CredentialOptions) { o.TenantID, o.ClientID = f.tenant, f.app })
	if f.first != nil {
		f.first()
	}
	_, err := client.Subscriptions(f.t.Context())
	if leaktest.Seen(f.t, err) == nil && f.then != nil {
		f.then()
		_, err = client.Subscriptions(f.t.Context())
	}
	return err
}

var correlationID = regexp.MustCompile(`\(correlation id [0-9a-f-]{36}\)`)

// TestAdvice shows what an administrator reads for whatever is wrong with how the
// app signs in. Secrets, keys and tokens are in none of it.
func TestAdvice(t *testing.T) {
	for _, mode := range directory.AuthModes() {
		for _, name := range sorted(faults[mode]) {
			t.Run(string(mode)+"/"+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					fault := faults[mode][name]
					f := newFaulty(t, fault.arrange)
					err := f.call(mode)
					a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, subscription.Adviser{Tenant: f.tenant, ClientID: f.app}.Explain(err)))
					if !ok || a.Cause != fault.cause {
						t.Fatalf("error %v is explained as %+v, want %q", err, a, fault.cause)
					}
					told := a.Problem + "\n" + a.Step + "\n[" + leaktest.Seen(t, err).Error() + "]"
					f.checkDiscreet(told)
					if e := graphError(t, err); e.Operation == "token" && e.Refusal() != "" && !correlationID.MatchString(told) {
						t.Errorf("%s lacks Entra's correlation id", told)
					}
					goldentest.Compare(t, "testdata/advice/"+string(mode)+"-"+strings.ReplaceAll(name, " ", "-")+".golden", f.settled(told, err)+"\n")
				})
			})
		}
	}
}

// checkDiscreet fails the test if a text tells what signs in.
func (f *faulty) checkDiscreet(told string) {
	f.t.Helper()
	for _, token := range append(f.provider.given, secret, "wr0ng", "g4rbled", "eyJ", "PRIVATE") {
		if strings.Contains(told, token) {
			f.t.Errorf("%s tells %s", told, token)
		}
	}
}

// settled replaces what is another each time.
func (f *faulty) settled(told string, err error) string {
	told = correlationID.ReplaceAllString(told, "(correlation id …)")
	if c, ok := errors.AsType[*directory.PresentedCertificate](leaktest.Seen(f.t, err)); ok {
		told = strings.ReplaceAll(told, c.Thumbprint, "…")
	}
	return told
}
