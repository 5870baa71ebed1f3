package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

// A happening is what can happen to a user, as each kind of source says it.
type happening struct {
	ends      bool // sessions
	hook      string
	okta      string
	transmits func(who signaltest.Subject, at time.Time) signaltest.Event
}

// The first three end sessions.
var happenings = []happening{
	{true, "user.password_changed", "user.account.update_password", signaltest.PasswordChanged},
	{true, "user.password_reset", "user.account.reset_password", func(who signaltest.Subject, at time.Time) signaltest.Event {
		e := signaltest.PasswordChanged(who, at)
		e.Claims["initiating_entity"] = "admin"
		return e
	}},
	{true, "user.disabled", "user.lifecycle.suspend", signaltest.AccountDisabled},
	{false, "user.sessions_revoked", "user.session.end", signaltest.SessionRevoked},
	{false, "user.factor_changed", "user.mfa.factor.update", func(who signaltest.Subject, at time.Time) signaltest.Event {
		return signaltest.CredentialChange(who, "fido2-platform", "create", at)
	}},
	{false, "user.signed_in", "user.session.start", func(who signaltest.Subject, at time.Time) signaltest.Event {
		return signaltest.CredentialChange(who, "password", "create", at) // the first one
	}},
}

// An incident is one event that the provider tells of.
type incident struct {
	happening
	source, user string
	name         string // what the provider calls the user
	byID         bool   // it names the object id
	happened, at time.Time
	// may tells that the user's sessions may end, must that they do if the user is found
	// by that name.
	may, must bool
	given     bool // it was acknowledged
	// due is the time of which the receiver must think, turns how often the user may be
	// signed out.
	due     time.Time
	turns   int
	arrived bool // at the receiver's queue
}

// tell lets something happen to a user, and reports it sooner or later.
func (p *provider) tell(ctx context.Context, u msgraphtest.UserState, source string, h happening) {
	now := time.Now()
	r := &incident{
		happening: h, source: source, user: u.ID, name: p.nameOf(u), byID: source == hookSource && p.random.IntN(2) == 0,
		happened: now.Truncate(time.Second), at: p.clock(source).Truncate(time.Second), turns: 1,
	}
	r.due = r.promised()
	if len(p.orders.to(u.ID)) > 0 {
		return // the emulator knows one approval of each user
	}
	r.may, r.must = p.scope(u, r)
	p.mu.Lock()
	p.incidents = append(p.incidents, r)
	p.mu.Unlock()
	if r.may {
		p.tenant.Report(u.ID, r.due)
	}
	late := time.Duration(0)
	if p.random.IntN(3) == 0 {
		late = time.Duration(p.random.Int64N(int64(20 * time.Minute)))
	}
	p.senders.Go(func() {
		waitFor(ctx, late)
		p.deliver(ctx, r)
	})
}

// promised is the time that no stamp may be older than. A clock that is behind has us
// believe that it happened earlier.
func (r *incident) promised() time.Time {
	if r.at.Before(r.happened) {
		return r.at
	}
	return r.happened
}

// scope tells whether the report may and must end a user's sessions. In doubt, it may.
func (p *provider) scope(u msgraphtest.UserState, r *incident) (may, must bool) {
	p.known.Lock()
	defer p.known.Unlock()
	drawn, created := p.created[u.ID]
	_, domain, _ := strings.Cut(u.UPN, "@")
	switch {
	case !p.enforced, !r.ends, !slices.Contains(records()[r.source].Domains, domain):
		return false, false
	case !created && !slices.Contains(p.old, u.ID): // comes at this moment
		return true, false
	case drawn.guest, drawn.grouped, drawn.named():
		return false, false
	case domain == managedDomain: // a message is resolved when all know that the domain is federated
		const settled = 10 * time.Minute
		federated := !p.converted.IsZero()
		return federated, federated && time.Since(p.converted) > settled
	}
	return true, !u.Deleted && !p.protected[u.ID]
}

// deliver sends a report until it is acknowledged or given up.
func (p *provider) deliver(ctx context.Context, r *incident) {
	switch r.source {
	case hookSource:
		p.post(ctx, r)
	case oktaSource:
		p.hook(ctx, r)
	default:
		p.transmitter.Emit(r.transmits(signaltest.Email(r.name), r.at))
	}
}

// post sends by Standard Webhooks, with its schedule.
func (p *provider) post(ctx context.Context, r *incident) {
	subject := map[string]string{"format": "upn", "value": r.name}
	if r.byID {
		subject = map[string]string{"format": "object_id", "value": r.user}
	}
	body, err := json.Marshal(map[string]any{
		"type": r.hook, "timestamp": r.at.UTC().Format(time.RFC3339),
		"data": map[string]any{"subject": subject, "actor": "user"},
	})
	if err != nil {
		p.t.Error(err)
	}
	id := rand.Text()
	for _, pause := range []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		waitFor(ctx, pause)
		if ctx.Err() != nil {
			return
		}
		sender := signaltest.Webhook{
			URL: signalURL + hookSource, Secrets: p.secrets(hookSource), HTTP: &http.Client{Transport: p.inlet},
			Now: func() time.Time { return p.clock(hookSource) },
		}
		if status, err := sender.Post(ctx, id, body); err == nil && status/100 == 2 {
			p.give(r)
			return
		}
	}
}

// hook sends as Okta does, with a log-out of the same user in the same POST.
func (p *provider) hook(ctx context.Context, r *incident) {
	sender := &signaltest.OktaHook{
		URL: signalURL + oktaSource, Header: "Authorization", Secret: p.secrets(oktaSource)[0], HTTP: &http.Client{Transport: p.inlet},
		Now: func() time.Time { return p.clock(oktaSource) },
	}
	event := func(kind string) map[string]any { return signaltest.OktaEvent(kind, "00u"+r.user[:8], r.name, r.at) }
	if sender.Post(ctx, event("user.session.end"), event(r.okta)) == nil {
		p.give(r)
	}
}

func (p *provider) give(r *incident) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.given = true
}

// A pusher is the transmitter's way to the receiver, and sees what is accepted.
type pusher provider

// RoundTrip implements [http.RoundTripper].
func (p *pusher) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(token))
	answer, err := p.inlet.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusAccepted {
		p.accepted(token)
	}
	return answer, err
}

// accepted finds the report of which a token tells.
func (p *pusher) accepted(token []byte) {
	var claims struct {
		Subject struct{ Email string } `json:"sub_id"`
		Events  map[string]struct {
			At int64 `json:"event_timestamp"`
		}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(token), ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, event := range claims.Events {
		for _, r := range p.incidents {
			if r.source == ssfSource && r.name == claims.Subject.Email && r.at.Unix() == event.At {
				r.given = true
			}
		}
	}
}

// arrived sees what the receiver queues. An event that a clock puts into the future counts
// from its receipt: as long as that lasts, each delivery of it ends the user's sessions.
func (p *provider) arrived(m signal.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.incidents {
		same := r.source == m.Source && (r.name == m.Signal.Subject.Value || r.user == m.Signal.Subject.Value)
		if !r.may || !same || m.Signal.At.After(r.at) || m.Signal.At.Before(r.promised()) {
			continue
		}
		if at := m.Signal.At; at.After(r.due) {
			if r.due = at; r.arrived {
				r.turns++
			}
			p.tenant.Report(r.user, at)
		}
		r.arrived = true
	}
}

// about returns the reports about one user. A nil provider has none.
func (p *provider) about(user string) (about []*incident) {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.incidents {
		if r.user == user {
			about = append(about, r)
		}
	}
	return about
}

// allows is how often the user may be signed out for what was reported until a time.
func (p *provider) allows(user string, until time.Time) (n int) {
	for _, r := range p.about(user) {
		if r.may && !r.happened.After(until) {
			n += r.turns
		}
	}
	return n
}

func (r *incident) String() string {
	return fmt.Sprintf("%s of %s by %s, told as of %s", r.hook, r.happened, r.source[:1], r.at)
}
