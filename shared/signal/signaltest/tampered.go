package signaltest

import "maps"

// A Tampered SET is one that a receiver must refuse.
type Tampered struct {
	Token string
	// Err is the code that fits (RFC 8935, section 2.4).
	Err string
}

// Tampered spoils SETs of an event for the oldest stream, in the four ways of the OpenID
// Foundation's [receiver test]: a wrong signature, issuer, audience, and a key that isn't
// published. There must be a stream.
//
// [receiver test]: https://gitlab.com/openid/conformance-suite
func (t *Transmitter) Tampered(e Event) map[string]Tampered {
	t.mu.Lock()
	defer t.mu.Unlock()
	header, claims := t.set(t.streams[0], e)
	with := func(name string, value any) string {
		other := maps.Clone(claims)
		other[name] = value
		return t.sign(header, other)
	}
	good := t.sign(header, claims)
	stranger := maps.Clone(header)
	stranger["kid"] = "nobody's"
	return map[string]Tampered{
		"signature": {good[:len(good)-8] + "AAAAAAAA", "invalid_key"},
		"issuer":    {with("iss", "https://other.example.com"), "invalid_issuer"},
		"audience":  {with("aud", "https://other.example.com"), "invalid_audience"},
		"key":       {t.sign(stranger, claims), "invalid_key"},
	}
}
