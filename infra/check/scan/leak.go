package main

import (
	"regexp"
	"strings"
)

// shape is how one kind of secret or name is recognised. Scanners of repositories know
// most of them: see GitHub's list of [secret patterns].
//
// [secret patterns]: https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
type shape struct {
	kind    string
	hints   []string // every match holds one of them; most texts hold none
	pattern *regexp.Regexp
}

// canaries are words in what tests invent where nothing else has a shape: passwords,
// tokens, display names.
var canaries = []string{"canary", "hunter2", "s3cr3t", "t0k3n", "wr0ng", "g4rbled", "c4nary"}

var shapes = []shape{
	{"a client secret", []string{"Q~", "Q%7"}, regexp.MustCompile(`(?:[\w.~-]|%7[Ee]){3}\dQ(?:~|%7[Ee])[\w.~%-]*`)},
	{"a token or an assertion", []string{"eyJ"}, regexp.MustCompile(`eyJ[\w-]{8,}\.[\w-]*`)},
	{"a private key", []string{"PRIVATE KEY", "NBgkqhkiG9w0BAQEFAASC"}, regexp.MustCompile(`BEGIN [A-Z ]*PRIVATE KEY|IBADANBgkqhkiG9w0BAQEFAASC`)},
	{"a private key", []string{""}, regexp.MustCompile(`[0-9]{150,}`)}, // its primes, as %+v prints them
	{"a PFX", []string{"IBAzCC"}, regexp.MustCompile(`MI[IJ][\w+/]{2}[AQgw]IBAzCC[\w+/]*`)},
	{"a user principal name", []string{"@", "%40"}, regexp.MustCompile(`[\w.+-]+(?:(?:#|%23)EXT(?:#|%23))?(?:@|%40)(?:[\w-]+\.)+[a-zA-Z]{2,}\b`)},
	{"a canary", []string{"4711"}, regexp.MustCompile(`(?i)\w*canary[-~]?4711\w*`)},
	{"a secret", canaries[1:], regexp.MustCompile(strings.Join(canaries[1:], "|"))},
}

// random are runs as long as the secret that Secrets Manager makes, and as a clientState
// that is derived from it.
var random = regexp.MustCompile(`[\w-]+`)

// escape is a JSON escape, perhaps of a text that was JSON already. Its letters do not
// count for what stands beside it.
var escape = regexp.MustCompile(`\\+(?:[bfnrt]|u00[0-9a-fA-F]{2})`)

// typed is what an administrator has typed into a setting, and is shown when it is refused.
var typed = regexp.MustCompile(`excluded pattern \\*"(?:[^"\\]|\\.)*"`)

var at = regexp.MustCompile(`\\+u0040`)

// find returns the first secret or name in a line, and its kind.
func find(line string) (kind, text string) {
	line = typed.ReplaceAllString(line, "")
	if strings.Contains(line, `\`) {
		line = escape.ReplaceAllString(at.ReplaceAllString(line, "@"), " ")
	}
	for _, s := range shapes {
		for _, hint := range s.hints {
			if !strings.Contains(line, hint) {
				continue
			}
			if match := s.pattern.FindString(line); match != "" {
				return s.kind, match
			}
		}
	}
	for _, run := range random.FindAllString(line, -1) {
		if (len(run) == 64 || len(run) == 43) && mixed(run) {
			return "a clientState", run
		}
	}
	return "", ""
}

// mixed tells whether a run has characters of all kinds. A digest in hexadecimal digits
// is as long, but in lower case.
func mixed(run string) bool {
	return strings.ToLower(run) != run && strings.ToUpper(run) != run && strings.ContainsAny(run, "0123456789")
}
