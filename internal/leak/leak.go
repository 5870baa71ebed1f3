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
	"strconv"
	"strings"
	"unicode/utf8"
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

// misspelt are what tests invent where neither a shape nor [Canary] fits: passwords,
// tokens and what is none.
var misspelt = []string{"hunter2", "s3cr3t", "t0k3n", "wr0ng", "g4rbled", "c4nary"}

// shapes are those of what tests handle. The pattern of a user principal name is
// narrower than what Entra allows, and wider than what tests invent.
var shapes = []shape{
	{"a client secret", []string{"Q~", "Q%7"}, regexp.MustCompile(`(?:[\w.~-]|%7[Ee]){3}\dQ(?:~|%7[Ee])[\w.~%-]*`)},
	{"a token or an assertion", []string{"eyJ"}, regexp.MustCompile(`eyJ[\w-]{8,}\.[\w-]*`)},
	{"a private key", []string{"PRIVATE KEY", "NBgkqhkiG9w0BAQEFAASC"}, regexp.MustCompile(`BEGIN [A-Z ]*PRIVATE KEY|IBADANBgkqhkiG9w0BAQEFAASC`)},
	{"a user principal name", []string{"@", "%40"}, regexp.MustCompile(`[\w.+-]+(?:(?:#|%23)EXT(?:#|%23))?(?:@|%40)(?:[\w-]+\.)+[a-zA-Z]{2,}\b`)},
	{"a canary", []string{"4711"}, regexp.MustCompile(`(?i)\w*canary[-~]?4711\w*`)},
	{"a PFX", []string{"IBAzCC"}, regexp.MustCompile(`MI[IJ][\w+/]{2}[AQgw]IBAzCC[\w+/]*`)},
	{"a secret", misspelt, regexp.MustCompile(strings.Join(misspelt, "|"))},
}

// escape is a JSON escape, perhaps of a text that was JSON already.
var escape = regexp.MustCompile(`\\+(?:[bfnrt]|u[0-9a-fA-F]{4})`)

// unescape puts the sign that an escape stands for in its place, so that its letters
// do not count for what stands beside it.
func unescape(escaped []byte) []byte {
	letters := bytes.TrimLeft(escaped, `\`)
	if letters[0] != 'u' {
		return []byte{' '}
	}
	code, _ := strconv.ParseUint(string(letters[1:]), 16, 16) // the pattern has matched
	return utf8.AppendRune(nil, rune(code))
}

// Find returns the first leak in a text, which may be JSON.
func Find(text []byte) (found Leak, ok bool) {
	if bytes.IndexByte(text, '\\') >= 0 {
		text = escape.ReplaceAllFunc(text, unescape)
	}
	for _, s := range shapes {
		if match := s.find(text); match != nil {
			return Leak{s.kind, string(match)}, true
		}
	}
	if state := find(text, isAlphanumeric, isClientState); state != nil {
		return Leak{"a clientState", string(state)}, true
	}
	if number := find(text, isDigit, isLong); number != nil {
		return Leak{"a private key", string(number)}, true
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

// isClientState tells whether a run of letters and digits is one: they are of all
// kinds. A digest in hexadecimal digits is as long, but in lower case.
func isClientState(run []byte) bool { return len(run) == clientStateLength && mixed(run) }

// primeLength is less than the digits of the primes of a 1024-bit key, which is what
// %+v makes of it.
const primeLength = 150

func isLong(run []byte) bool { return len(run) >= primeLength }

// find returns the first run of bytes of a class, as long as it gets, that is wanted.
func find(text []byte, class func(byte) bool, wanted func(run []byte) bool) []byte {
	for len(text) > 0 {
		n := 0
		for n < len(text) && class(text[n]) {
			n++
		}
		if wanted(text[:n]) {
			return text[:n]
		}
		text = text[min(n+1, len(text)):]
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func mixed(text []byte) bool {
	return bytes.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz") &&
		bytes.ContainsAny(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && bytes.ContainsAny(text, "0123456789")
}
