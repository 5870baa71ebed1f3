package signaltest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// attempts are how often a SET is sent before it is given up, as Keycloak does.
	attempts = 8
	// patience is how long a receiver may take to answer.
	patience = 10 * time.Second
)

// An item is a SET that waits to be sent.
type item struct {
	kind, jti, token string
	tries            int
	due              time.Time
	last             bool // of a stream's status: it is sent whatever the status is
}

// A Delivery is one attempt to send a SET.
type Delivery struct {
	Time           time.Time
	Stream, Type   string
	JTI, Token     string
	Attempt        int    // from 1
	Status         int    // 0 where no answer came
	Err            string // the receiver's error code, with status 400
	Given, Refused bool   // given: the receiver has it; refused: it won't have it
}

// Emit signs an event and queues it on every stream that wants it and isn't disabled. It
// returns how many those are.
func (t *Transmitter) Emit(e Event) int {
	defer t.nudge()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(t.opts.Now())
	n := 0
	for _, s := range t.streams {
		if s.status != "disabled" && slices.Contains(t.delivered(s), e.Type) && t.wants(s, e.Subject) {
			t.enqueue(s, e)
			n++
		}
	}
	return n
}

// enqueue signs an event for a stream. t.mu is held.
func (t *Transmitter) enqueue(s *stream, e Event) *item {
	header, claims := t.set(s, e)
	i := &item{kind: e.Type, jti: claims["jti"].(string), token: t.sign(header, claims)}
	s.queue = append(s.queue, i)
	return i
}

// Pending counts the SETs that wait, held ones too.
func (t *Transmitter) Pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, s := range t.streams {
		n += len(s.queue)
	}
	return n
}

// Deliveries returns every attempt so far, oldest first.
func (t *Transmitter) Deliveries() []Delivery {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.deliveries)
}

// Deliver sends all that is due, each stream's in its order, and returns how many SETs the
// receivers took. One that fails is due again later, and those behind it wait.
func (t *Transmitter) Deliver(ctx context.Context) int {
	t.sending.Lock()
	defer t.sending.Unlock()
	given := 0
	for ctx.Err() == nil {
		s, i, to := t.next()
		if s == nil {
			break
		}
		d := t.send(ctx, i.token, to)
		if t.settle(s, i, d); d.Given {
			given++
		}
	}
	return given
}

// Run delivers until ctx is done: at once what is new, later what has failed.
func (t *Transmitter) Run(ctx context.Context) {
	for ctx.Err() == nil {
		t.Deliver(ctx)
		timer := time.NewTimer(t.idle())
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (t *Transmitter) nudge() {
	select {
	case t.wake <- struct{}{}:
	default: // awake already
	}
}

// head is the first that may be sent: with a stream that isn't enabled, what tells of that.
func (s *stream) head() *item {
	for _, i := range s.queue {
		if s.status == "enabled" || i.last {
			return i
		}
	}
	return nil
}

// next finds what is due, and where it goes.
func (t *Transmitter) next() (*stream, *item, delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.opts.Now()
	t.expire(now)
	for _, s := range t.streams {
		if i := s.head(); i != nil && !i.due.After(now) {
			return s, i, *s.config.Delivery
		}
	}
	return nil, nil, delivery{}
}

// idle is how long nothing is to be done, unless somebody calls.
func (t *Transmitter) idle() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, idle := t.opts.Now(), time.Hour
	for _, s := range t.streams {
		if i := s.head(); i != nil {
			idle = min(idle, i.due.Sub(now))
		}
		if t.opts.Inactivity > 0 && s.status == "enabled" {
			idle = min(idle, s.active.Add(t.opts.Inactivity).Sub(now)+time.Millisecond)
		}
	}
	return max(idle, time.Millisecond)
}

// send transmits one SET (RFC 8935, section 2.1).
func (t *Transmitter) send(ctx context.Context, token string, to delivery) Delivery {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.EndpointURL, strings.NewReader(token))
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	r.Header.Set("Content-Type", "application/secevent+jwt")
	if t.opts.Profile != Keycloak {
		r.Header.Set("Accept", "application/json")
	}
	if to.Authorization != "" {
		r.Header.Set("Authorization", to.Authorization)
	}
	client := http.Client{Transport: t.opts.Push, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, 1<<16))
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	return t.hear(got, body)
}

// hear judges a receiver's answer (RFC 8935, sections 2.2 and 2.3).
func (t *Transmitter) hear(got *http.Response, body []byte) Delivery {
	d := Delivery{Status: got.StatusCode}
	switch {
	case got.StatusCode == http.StatusAccepted:
		d.Given = true
		if len(body) > 0 {
			t.fault("accepted a SET with a body (RFC 8935, 2.2)")
		}
	case got.StatusCode == http.StatusBadRequest:
		d.Refused = true
		d.Err = t.hearRefusal(got.Header, body)
	case got.StatusCode < 400:
		t.fault("answered a SET with %d, neither 202 nor an error (RFC 8935, 2.2)", got.StatusCode)
	}
	return d
}

// hearRefusal judges a refusal and returns its code (RFC 8935, sections 2.3 and 2.4).
func (t *Transmitter) hearRefusal(h http.Header, body []byte) string {
	var said struct {
		Err         string  `json:"err"`
		Description *string `json:"description"`
	}
	if err := json.Unmarshal(body, &said); err != nil || !isJSON(h) {
		t.fault("refused a SET without saying why in JSON (RFC 8935, 2.3)")
	}
	if !slices.Contains(errorCodes(), said.Err) {
		t.fault("refused a SET with the unknown code %q (RFC 8935, 2.4)", said.Err)
	}
	if said.Description == nil || h.Get("Content-Language") == "" {
		t.fault("refused a SET without a description or a Content-Language (RFC 8935, 2.3)")
	}
	return said.Err
}

// errorCodes are those of RFC 8935, section 2.4, and of SSF 8.1.4.1.
func errorCodes() []string {
	return []string{"invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied", "invalid_state"}
}

// settle records an attempt and says what becomes of the SET: it is gone once it is given,
// refused or given up, else due again after twice the time.
func (t *Transmitter) settle(s *stream, i *item, d Delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i.tries++
	d.Time, d.Stream, d.Type, d.JTI, d.Token, d.Attempt = t.opts.Now(), s.id, i.kind, i.jti, i.token, i.tries
	t.deliveries = append(t.deliveries, d)
	i.due = d.Time.Add(time.Second << i.tries)
	if d.Given || d.Refused || i.tries == attempts {
		s.queue = slices.DeleteFunc(s.queue, func(other *item) bool { return other == i })
	}
}
