package signaltest_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

// types tells which events were sent, by the last part of the type.
func types(ds []signaltest.Delivery) (all []string) {
	for _, d := range ds {
		all = append(all, d.Type[len("https://schemas.openid.net/secevent/"):])
	}
	return all
}

func TestPausedStreamHoldsAndDisabledForgets(t *testing.T) {
	t.Parallel()
	r := start(t, signaltest.Options{Algorithm: "ES256"})
	r.create()
	who := signaltest.Email("a@example.com")
	r.tr.Pause("maintenance")
	if r.tr.Emit(signaltest.PasswordChanged(who, time.Now())) != 1 || r.tr.Emit(signaltest.AccountDisabled(who, time.Now())) != 1 {
		t.Error("a paused stream does not hold events")
	}
	r.deliver(1)
	r.tr.Resume()
	r.deliver(3)
	r.tr.Emit(signaltest.AccountPurged(who, time.Now()))
	r.tr.Disable("closed")
	if r.tr.Emit(signaltest.PasswordChanged(who, time.Now())) != 0 {
		t.Error("a disabled stream holds events")
	}
	r.deliver(1)
	r.tr.Resume()
	r.deliver(1)
	updated := "ssf/event-type/stream-updated"
	want := []string{updated, "caep/event-type/credential-change", "risc/event-type/account-disabled", updated, updated, updated}
	if diff := cmp.Diff(want, types(r.tr.Deliveries())); diff != "" {
		t.Error(diff)
	}
}

func TestRunRepeatsAndPausesTheInactive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := start(t, signaltest.Options{Algorithm: "ES256", Inactivity: time.Hour, TokenLife: 24 * time.Hour})
		id := r.create()
		ill := 3
		r.respond = func(w http.ResponseWriter, _ *http.Request) {
			status := http.StatusAccepted
			if ill--; ill >= 0 {
				status = http.StatusServiceUnavailable
			}
			w.WriteHeader(status)
		}
		go r.tr.Run(t.Context())
		r.tr.Emit(signaltest.PasswordChanged(signaltest.Email("a@example.com"), time.Now()))
		r.tr.Emit(signaltest.AccountDisabled(signaltest.Email("b@example.com"), time.Now()))
		time.Sleep(30 * time.Minute)
		r.expect(http.StatusOK, http.MethodGet, "/ssf/status?stream_id="+id, "")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		var when []time.Duration
		for _, d := range r.tr.Deliveries() {
			when = append(when, d.Time.Sub(began).Round(time.Second))
		}
		want := []time.Duration{0, 2 * time.Second, 6 * time.Second, 14 * time.Second, 14 * time.Second, 90 * time.Minute}
		if diff := cmp.Diff(want, when); diff != "" {
			t.Error(diff)
		}
		if said := r.expect(http.StatusOK, http.MethodGet, "/ssf/status?stream_id="+id, ""); said["status"] != "paused" {
			t.Errorf("the stream is %v", said)
		}
		r.expect(http.StatusOK, http.MethodPost, "/ssf/status", `{"stream_id":"`+id+`","status":"enabled"}`)
		r.noFaults()
	})
}

func TestAnswersAreJudged(t *testing.T) {
	t.Parallel()
	refusal := http.Header{"Content-Type": {"application/json"}, "Content-Language": {"en"}}
	const body = `{"err":"invalid_key","description":"d"}`
	for _, c := range []struct {
		status         int
		header         http.Header
		body           string
		given, pending int
		faults         int
	}{
		{202, nil, "", 1, 0, 0},
		{202, nil, "ok", 1, 0, 1},
		{200, nil, "", 0, 1, 1},
		{302, nil, "", 0, 1, 1},
		{400, refusal, body, 0, 0, 0},
		{400, nil, body, 0, 0, 2},
		{400, refusal, `{"err":"bad","description":"d"}`, 0, 0, 1},
		{401, nil, "", 0, 1, 0},
		{503, nil, "", 0, 1, 0},
	} {
		r := start(t, signaltest.Options{Algorithm: "ES256"})
		r.create()
		r.respond = func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header()[name] = value
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}
		r.tr.Emit(signaltest.PasswordChanged(signaltest.Email("a@example.com"), time.Now()))
		r.deliver(c.given)
		if f := r.tr.Faults(); r.tr.Pending() != c.pending || len(f) != c.faults {
			t.Errorf("%d %q: %d wait, faults %q", c.status, c.body, r.tr.Pending(), f)
		}
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	r := start(t, signaltest.Options{Algorithm: "ES256", DefaultSubjects: signaltest.NoSubjects})
	id := r.create()
	a, b := signaltest.Email("a@example.com"), signaltest.Email("b@example.com")
	of := func(tenant string) signaltest.Subject {
		return signaltest.Complex(map[string]signaltest.Subject{"user": a, "tenant": signaltest.Opaque(tenant)})
	}
	emit := func(who signaltest.Subject) int { return r.tr.Emit(signaltest.PasswordChanged(who, time.Now())) }
	if emit(a) != 0 {
		t.Error("somebody is in the stream whom nobody added")
	}
	r.expect(http.StatusOK, http.MethodPost, "/ssf/subjects:add", `{"stream_id":"`+id+`","subject":{"format":"email","email":"a@example.com"}}`)
	r.expect(http.StatusOK, http.MethodPost, "/ssf/subjects:add", `{"stream_id":"`+id+`","subject":{"format":"complex","tenant":{"format":"opaque","id":"t"}}}`)
	if emit(a) != 1 || emit(b) != 0 || emit(of("t")) != 1 || emit(of("u")) != 0 {
		t.Error("the wrong subjects are in the stream")
	}
	r.expect(http.StatusNoContent, http.MethodPost, "/ssf/subjects:remove", `{"stream_id":"`+id+`","subject":{"format":"email","email":"a@example.com"}}`)
	if emit(a) != 0 {
		t.Error("a removed subject is in the stream")
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	reason := map[string]any{"en": "A credential was changed"}
	who := map[string]any{"format": "email", "email": "a@example.com"}
	changed := func(more map[string]any) map[string]any {
		event := map[string]any{"credential_type": "password", "initiating_entity": "user", "change_type": "update"}
		for name, value := range more {
			event[name] = value
		}
		return event
	}
	for _, c := range []struct {
		profile signaltest.Profile
		typ     string
		top     []string // claims beside iss, aud, iat, jti and events
		event   map[string]any
	}{
		{signaltest.Plain, "secevent+jwt", []string{"sub_id", "txn"}, changed(map[string]any{"event_timestamp": 1.8e9, "reason_admin": reason})},
		{signaltest.Okta, "secevent+jwt", nil, changed(map[string]any{"event_timestamp": 1.8e12, "reason_admin": reason, "subject": who, "change_type": "revoke", "friendly_name": "PASSWORD_AS_FACTOR"})},
		{signaltest.Keycloak, "secevent+jwt", []string{"sub_id", "txn"}, changed(map[string]any{"event_timestamp": 1.8e9, "kc_credential_type": "password"})},
		{signaltest.Authentik, "JWT", nil, changed(map[string]any{"subject": map[string]any{"user": who}})},
	} {
		r := start(t, signaltest.Options{Profile: c.profile})
		r.create()
		r.tr.Emit(signaltest.PasswordChanged(signaltest.Email("a@example.com"), at))
		r.tr.Deliver(t.Context())
		claims, header := r.verified(r.got[len(r.got)-1])
		if header["typ"] != c.typ {
			t.Errorf("profile %d: the type is %v", c.profile, header["typ"])
		}
		if diff := cmp.Diff(map[string]any{signaltest.TypeCredentialChange: c.event}, claims["events"]); diff != "" {
			t.Errorf("profile %d: %s", c.profile, diff)
		}
		if diff := cmp.Diff(c.top, further(claims)); diff != "" {
			t.Errorf("profile %d: %s", c.profile, diff)
		}
	}
}

// further are the claims that not every SET has.
func further(claims jwt.MapClaims) (names []string) {
	for name := range claims {
		if !slices.Contains([]string{"iss", "aud", "iat", "jti", "events"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
