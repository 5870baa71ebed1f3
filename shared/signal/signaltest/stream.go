package signaltest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// methodPush is delivery by RFC 8935 (SSF 6.1.1), the only one here.
const methodPush = "urn:ietf:rfc:8935"

// A stream is one receiver's subscription (SSF 8.1.1).
type stream struct {
	id, client string
	aud        []string
	config     received
	status     string
	reason     string
	added      []Subject // of NoSubjects
	removed    []Subject // of AllSubjects
	queue      []*item
	active     time.Time // the last management call
	verified   time.Time // the last request of a verification
}

// received is what a receiver supplies of a stream's configuration.
type received struct {
	Delivery    *delivery `json:"delivery"`
	Requested   *[]string `json:"events_requested"`
	Description *string   `json:"description"`
}

type delivery struct {
	Method        string `json:"method"`
	EndpointURL   string `json:"endpoint_url"`
	Authorization string `json:"authorization_header"`
}

// A call is a management call that is let through. t.mu is held while it is served.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	client string
	body   []byte
	now    time.Time
}

// serve carries a management call out.
func (t *Transmitter) serve(w http.ResponseWriter, r *http.Request, client string, carryOut func(*call)) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "The body broke off.")
		return
	}
	c := &call{w: w, r: r, client: client, body: body, now: t.opts.Now()}
	if len(body) > 0 && !isJSON(r.Header) {
		t.invalid(c, "The Content-Type is not application/json (SSF 8.1)")
		return
	}
	t.mu.Lock()
	defer t.nudge()
	defer t.mu.Unlock()
	t.expire(c.now)
	carryOut(c)
}

// invalid refuses a call that is against the specification.
func (t *Transmitter) invalid(c *call, why string) {
	t.fault("%s %s: %s", c.r.Method, c.r.URL.Path, why)
	refuse(c.w, http.StatusBadRequest, "invalid_request", why)
}

// find returns the receiver's stream, which the call keeps from pausing, or answers 404.
func (t *Transmitter) find(c *call, id string) *stream {
	for _, s := range t.streams {
		if s.id == id && s.client == c.client {
			s.active = c.now
			return s
		}
	}
	refuse(c.w, http.StatusNotFound, "not_found", "You have no such stream.")
	return nil
}

// createStream makes a stream (SSF 8.1.1.1).
func (t *Transmitter) createStream(c *call) {
	var in received
	members, why := read(c.body, &in)
	for _, supplied := range transmitterSupplied() {
		if _, present := members[supplied]; present && why == "" {
			why = "Only the transmitter supplies " + supplied + " (SSF 8.1.1.1)"
		}
	}
	if why == "" {
		why = in.wrong()
	}
	switch {
	case why != "":
		t.invalid(c, why)
	case !t.opts.ManyStreams && slices.ContainsFunc(t.streams, func(s *stream) bool { return s.client == c.client }):
		refuse(c.w, http.StatusConflict, "stream_error", "Only one stream per receiver is allowed.")
	default:
		s := t.newStream(c, in)
		t.streams = append(t.streams, s)
		if t.opts.Profile == Authentik {
			t.enqueue(s, verification(s, map[string]any{"state": nil}))
		}
		answer(c.w, http.StatusCreated, t.shown(s))
	}
}

func (t *Transmitter) newStream(c *call, in received) *stream {
	s := &stream{id: rand.Text(), client: c.client, config: in, status: "enabled", active: c.now}
	s.aud = []string{"https://" + c.client + ".example.com"}
	if t.opts.Profile == Keycloak {
		s.aud = []string{c.client + "/" + s.id}
	}
	return s
}

// transmitterSupplied are the members that a receiver must not set (SSF 8.1.1).
func transmitterSupplied() []string {
	return []string{"stream_id", "iss", "aud", "events_supported", "events_delivered", "min_verification_interval", "inactivity_timeout"}
}

// read takes a body's JSON object into v and tells which members it has.
func read(body []byte, v any) (members map[string]json.RawMessage, why string) {
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, "The body is no JSON object"
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, "The body has a member of a wrong type"
	}
	return members, ""
}

// wrong says why a receiver's configuration can't be had, or "".
func (in received) wrong() string {
	if in.Delivery == nil {
		return "Without a delivery the method is poll, which is not supported (SSF 8.1.1.1)"
	}
	endpoint, err := url.Parse(in.Delivery.EndpointURL)
	switch {
	case in.Delivery.Method != methodPush:
		return "The method is not supported: " + in.Delivery.Method
	case err != nil || endpoint.Scheme != "https" || endpoint.Host == "":
		return "The endpoint_url is no https URL (RFC 8935, 3)"
	case in.Requested != nil && len(*in.Requested) == 0:
		return "The events_requested are empty (SSF 8.1.1)"
	}
	return ""
}

// delivered are the event types that the stream has.
func (t *Transmitter) delivered(s *stream) []string {
	both := []string{}
	if s.config.Requested == nil {
		return both
	}
	for _, kind := range t.opts.Supported {
		if slices.Contains(*s.config.Requested, kind) {
			both = append(both, kind)
		}
	}
	return both
}

// shown is the configuration as a receiver reads it. The authorization_header is not in
// it: it is a secret.
func (t *Transmitter) shown(s *stream) map[string]any {
	all := map[string]any{
		"stream_id": s.id, "iss": t.issuer.String(), "aud": s.aud,
		"events_supported": t.opts.Supported, "events_delivered": t.delivered(s),
		"delivery": map[string]string{"method": s.config.Delivery.Method, "endpoint_url": s.config.Delivery.EndpointURL},
	}
	if s.config.Requested != nil {
		all["events_requested"] = *s.config.Requested
	}
	if s.config.Description != nil {
		all["description"] = *s.config.Description
	}
	if t.opts.MinVerification > 0 {
		all["min_verification_interval"] = int(t.opts.MinVerification.Seconds())
	}
	if t.opts.Inactivity > 0 {
		all["inactivity_timeout"] = int(t.opts.Inactivity.Seconds())
	}
	return all
}

// readStream reads one stream, or lists all of the receiver's (SSF 8.1.1.2).
func (t *Transmitter) readStream(c *call) {
	if c.r.URL.Query().Has("stream_id") {
		if s := t.find(c, c.r.URL.Query().Get("stream_id")); s != nil {
			answer(c.w, http.StatusOK, t.shown(s))
		}
		return
	}
	all := []map[string]any{}
	for _, s := range t.streams {
		if s.client == c.client {
			all = append(all, t.shown(s))
		}
	}
	answer(c.w, http.StatusOK, all)
}

// updateStream changes what the body has (SSF 8.1.1.3).
func (t *Transmitter) updateStream(c *call) {
	t.change(c, func(s *stream, in received) received {
		if in.Delivery == nil {
			in.Delivery = s.config.Delivery
		}
		if in.Requested == nil {
			in.Requested = s.config.Requested
		}
		if in.Description == nil {
			in.Description = s.config.Description
		}
		return in
	})
}

// replaceStream deletes what the body lacks (SSF 8.1.1.4).
func (t *Transmitter) replaceStream(c *call) {
	t.change(c, func(_ *stream, in received) received { return in })
}

func (t *Transmitter) change(c *call, merge func(*stream, received) received) {
	in := struct {
		received
		ID string `json:"stream_id"`
	}{}
	members, why := read(c.body, &in)
	if why == "" && in.ID == "" {
		why = "The stream_id is missing (SSF 8.1.1.3)"
	}
	if why != "" {
		t.invalid(c, why)
		return
	}
	s := t.find(c, in.ID)
	if s == nil {
		return
	}
	config := merge(s, in.received)
	if why = config.wrong(); why == "" {
		why = mismatch(members, t.shown(s))
	}
	if why != "" {
		t.invalid(c, why)
		return
	}
	s.config = config
	answer(c.w, http.StatusOK, t.shown(s))
}

// mismatch says which member that the transmitter supplies is another than it has, or "".
func mismatch(members map[string]json.RawMessage, shown map[string]any) string {
	for _, name := range transmitterSupplied() {
		if given, present := members[name]; present && !same(given, shown[name]) {
			return "The transmitter's own " + name + " is another (SSF 8.1.1.3)"
		}
	}
	return ""
}

// same tells whether two values are one in JSON.
func same(a, b any) bool {
	return bytes.Equal(canonical(a), canonical(b))
}

func canonical(v any) []byte {
	text, err := json.Marshal(v)
	var plain any
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err == nil {
		text, err = json.Marshal(plain) // members in order
	}
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	return text
}

// deleteStream removes a stream and all that waits in it (SSF 8.1.1.5).
func (t *Transmitter) deleteStream(c *call) {
	if !c.r.URL.Query().Has("stream_id") {
		t.invalid(c, "The stream_id is missing in the query (SSF 8.1.1.5)")
		return
	}
	if s := t.find(c, c.r.URL.Query().Get("stream_id")); s != nil {
		t.streams = slices.DeleteFunc(t.streams, func(other *stream) bool { return other == s })
		nothing(c.w, http.StatusNoContent)
	}
}
