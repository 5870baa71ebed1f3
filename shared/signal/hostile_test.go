package signal_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const (
	credentialChange = `"caep/event-type/credential-change":{"credential_type":"password","change_type":"update"}`
	disabled         = `"risc/event-type/account-disabled":{}`
	somebody         = `"sub_id":{"format":"opaque","id":"u-17"}`
)

// with adds members to a header.
func with(header map[string]any, name string, value any) map[string]any {
	header[name] = value
	return header
}

func es256(header map[string]any, payload string) []byte {
	return compact(header, payload, jwt.SigningMethodES256, keys().ec)
}

func TestHostileTokens(t *testing.T) {
	t.Parallel()
	good := claims(credentialChange, somebody)
	public, _ := x509.MarshalPKIXPublicKey(&keys().rsa.PublicKey)
	parts := strings.Split(string(token(good)), ".")
	for name, c := range map[string]struct {
		body []byte
		want signal.Reason
	}{
		"nothing wrong":                  {token(good), ""},
		"white space around":             {[]byte(" " + string(token(good)) + "\r\n"), ""},
		"the type in full":               {es256(with(header("ES256", "ec"), "typ", "application/secevent+jwt"), good), ""},
		"another's key":                  {compact(header("RS256", "rsa"), good, jwt.SigningMethodRS256, keys().stranger), signal.BadSignature},
		"none":                           {compact(header("none", "rsa"), good, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), signal.BadAlgorithm},
		"RS256 without a signature":      {compact(header("RS256", "rsa"), good, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), signal.BadSignature},
		"HS256 with the public key":      {compact(header("HS256", "rsa"), good, jwt.SigningMethodHS256, public), signal.BadAlgorithm},
		"HS256 that calls itself RS256":  {compact(header("RS256", "rsa"), good, jwt.SigningMethodHS256, public), signal.BadSignature},
		"PS256":                          {compact(header("PS256", "rsa"), good, jwt.SigningMethodPS256, keys().rsa), signal.BadAlgorithm},
		"the name in small letters":      {compact(header("rs256", "rsa"), good, jwt.SigningMethodRS256, keys().rsa), signal.BadAlgorithm},
		"RS256 by the name of an EC key": {compact(header("RS256", "ec"), good, jwt.SigningMethodRS256, keys().rsa), signal.UnknownKey},
		"an unknown key":                 {compact(header("RS256", "x"), good, jwt.SigningMethodRS256, keys().rsa), signal.UnknownKey},
		"no name of a key":               {compact(header("RS256", ""), good, jwt.SigningMethodRS256, keys().rsa), signal.UnknownKey},
		"a key of its own":               {compact(with(header("RS256", "x"), "jwk", jwk("x", &keys().stranger.PublicKey)), good, jwt.SigningMethodRS256, keys().stranger), signal.UnknownKey},
		"an unknown critical extension":  {es256(with(header("ES256", "ec"), "crit", []string{"b64"}), good), signal.BadCritical},
		"an empty critical extension":    {es256(with(header("ES256", "ec"), "crit", nil), good), signal.BadCritical},
		"a plain JWT":                    {es256(with(header("ES256", "ec"), "typ", "JWT"), good), signal.BadType},
		"an access token":                {es256(with(header("ES256", "ec"), "typ", "at+jwt"), good), signal.BadType},
		"no type":                        {es256(with(header("ES256", "ec"), "typ", nil), good), signal.BadType},
		"a sub":                          {token(claims(credentialChange, somebody, `"sub":"u-17"`)), signal.BadType},
		"an exp":                         {token(claims(credentialChange, somebody, `"exp":1985578400`)), signal.BadType},
		"another issuer":                 {token(strings.Replace(good, issuer, issuer+"x", 1)), signal.BadIssuer},
		"another audience":               {token(strings.Replace(good, audience, audience+"x", 1)), signal.BadAudience},
		"no audience":                    {token(strings.Replace(good, `"aud"`, `"AUD"`, 1)), signal.BadAudience},
		"no jti":                         {token(strings.Replace(good, `"j-1"`, `""`, 1)), signal.Malformed},
		"no iat":                         {token(strings.Replace(good, `"iat"`, `"IAT"`, 1)), signal.Malformed},
		"two events":                     {token(claims(credentialChange+","+disabled, somebody)), signal.SeveralEvents},
		"no event":                       {token(claims("", somebody)), signal.Malformed},
		"an event that is a list":        {token(claims(strings.Replace(disabled, "{}", "[]", 1), somebody)), signal.Malformed},
		"a claim twice":                  {token(claims(credentialChange, somebody, `"aud":"x"`)), signal.Malformed},
		"an event twice":                 {token(claims(disabled+","+disabled, somebody)), signal.Malformed},
		"a member twice, escaped":        {token(claims(credentialChange, somebody, `"\u0069ss":"x"`)), signal.Malformed},
		"a deep claim":                   {token(claims(credentialChange, somebody, `"x":`+deep(10_000))), signal.TooLarge},
		"no JSON":                        {token(good + "x"), signal.Malformed},
		"bytes that are no text":         {token(strings.Replace(good, "j-1", "\xff", 1)), signal.Malformed},
		"10 MB":                          {[]byte(long()), signal.TooLarge},
		"more than a token has":          {[]byte(long()[:1<<17]), signal.TooLarge},
		"four parts":                     {[]byte(string(token(good)) + ".x"), signal.Malformed},
		"padding":                        {[]byte(parts[0] + "=." + parts[1] + "." + parts[2]), signal.Malformed},
		"a claim changed afterwards":     {[]byte(parts[0] + "." + b64([]byte(strings.Replace(good, "u-17", "u-18", 1))) + "." + parts[2]), signal.BadSignature},
		"another's state":                {token(strings.Replace(sample(t, "verification"), state, "x", 1)), signal.BadState},
		"an unknown status":              {token(strings.Replace(sample(t, "stream-updated"), "paused", "x", 1)), signal.Malformed},
		"nothing":                        {nil, signal.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := receive(t, stream(t), pushed(c.body))
			if got := reason(t, err); got != c.want || (c.want == "") != (len(d.Signals) == 1) {
				t.Errorf("%q with %d signals, want %q", got, len(d.Signals), c.want)
			}
		})
	}
}

// TestUntyped lets authentik's tokens in without its tokens that sign users in.
func TestUntyped(t *testing.T) {
	t.Parallel()
	plain := with(header("ES256", "ec"), "typ", "JWT")
	s := stream(t, func(c *config) { c.Provider = signal.Authentik })
	for payload, want := range map[string]signal.Reason{
		claims(credentialChange, somebody):                                           "",
		claims(credentialChange, somebody, `"sub":"u"`):                              signal.BadType,
		claims(credentialChange, somebody, `"exp":1e10`):                             signal.BadType,
		fmt.Sprintf(`{"iss":%q,"aud":%q,"jti":"j","iat":%d}`, issuer, audience, iat): signal.Malformed,
	} {
		if _, err := receive(t, s, pushed(es256(plain, payload))); reason(t, err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestReplay sends an old token again: its event keeps its time, until it is too old.
func TestReplay(t *testing.T) {
	t.Parallel()
	body := token(claims(credentialChange, somebody))
	for after, want := range map[time.Duration]int{0: 1, signal.MaxAge: 1, signal.MaxAge + time.Second: 0} {
		d, err := receive(t, stream(t), at(pushed(body), event.Add(after)))
		if len(d.Signals) != want || d.Dropped[signal.TooOld] != 1-want || err != nil {
			t.Errorf("%v: %d signals, %v", after, len(d.Signals), err)
		}
		for _, s := range d.Signals {
			if !s.At.Equal(event) {
				t.Errorf("%v: at %v", after, s.At)
			}
		}
	}
}

// TestBearer asks for the header before the keys of a stranger.
func TestBearer(t *testing.T) {
	t.Parallel()
	p := published()
	s := stream(t, func(c *config) { c.secrets, c.keys = []string{static}, signal.NewKeys(p) })
	body := string(token(claims(credentialChange, somebody)))
	if _, err := receive(t, s, hooked(body, static+"x")); reason(t, err) != signal.BadSecret || p.fetched > 0 {
		t.Errorf("%v after %d fetches", err, p.fetched)
	}
	if _, err := receive(t, s, hooked(body, static)); err != nil {
		t.Error(err)
	}
}

func TestHostileWebhooks(t *testing.T) {
	t.Parallel()
	body := sample(t, "webhook-password")
	good := func() signal.Request { return sent(body, "msg_1", received, secret) }
	vary := func(f func(h http.Header)) signal.Request {
		r := good()
		f(r.Header)
		return r
	}
	v1a := func(h http.Header) {
		h.Set("Webhook-Signature", strings.Replace(h.Get("Webhook-Signature"), "v1,", "v1a,", 1))
	}
	for name, c := range map[string]struct {
		r    signal.Request
		want signal.Reason
	}{
		"nothing wrong":           {good(), ""},
		"the old secret, rotated": {sent(body, "msg_1", received, other), ""},
		"both secrets":            {sent(body, "msg_1", received, "whsec_eA==", secret), ""},
		"two headers":             {vary(func(h http.Header) { h["Webhook-Signature"] = []string{"v1,x", h.Get("Webhook-Signature")} }), ""},
		"as old as can be":        {sent(body, "msg_1", received.Add(-signal.Window), secret), ""},
		"another's secret":        {sent(body, "msg_1", received, "whsec_eA=="), signal.BadSignature},
		"no signature":            {vary(func(h http.Header) { h.Del("Webhook-Signature") }), signal.BadSignature},
		"another algorithm":       {vary(v1a), signal.BadSignature},
		"hundreds of signatures":  {vary(func(h http.Header) { h.Add("Webhook-Signature", strings.Repeat("v1,x ", 300)) }), signal.BadSignature},
		"a replay":                {sent(body, "msg_1", received.Add(-signal.Window-time.Second), secret), signal.OutsideWindow},
		"from the future":         {sent(body, "msg_1", received.Add(signal.Window+time.Second), secret), signal.OutsideWindow},
		"from before all time":    {sent(body, "msg_1", time.Unix(-1<<62, 0), secret), signal.OutsideWindow},
		"a replay made young":     {vary(func(h http.Header) { h.Set("Webhook-Timestamp", "1785578460") }), signal.BadSignature},
		"two times":               {vary(func(h http.Header) { h.Add("Webhook-Timestamp", "1785578460") }), signal.BadSignature},
		"no time":                 {vary(func(h http.Header) { h.Set("Webhook-Timestamp", "now") }), signal.BadSignature},
		"another id":              {vary(func(h http.Header) { h.Set("Webhook-Id", "msg_2") }), signal.BadSignature},
		"no id":                   {sent(body, "", received, secret), signal.BadSignature},
		"an id with a stop":       {sent(body, "msg.1", received, secret), signal.BadSignature},
		"an endless id":           {sent(body, long()[:999], received, secret), signal.BadSignature},
		"10 MB":                   {sent(long(), "msg_1", received, secret), signal.TooLarge},
		"a member twice":          {sent(`{"type":"test.ping","type":"user.disabled"}`, "msg_1", received, secret), signal.Malformed},
		"a deep body":             {sent(deep(100_000), "msg_1", received, secret), signal.Malformed},
		"no object":               {sent(`["user.disabled"]`, "msg_1", received, secret), signal.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := receive(t, webhook(t, secret, other), c.r)
			if got := reason(t, err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestReferenceSignature checks a signature that the reference libraries agree on:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
func TestReferenceSignature(t *testing.T) {
	t.Parallel()
	r := signal.Request{Body: []byte(`{"test": 2432232314}`), Received: time.Unix(1614265330, 0), Header: http.Header{
		"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	}}
	if err := webhook(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").Authenticate(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestHostileHooks(t *testing.T) {
	t.Parallel()
	body := sample(t, "okta-hook")
	twice := hooked(body, static)
	twice.Header.Add("Authorization", static)
	for name, c := range map[string]struct {
		r    signal.Request
		want signal.Reason
	}{
		"nothing wrong":     {hooked(body, static), ""},
		"no events":         {hooked(`{"data":{"events":[]}}`, static), ""},
		"events of numbers": {hooked(`{"data":{"events":[1,null,"x",[]]}}`, static), ""},
		"another secret":    {hooked(body, static+"x"), signal.BadSecret},
		"half the secret":   {hooked(body, static[:9]), signal.BadSecret},
		"no secret":         {hooked(body, ""), signal.BadSecret},
		"two secrets":       {twice, signal.BadSecret},
		"10 MB":             {hooked(long(), static), signal.TooLarge},
		"events elsewhere":  {hooked(`{"events":[]}`, static), signal.Malformed},
		"a member twice":    {hooked(`{"data":{"events":[]},"data":{"events":[]}}`, static), signal.Malformed},
		"a deep body":       {hooked(`{"data":{"events":[`+deep(100_000)+`]}}`, static), signal.Malformed},
		"half a body":       {hooked(body[:len(body)/2], static), signal.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := receive(t, hook(t), c.r)
			if got := reason(t, err); got != c.want || name != "nothing wrong" && len(d.Signals) > 0 {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestActor has an administrator disable nobody but a user without a target.
func TestActor(t *testing.T) {
	t.Parallel()
	body := `{"data":{"events":[{"uuid":"u","published":"2026-08-01T10:00:00Z","eventType":"user.lifecycle.suspend",
		"outcome":{"result":"SUCCESS"},"actor":{"id":"00u9","type":"User","alternateId":"admin@contoso.com"},"target":null}]}}`
	d, err := receive(t, hook(t), hooked(body, static))
	if len(d.Signals) > 0 || d.Dropped[signal.NoSubject] != 1 || err != nil {
		t.Errorf("%v, %v", d.Dropped, err)
	}
}

// TestSettings are those that would accept anybody, or sign out who logs out.
func TestSettings(t *testing.T) {
	t.Parallel()
	set := func(f func(*config)) func() error {
		return func() error { _, err := streamOf(f); return err }
	}
	secrets := func(s ...string) func() error {
		return func() error { _, err := opened(signal.KindWebhook, source, s...); return err }
	}
	authorization := func(s ...string) func() error {
		return func() error { _, err := opened(signal.KindOkta, source, s...); return err }
	}
	for name, f := range map[string]func() error{
		"no secret":                secrets(),
		"an empty secret":          secrets(secret, ""),
		"a short secret":           secrets("whsec_eA=="),
		"no base64":                secrets("whsec_an invented secret"),
		"no authorization":         authorization(),
		"a short authorization":    authorization("short"),
		"no issuer":                set(func(c *config) { c.Issuer = "" }),
		"no audience":              set(func(c *config) { c.Audiences = nil }),
		"an empty audience":        set(func(c *config) { c.Audiences = []string{""} }),
		"an empty bearer":          set(func(c *config) { c.secrets = []string{""} }),
		"Okta's log-outs":          set(func(c *config) { c.Provider, c.sessions = signal.OktaSSF, true }),
		"Okta's log-outs, renamed": set(func(c *config) { c.Issuer, c.sessions = "https://Contoso.OKTA.com/x", true }),
		"Okta for government":      set(func(c *config) { c.Issuer, c.sessions = "https://agency.okta-gov.com", true }),
		"Okta for the military":    set(func(c *config) { c.Issuer, c.sessions = "https://unit.okta.mil", true }),
	} {
		if err := f(); err == nil || strings.Contains(err.Error(), "invented") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCodes are what a transmitter is told.
func TestCodes(t *testing.T) {
	t.Parallel()
	for reason, want := range map[signal.Reason]string{
		signal.BadSecret: "authentication_failed", signal.UnknownKey: "invalid_key", signal.BadIssuer: "invalid_issuer",
		signal.BadAudience: "invalid_audience", signal.BadState: "invalid_state", signal.SeveralEvents: "invalid_request",
	} {
		if got := (&signal.Refusal{Reason: reason}).Code(); got != want {
			t.Errorf("%s: %s, want %s", reason, got, want)
		}
	}
}
