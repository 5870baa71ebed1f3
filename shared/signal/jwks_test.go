package signal_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// TestKeys plays the life of a transmitter's keys, step after step.
func TestKeys(t *testing.T) {
	t.Parallel()
	p := &publisher{set: jwks(jwk("ec", &keys().ec.PublicKey))}
	s := stream(t, func(c *config) { c.keys = signal.NewKeys(p) })
	payload := claims(credentialChange, somebody)
	old := token(payload)
	next := compact(header("RS256", "rsa"), payload, jwt.SigningMethodRS256, keys().rsa)
	publish := func(set []byte, err error) func() { return func() { p.set, p.err = set, err } }
	both := jwks(jwk("ec", &keys().ec.PublicKey), jwk("rsa", &keys().rsa.PublicKey))
	broken := errors.New("no route")
	now := event
	for _, step := range []struct {
		name      string
		after     time.Duration
		change    func()
		body      []byte
		want      signal.Reason
		temporary bool
		fetched   int
	}{
		{"the first token fetches", 0, nil, old, "", false, 1},
		{"the second does not", time.Second, nil, old, "", false, 1},
		{"a new key too soon", time.Second, publish(both, nil), next, signal.UnknownKey, true, 1},
		{"and a minute later", time.Minute, nil, next, "", false, 2},
		{"a key that is nobody's", time.Minute, publish(jwks(jwk("ec", &keys().ec.PublicKey)), nil), compact(header("RS256", "x"), payload, jwt.SigningMethodRS256, keys().rsa), signal.UnknownKey, false, 3},
		{"what is withdrawn counts no more", time.Second, nil, next, signal.UnknownKey, true, 3},
		{"nor do keys of an hour", time.Hour, publish(nil, broken), old, signal.NoKeys, true, 4},
		{"which are not asked for at once", time.Second, publish(both, nil), old, signal.NoKeys, true, 4},
		{"but later", time.Minute, nil, old, "", false, 5},
		{"a set of no keys", time.Hour, publish([]byte(`{"keys":[]}`), nil), old, signal.NoKeys, true, 6},
		{"a page that is no set", time.Hour, publish([]byte(`<html>`), nil), old, signal.NoKeys, true, 7},
		{"a set without end", time.Hour, publish(append(both, strings.Repeat(" ", 1<<16)...), nil), old, signal.NoKeys, true, 8},
	} {
		now = now.Add(step.after)
		if step.change != nil {
			step.change()
		}
		_, err := receive(t, s, at(pushed(step.body), now))
		var refusal signal.Refusal
		if r := (*signal.Refusal)(nil); errors.As(err, &r) {
			refusal = *r
		}
		if refusal.Reason != step.want || refusal.Temporary != step.temporary || p.fetched != step.fetched || !p.bounded {
			t.Errorf("%s: %v, temporary %v, after %d fetches", step.name, err, refusal.Temporary, p.fetched)
		}
		if p.err != nil && p.fetched == step.fetched && refusal.Err != nil && !errors.Is(err, broken) {
			t.Errorf("%s: the cause is lost", step.name)
		}
	}
}

// TestWeakKeys publishes keys that must not be believed, beside the good one.
func TestWeakKeys(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is the matter
	if err != nil {
		t.Fatal(err)
	}
	vary := func(name, value string) map[string]string {
		key := jwk("x", &keys().rsa.PublicKey)
		key[name] = value
		return key
	}
	curve := jwk("x", &keys().ec.PublicKey)
	curve["y"] = curve["x"]
	payload := claims(credentialChange, somebody)
	for name, c := range map[string]struct {
		key  map[string]string
		body []byte
	}{
		"1,024 bits":            {jwk("x", &weak.PublicKey), compact(header("RS256", "x"), payload, jwt.SigningMethodRS256, weak)},
		"for another algorithm": {vary("alg", "RS512"), nil},
		"for encryption":        {vary("use", "enc"), nil},
		"an exponent of 1":      {vary("e", "AQ"), nil},
		"an even exponent":      {vary("e", "BA"), nil},
		"a huge exponent":       {vary("e", long()[:400]), nil},
		"no modulus":            {vary("n", ""), nil},
		"another type":          {vary("kty", "oct"), nil},
		"off the curve":         {curve, es256(header("ES256", "x"), payload)},
	} {
		if c.body == nil {
			c.body = compact(header("RS256", "x"), payload, jwt.SigningMethodRS256, keys().rsa)
		}
		p := &publisher{set: jwks(c.key, jwk("ec", &keys().ec.PublicKey))}
		s := stream(t, func(config *config) { config.keys = signal.NewKeys(p) })
		if _, err := receive(t, s, pushed(c.body)); reason(t, err) != signal.UnknownKey {
			t.Errorf("%s: %v", name, err)
		}
	}
}
