package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

const (
	// hearing is how long signal test waits until the source is heard, and how long the
	// registry may leave out that one was heard again.
	hearing   = time.Minute
	hearEvery = 2 * time.Second
	// A source that was just added is known to the receiver within seconds.
	probeTries, probePause = 4, 5 * time.Second
)

func (c *call) signalTestVerb() *cobra.Command {
	var n naming
	return c.signalOf("signal-test", &n, func(ctx context.Context) error { return c.testSignal(ctx, n) })
}

// testSignal sends something that is no signal, and waits until the source was heard.
func (c *call) testSignal(ctx context.Context, n naming) error {
	one, err := c.listened(ctx, n)
	if err != nil {
		return err
	}
	credential, err := one.credential(ctx)
	if err != nil {
		return err
	}
	if err := c.probe(ctx, n, &one, credential); err != nil {
		return err
	}
	heard, err := c.awaitHeard(ctx, one)
	switch {
	case err != nil:
		return err
	case heard.IsZero():
		return c.unheard(ctx, n, one)
	}
	one.Heard = heard
	return c.show(view{
		before: []line{marked("✓ "+c.say("signal.heard", one.Name, c.when(heard)), screen.Good), c.modeLine(one.stack)},
		object: c.described(one), sheet: c.sourceList(one.stack, one).sheet(),
		next: []hint{{"signal list" + n.given(), "hint.signal_list"}},
	})
}

// probe has something sent to the receiver as the provider would.
func (c *call) probe(ctx context.Context, n naming, s *source, credential signal.Credential) error {
	if s.Kind != signal.KindSSF {
		c.tell(line{text: c.say("signal.sends", s.host()), colour: screen.Faint})
		return c.sendProbe(ctx, n, *s, credential)
	}
	c.tell(line{text: c.say("signal.asks_stream", s.Stream.Issuer), colour: screen.Faint})
	s.Stream.Asked = time.Time{} // so that it is due
	switch refused, err := c.keepStream(ctx, s, credential); {
	case err != nil:
		return err
	case refused != nil:
		return failure(refused, "fail.signal_transmitter", c.streamTrouble(s.Stream.Issuer, refused))
	case !s.Stream.Verified():
		return &trouble{status: wrong, key: "fail.signal_unverifiable", args: []any{s.Stream.Issuer}, next: []hint{{"signal list" + n.given(), "hint.signal_list"}}}
	}
	return nil
}

// sendProbe posts to the receiver, and asks it for Okta's handshake before.
func (c *call) sendProbe(ctx context.Context, n naming, s source, credential signal.Credential) error {
	if s.Kind == signal.KindOkta {
		challenge := rand.Text()
		body, err := c.post(ctx, n, s, func() (*http.Request, error) { return challengeOf(ctx, s, challenge) })
		if err != nil {
			return err
		}
		if !strings.Contains(string(body), challenge) {
			return failure(nil, "fail.signal_status", s.host(), language.Number(http.StatusOK))
		}
	}
	_, err := c.post(ctx, n, s, func() (*http.Request, error) { return c.pingOf(ctx, s, credential.Secrets[0]) })
	return err
}

// post sends a request, and again where the receiver may just not know the source yet.
func (c *call) post(ctx context.Context, n naming, s source, request func() (*http.Request, error)) (body []byte, err error) {
	const longest = 4 << 10
	status := 0
	for try := range probeTries {
		if try > 0 {
			if err := wait.For(ctx, probePause); err != nil {
				return nil, err
			}
		}
		r, err := request()
		if err != nil {
			return nil, err
		}
		answer, err := c.web(10 * time.Second).Do(r)
		if err != nil {
			return nil, cmp.Or(ctx.Err(), failure(err, "fail.signal_unreachable", s.host()))
		}
		body, _ = io.ReadAll(io.LimitReader(answer.Body, longest)) // the status says enough
		answer.Body.Close()
		if status = answer.StatusCode; status != http.StatusNotFound && status != http.StatusServiceUnavailable {
			break
		}
	}
	return body, c.answered(n, s, status)
}

func challengeOf(ctx context.Context, s source, challenge string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(), http.NoBody)
	if err == nil {
		r.Header.Set("X-Okta-Verification-Challenge", challenge)
	}
	return r, err
}

// pingOf is a POST of which no signal is made: a test.ping that is signed as Standard Webhooks
// says, or an event of Okta's that has no meaning
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
func (c *call) pingOf(ctx context.Context, s source, secret string) (*http.Request, error) {
	now := c.Now().UTC()
	body := fmt.Appendf(nil, `{"type":"test.ping","timestamp":%q,"data":{}}`, now.Format(time.RFC3339))
	if s.Kind == signal.KindOkta {
		body = fmt.Appendf(nil, `{"eventType":"com.okta.event_hook","data":{"events":[{"uuid":%q,"eventType":"sessionstamp.test"}]}}`, rand.Text())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if s.Kind == signal.KindOkta {
		r.Header.Set("Authorization", secret)
		return r, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	id, at := "msg_"+rand.Text(), strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, at, body) // a hash takes everything
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r, err
}

// answered says what a status of the receiver's means.
func (c *call) answered(n naming, s source, status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound:
		return failure(nil, "fail.signal_404", s.Name, s.host(), "sessionstamp status"+n.given())
	case status == http.StatusUnauthorized, status == http.StatusBadRequest, status == http.StatusForbidden:
		return failure(nil, "fail.signal_refused", s.Name, language.Number(status), "sessionstamp "+n.on("rotate", s.Name))
	case status == http.StatusServiceUnavailable:
		return failure(nil, "fail.signal_503", s.host(), "sessionstamp doctor"+n.given())
	}
	return failure(nil, "fail.signal_status", s.host(), language.Number(status))
}

// host is that of the receiver.
func (s source) host() string {
	host, _, _ := strings.Cut(strings.TrimPrefix(s.url(), "https://"), "/")
	return host
}

// awaitHeard returns when the source was heard, zero if it was not. Who was heard within the
// last minute is not written down again.
func (c *call) awaitHeard(ctx context.Context, s source) (time.Time, error) {
	drawn := screen.NewLine(c.Stderr, c.Err.Columns)
	defer drawn.Clear()
	if !c.Err.Live {
		c.tell(line{text: c.say("signal.waits"), colour: screen.Faint})
	}
	for waited := time.Duration(0); ; waited += hearEvery {
		known, err := s.stack.Registry(ctx)
		if err != nil {
			return time.Time{}, signalling(err)
		}
		heard := known.Sources[s.id].Heard
		if !heard.Equal(s.Heard) || isSet(heard) && c.Now().Sub(heard).Abs() < hearing {
			return heard, nil
		}
		if waited >= hearing {
			return time.Time{}, nil
		}
		if c.Err.Live {
			drawn.Draw("… " + c.say("signal.waits") + "  " + screen.Duration(c.lang, max(waited, time.Second)))
		}
		if err := wait.For(ctx, hearEvery); err != nil {
			return time.Time{}, err
		}
	}
}

// unheard says where a signal has stopped that was accepted.
func (c *call) unheard(ctx context.Context, n naming, s source) error {
	waiting, dead, err := s.stack.SignalQueues(ctx)
	if err != nil {
		return signalling(err)
	}
	t := &trouble{
		status: wrong, key: "fail.signal_unresolved", args: []any{s.Name, language.Number(waiting.Sum()), language.Number(dead.Sum())},
		next: []hint{{"doctor" + n.given(), "hint.doctor"}},
	}
	if s.Kind == signal.KindSSF && waiting.Sum()+dead.Sum() == 0 {
		t.key, t.args = "fail.signal_unsent", []any{s.Stream.Issuer, s.host()}
	}
	said, err := lastError(ctx, s.stack, c.Now().Add(-2*hearing))
	if said != "" {
		t.more = append(t.more, c.say("signal.resolver_says", said))
	}
	if err != nil && !errors.Is(err, stack.ErrNoResource) { // a log that was never written says nothing
		return signalling(err)
	}
	return t
}

// lastError is what the resolver has logged last as an error, "" for nothing.
func lastError(ctx context.Context, s *stack.Stack, since time.Time) (string, error) {
	const most = 100
	records, _, err := s.Logs(ctx, "ResolverFunction", since, `{ $.level = "ERROR" }`, most)
	if err != nil || len(records) == 0 {
		return "", err
	}
	var said struct{ Message, Error string }
	_ = json.Unmarshal([]byte(records[len(records)-1].Message), &said) // what is no JSON says nothing
	return strings.TrimSuffix(said.Message+": "+said.Error, ": "), nil
}
