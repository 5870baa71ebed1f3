package signal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// iat is when all tokens were issued that the tests make up.
const iat = 1785578400

const (
	oktaIssuer      = "https://contoso.okta.com"
	keycloakIssuer  = "https://keycloak.example.com/realms/staff"
	authentikIssuer = "https://authentik.example.com/.well-known/ssf-configuration/signals"
	ociIssuer       = "https://idcs-example.identity.example.com"
	sailpointIssuer = "https://contoso.api.example.com"
)

func upn(value string) signal.Subject { return signal.Subject{Format: signal.UPN, Value: value} }

func email(value string) signal.Subject { return signal.Subject{Format: signal.Email, Value: value} }

func opaque(value string) signal.Subject { return signal.Subject{Format: signal.Opaque, Value: value} }

// one is the delivery of one signal at the time of all samples.
func one(kind signal.Kind, subject signal.Subject, byAdmin bool) signal.Delivery {
	return signal.Delivery{Signals: []signal.Signal{{Source: source, Kind: kind, Subject: subject, At: event, ByAdmin: byAdmin}}}
}

func dropped(reason signal.Reason) signal.Delivery {
	return signal.Delivery{Dropped: map[signal.Reason]int{reason: 1}}
}

// compare compares all but the ids, which must be there.
func compare(t *testing.T, got, want signal.Delivery) {
	t.Helper()
	for i := range got.Signals {
		if len(got.Signals[i].ID) != 32 {
			t.Error("a signal without an id")
		}
		got.Signals[i].ID = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const keycloakID, keycloakStream = "0f1e2d3c-4b5a-4697-8877-665544332211", "22222222-3333-4444-8555-666666666601"
	later := one(signal.PasswordChanged, email("aiko@contoso.com"), false) // authentik: the time is iat
	later.Signals[0].At = event.Add(60e9)
	purged := one(signal.UserDisabled, upn("aiko@contoso.com"), false)
	purged.Signals[0].At = event.Add(60e9)
	for _, c := range []struct {
		file     string
		provider signal.Provider
		issuer   string
		sessions bool
		want     signal.Delivery
	}{
		{"keycloak-password", signal.Keycloak, keycloakIssuer, false, one(signal.PasswordChanged, email("aiko@contoso.com"), false)},
		{"keycloak-tenant", signal.Keycloak, keycloakIssuer, false, one(signal.PasswordChanged, opaque(keycloakID), true)},
		{"keycloak-disabled", signal.Keycloak, keycloakIssuer, false, one(signal.UserDisabled, opaque(keycloakID), true)},
		{"keycloak-lockout", signal.Keycloak, keycloakIssuer, true, dropped(signal.Lockout)},
		{"keycloak-sessions", signal.Keycloak, keycloakIssuer, false, dropped(signal.LogOut)},
		{"keycloak-sessions", signal.Keycloak, keycloakIssuer, true, one(signal.SessionsRevoked, email("aiko@contoso.com"), false)},
		{"keycloak-verification", signal.Keycloak, keycloakIssuer, false, signal.Delivery{Heartbeat: true}},
		{"keycloak-paused", signal.Keycloak, keycloakIssuer, false, signal.Delivery{Status: "paused"}},
		{"keycloak-otp", signal.Keycloak, keycloakIssuer, true, dropped(signal.OtherCredential)},
		{"authentik-password", signal.Authentik, authentikIssuer, false, later},
		{"authentik-device", signal.Authentik, authentikIssuer, true, dropped(signal.OtherCredential)},
		{"authentik-verification", signal.Authentik, authentikIssuer, false, signal.Delivery{}},
		{"okta-password", signal.OktaSSF, oktaIssuer, false, one(signal.PasswordChanged, opaque("00uexample0000001"), false)},
		{"okta-factors", signal.OktaSSF, oktaIssuer, false, dropped(signal.OtherCredential)},
		{"okta-logout", signal.OktaSSF, oktaIssuer, false, dropped(signal.LogOut)},
		{"okta-logout", signal.OtherSSF, "https://login.contoso.com", true, dropped(signal.LogOut)},
		{"oci-password", signal.OCI, ociIssuer, false, one(signal.PasswordChanged, email("aiko@contoso.com"), true)},
		{"sailpoint-session", signal.SailPoint, sailpointIssuer, false, dropped(signal.LogOut)},
		{"sailpoint-session", signal.SailPoint, sailpointIssuer, true, one(signal.SessionsRevoked, email("aiko@contoso.com"), false)},
		{"risc-purged", signal.OtherSSF, issuer, false, purged},
		{"verification", signal.OtherSSF, issuer, false, signal.Delivery{Heartbeat: true}},
		{"stream-updated", signal.OtherSSF, issuer, false, signal.Delivery{Status: "paused"}},
	} {
		t.Run(fmt.Sprint(c.file, c.sessions), func(t *testing.T) {
			t.Parallel()
			s := stream(t, func(config *config) {
				config.ID = "stream-1"
				if c.provider == signal.Keycloak {
					config.ID = keycloakStream
				}
				config.Provider, config.Issuer, config.sessions = c.provider, c.issuer, c.sessions
				config.Audiences = append(config.Audiences, "sessionstamp/"+keycloakStream) // the client's id and the stream's
			})
			head := header("RS256", "rsa")
			if c.provider == signal.Authentik {
				head["typ"] = "JWT"
			}
			got, err := receive(t, s, pushed(compact(head, strings.ReplaceAll(sample(t, c.file), oktaIssuer, c.issuer), jwt.SigningMethodRS256, keys().rsa)))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, c.want)
		})
	}
}

// TestEventsOfTokens varies one sample.
func TestEventsOfTokens(t *testing.T) {
	t.Parallel()
	const change = `"caep/event-type/credential-change":{"credential_type":"password","change_type":"update"}`
	const who = `{"format":"opaque","id":"u-17"}`
	for name, c := range map[string]struct{ event, subject, want string }{
		"a participle":            {strings.Replace(change, "update", "revoked", 1), who, "opaque"},
		"a first password":        {strings.Replace(change, "update", "create", 1), who, "first_password"},
		"an unknown change":       {strings.Replace(change, "update", "x", 1), who, "unreadable"},
		"no type of credential":   {strings.Replace(change, `"password"`, "1", 1), who, "unreadable"},
		"another event":           {`"risc/event-type/account-enabled":{}`, who, "other_event"},
		"a credential at risk":    {`"risc/event-type/credential-compromise":{"credential_type":"password"}`, who, "other_event"},
		"the old word":            {`"risc/event-type/sessions-revoked":{}`, who, "log_out"},
		"a name that only looks":  {`"CAEP/event-type/credential-change":{}`, who, "other_event"},
		"another issuer's user":   {change, `{"format":"iss_sub","iss":"https://other.example.com/","sub":"u-17"}`, "foreign_subject"},
		"an address as sub":       {change, `{"format":"iss_sub","iss":"` + issuer + `","sub":"aiko@contoso.com"}`, "upn"},
		"a telephone":             {change, `{"format":"phone_number","phone_number":"+81312345678"}`, "no_subject"},
		"no subject":              {change, `null`, "no_subject"},
		"no user":                 {change, `{"format":"complex","device":` + who + `}`, "no_subject"},
		"a critical member":       {change, `{"format":"complex","user":` + who + `,"org_unit":` + who + `}`, "critical_member"},
		"several names":           {change, `{"format":"aliases","identifiers":[` + who + `]}`, "no_subject"},
		"a line break in a name":  {change, `{"format":"opaque","id":"a\nb"}`, "no_subject"},
		"an endless name":         {change, `{"format":"opaque","id":"` + strings.Repeat("x", 321) + `"}`, "no_subject"},
		"an address without host": {change, `{"format":"email","email":"aiko@"}`, "no_subject"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stream(t, func(c *config) { c.Critical = []string{"user", "org_unit"} })
			d, err := receive(t, s, pushed(token(claims(c.event, `"sub_id":`+c.subject))))
			got := ""
			for dropped := range d.Dropped {
				got = string(dropped)
			}
			for _, s := range d.Signals {
				got = string(s.Subject.Format)
			}
			if got != c.want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// claims are those of a valid token, with one event and other claims.
func claims(event string, others ...string) string {
	event = strings.ReplaceAll(event, `"caep/`, `"https://schemas.openid.net/secevent/caep/`)
	event = strings.ReplaceAll(event, `"risc/`, `"https://schemas.openid.net/secevent/risc/`)
	return fmt.Sprintf(`{"iss":%q,"aud":[%q],"jti":"j-1","iat":%d,"events":{%s},%s}`, issuer, audience, iat, event, strings.Join(others, ","))
}

func TestOktaHook(t *testing.T) {
	t.Parallel()
	want := signal.Delivery{
		Signals: []signal.Signal{
			{Source: source, Kind: signal.PasswordChanged, Subject: upn("aiko@contoso.com"), At: event},
			{Source: source, Kind: signal.PasswordChanged, Subject: upn("ben@contoso.com"), At: event, ByAdmin: true},
			{Source: source, Kind: signal.UserDisabled, Subject: opaque("00u3"), At: event, ByAdmin: true},
			{Source: source, Kind: signal.UserDisabled, Subject: upn("dai@contoso.com"), At: event, ByAdmin: true},
		},
		Dropped: map[signal.Reason]int{
			signal.FirstPassword: 1, signal.OtherEvent: 2, signal.NotSuccessful: 1, signal.Duplicate: 1, signal.NoSubject: 1,
			signal.SeveralSubjects: 1, signal.TooOld: 1, signal.Unreadable: 1,
		},
	}
	got, err := receive(t, hook(t), hooked(sample(t, "okta-hook"), static))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, want)
}

func TestOktaChallenge(t *testing.T) {
	t.Parallel()
	for challenge, want := range map[string]string{
		"V1<x>":                  `{"verification":"V1\u003cx\u003e"}`,
		"":                       "",
		strings.Repeat("v", 999): "",
	} {
		header := map[string][]string{"X-Okta-Verification-Challenge": {challenge}}
		if got, ok := signal.OktaChallenge(header); string(got) != want || ok != (want != "") {
			t.Errorf("%s, %v, want %s", got, ok, want)
		}
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	id := signal.Subject{Format: signal.ObjectID, Value: "aaaaaaaa-0000-4000-8000-000000000001"}
	sid := signal.Subject{Format: signal.SecurityIdentifier, Value: "S-1-5-21-1-2-3-1104"}
	for file, want := range map[string]signal.Delivery{
		"webhook-password": one(signal.PasswordChanged, upn("aiko@contoso.com"), false),
		"webhook-reset":    one(signal.PasswordChanged, sid, true),
		"webhook-disabled": one(signal.UserDisabled, id, true),
		"webhook-sessions": dropped(signal.LogOut),
		"webhook-ping":     {Heartbeat: true},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			got, err := receive(t, webhook(t, secret), sent(sample(t, file), "msg_1", received, secret))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, want)
		})
	}
	for body, want := range map[string]signal.Reason{
		`{"type":"user.created"}`: signal.OtherEvent,
		`{"type":"user.disabled","timestamp":"2026-07-18T10:01:59Z","data":{"subject":{"format":"sam_account_name","value":"aiko"}}}`: signal.TooOld,
	} {
		got, err := receive(t, webhook(t, secret), sent(body, "msg_1", received, secret))
		if got.Dropped[want] != 1 || len(got.Signals) > 0 || err != nil {
			t.Errorf("%v, %v, want one %s", got.Dropped, err, want)
		}
	}
}

// A sender that writes subject or time wrong is told so: nothing that it sends would ever
// have an effect.
func TestWebhookUnreadable(t *testing.T) {
	t.Parallel()
	const good = `"timestamp":"2026-08-01T10:00:00Z"`
	for _, body := range []string{
		`{"type":"user.disabled"}`,
		`{"type":"user.disabled","data":{"subject":{"format":"upn","value":"a@b.c"}}}`,
		`{"type":"user.disabled","TIMESTAMP":"2026-08-01T10:00:00Z","data":{"subject":{"format":"sam_account_name","value":"aiko"}}}`,
		`{"type":"user.disabled","timestamp":1785578400,"data":{"subject":{"format":"sam_account_name","value":"aiko"}}}`,
		`{"type":"user.disabled","timestamp":"2026-08-01 10:00:00","data":{"subject":{"format":"sam_account_name","value":"aiko"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"opaque","value":"x"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"object_id","value":"x"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"security_identifier","value":"aiko"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"display_name","value":"Aiko Tanaka"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"upn","value":"aiko tanaka@contoso.com"}}}`,
		`{"type":"user.disabled",` + good + `,"data":{"subject":{"format":"upn","value":"aiko＠contoso.com"}}}`,
	} {
		d, err := receive(t, webhook(t, secret), sent(body, "msg_1", received, secret))
		if r, ok := errors.AsType[*signal.Refusal](err); !ok || r.Reason != signal.Malformed || r.Temporary || len(d.Signals) > 0 {
			t.Errorf("%s: %v, %v", body, d.Signals, err)
		}
	}
}

// TestFuture clamps what a clock ahead of ours says, and keeps what is just young enough.
func TestFuture(t *testing.T) {
	t.Parallel()
	const body = `{"type":"user.disabled","timestamp":%q,"data":{"subject":{"format":"sam_account_name","value":"aiko"}}}`
	for at, want := range map[string]string{
		"2036-08-01T10:00:00Z":      "2026-08-01T10:02:00Z",
		"2026-07-18T19:02:00+09:00": "2026-07-18T10:02:00Z",
	} {
		d, err := receive(t, webhook(t, secret), sent(fmt.Sprintf(body, at), "msg_1", received, secret))
		if err != nil || len(d.Signals) != 1 || d.Signals[0].At.Format("2006-01-02T15:04:05.999Z07:00") != want {
			t.Errorf("%s: %v %v", at, d.Signals, err)
		}
	}
}

// TestIDs are the same for the same event only.
func TestIDs(t *testing.T) {
	t.Parallel()
	elsewhere := must(t)(opened(signal.KindWebhook, "8", secret))
	id := func(s signal.Source, r signal.Request) string {
		d, err := receive(t, s, r)
		if err != nil {
			t.Fatal(err)
		}
		return d.Signals[0].ID
	}
	const change = `"caep/event-type/credential-change":{"credential_type":"password","change_type":"update"}`
	set := claims(change, `"sub_id":{"format":"opaque","id":"u-17"}`)
	body := sample(t, "webhook-password")
	ids := map[string]bool{}
	for range 2 { // each token is signed anew, each attempt has its own time
		ids[id(stream(t), pushed(token(set)))] = true
		ids[id(stream(t), pushed(token(strings.Replace(set, "j-1", "j-2", 1))))] = true
		ids[id(webhook(t, secret), sent(body, "j-3", received, secret))] = true
		ids[id(webhook(t, secret), sent(body, "j-3", event, secret))] = true
		ids[id(elsewhere, sent(body, "j-3", event, secret))] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d ids, want 4", len(ids))
	}
}

// TestNames prints a signal in every way that a log would.
func TestNames(t *testing.T) {
	t.Parallel()
	s := one(signal.PasswordChanged, upn("aiko@contoso.com"), true).Signals[0]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("signal", slog.Any("signal", s))
	text := fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s.Subject, &s) + log.String()
	if strings.Contains(text, "aiko") {
		t.Error("a printed signal names the user")
	}
	if !s.Urgent() || !strings.Contains(log.String(), "password_changed") {
		t.Error("a printed signal says too little")
	}
}
