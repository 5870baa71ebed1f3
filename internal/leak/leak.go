// Package leak recognises secrets and names in what tests write. No log, metric or
// error may hold any.
//
// Most have a shape of their own, as scanners of repositories know them: see GitHub's
// list of [secret patterns]. What has none, such as the displayName of a user, has a
// canary word in it wherever a test invents it.
//
// [secret patterns]: https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
package leak

import (
	"bytes"
	"regexp"
)

// Canary is the word for whatever has no shape.
const Canary = "canary-4711"

// A Leak is something that should not have been written.
type Leak struct {
	// Kind says what it is: "a client secret".
	Kind string
	// Text is what was found. It is invented, since tests know nothing else.
	Text string
}

// shape is how one kind is recognised.
type shape struct {
	kind string
	// hints are texts of which one is in every match: most texts have none, and are
	// done with quickly.
	hints   []string
	pattern *regexp.Regexp
}

// shapes are those of what tests handle. The pattern of a user principal name is
// narrower than what Entra allows, and wider than what tests invent.
var shapes = []shape{
	{"a client secret", []string{"8Q~"}, regexp.MustCompile(`[\w.~-]{3}8Q~[\w.~-]*`)},
	{"a token or an assertion", []string{"eyJ"}, regexp.MustCompile(`eyJ[\w-]{8,}\.[\w-]*`)},
	{"a private key", []string{"PRIVATE KEY", "NBgkqhkiG9w0BAQEFAASC"}, regexp.MustCompile(`BEGIN [A-Z ]*PRIVATE KEY|IBADANBgkqhkiG9w0BAQEFAASC`)},
	{"a user principal name", []string{"@"}, regexp.MustCompile(`[\w.+-]+@(?:[\w-]+\.)+[a-zA-Z]{2,}\b`)},
	{"a canary", []string{"anary", "ANARY"}, regexp.MustCompile(`(?i)\w*canary[-~]?4711\w*`)},
	{"a secret", []string{"hunter2", "s3cr3t"}, regexp.MustCompile(`hunter2|s3cr3t`)},
}

// Find returns the first leak in a text.
func Find(text []byte) (found Leak, ok bool) {
	for _, s := range shapes {
		if match := s.find(text); match != nil {
			return Leak{s.kind, string(match)}, true
		}
	}
	if state := clientState(text); state != nil {
		return Leak{"a clientState", string(state)}, true
	}
	return Leak{}, false
}

func (s shape) find(text []byte) []byte {
	for _, hint := range s.hints {
		if bytes.Contains(text, []byte(hint)) {
			return s.pattern.Find(text)
		}
	}
	return nil
}

// clientStateLength is the length of those that Secrets Manager and a rotation make.
const clientStateLength = 64

// clientState returns a run of 64 letters and digits that are of all kinds. A digest
// in hexadecimal digits is as long, but in lower case.
func clientState(text []byte) []byte {
	for len(text) > 0 {
		n := 0
		for n < len(text) && isAlphanumeric(text[n]) {
			n++
		}
		if n == clientStateLength && mixed(text[:n]) {
			return text[:n]
		}
		text = text[min(n+1, len(text)):]
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func mixed(text []byte) bool {
	return bytes.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz") &&
		bytes.ContainsAny(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && bytes.ContainsAny(text, "0123456789")
}
