package stamp

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Exclusions are the users whom the administrator keeps from being touched.
type Exclusions struct {
	// IDs are object ids, lower-case GUIDs.
	IDs []string
	// Patterns are compared with the whole user principal name, in any case: * stands
	// for any characters, ? for one ("svc-*@contoso.com"). Nothing else is special.
	Patterns []string
}

// Validate reports every exclusion that protects nobody, or somebody else than was
// meant: an emergency account may stand behind it.
func (e Exclusions) Validate() error {
	var faults []error
	for _, id := range e.IDs {
		if !directory.IsID(id) {
			faults = append(faults, fmt.Errorf("excluded user %q is not an object id (a lower-case GUID)", id))
		}
	}
	for _, pattern := range e.Patterns {
		if fault := faultOf(pattern); fault != "" {
			faults = append(faults, fmt.Errorf("excluded pattern %q %s", pattern, fault))
		}
	}
	return errors.Join(faults...)
}

// mistakes are what people write who expect another syntax. No user principal name has
// these characters
// (https://learn.microsoft.com/entra/identity/hybrid/connect/howto-troubleshoot-upn-changes).
var mistakes = []struct{ chars, fault string }{
	{";|,", "is several in one: separate patterns by commas"},
	{"\"`“”‘’", "has a quotation mark in it: write the user principal name without quotes"},
	{`\`, "has a backslash in it: write name@domain, not DOMAIN\\name"},
	{"[](){}$", "is a regular expression: only * and ? are special"},
	{":<>", "is no user principal name: write name@domain"},
}

// faultOf says what is wrong with the pattern, "" if nothing is.
func faultOf(pattern string) string {
	if pattern == "" {
		return "is empty: leave it out"
	}
	switch {
	case strings.ContainsAny(pattern, " \t\r\n"):
		return "has a blank in it: separate patterns by commas"
	case strings.ContainsFunc(pattern, invisible):
		return "has an invisible character in it: type it anew instead of pasting it"
	case strings.HasPrefix(strings.ToLower(pattern), "mailto:"):
		return "begins with mailto: (leave that out)"
	case strings.Contains(pattern, ".*"), strings.Contains(pattern, ".+"), pattern[0] == '^':
		return "is a regular expression: write * alone for any characters"
	case strings.Trim(pattern, "'") != pattern:
		return "has a quotation mark at its end: write the user principal name without quotes"
	}
	for _, m := range mistakes {
		if strings.ContainsAny(pattern, m.chars) {
			return m.fault
		}
	}
	return faultOfName(pattern)
}

func faultOfName(pattern string) string {
	if strings.Count(pattern, "@") > 1 {
		return "has more than one @ in it: write one user principal name"
	}
	local, domain, hasAt := strings.Cut(pattern, "@")
	switch {
	case !hasAt && !strings.Contains(pattern, "*"):
		return "matches nobody: write the whole user principal name, or use * (" + pattern + "*)"
	case hasAt && local == "":
		return "has nothing before the @: write *" + pattern + " to exclude the whole domain"
	case hasAt && domain == "":
		return "has nothing after the @: write the whole user principal name, or use * (" + pattern + "*)"
	case strings.Trim(pattern, "*?@") == "":
		return "matches everybody: to stop all stamping use the dry run"
	}
	return ""
}

// invisible tells whether nobody can see the character, such as a zero-width space.
func invisible(c rune) bool {
	return c == unicode.ReplacementChar || unicode.IsSpace(c) || !unicode.IsGraphic(c)
}

// Match tells whether the user is excluded, and by which id or pattern.
func (e Exclusions) Match(u directory.User) (by string, ok bool) {
	for _, id := range e.IDs {
		if strings.EqualFold(id, u.ID) {
			return id, true
		}
	}
	name := []rune(strings.ToLower(u.UserPrincipalName))
	for _, pattern := range e.Patterns {
		if matches([]rune(strings.ToLower(pattern)), name) {
			return pattern, true
		}
	}
	return "", false
}

// matches compares a whole name with a pattern. Where it fails after a *, that *
// takes one character more.
func matches(pattern, name []rune) bool {
	p, n := 0, 0
	star, taken := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			taken++
			p, n = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(string(pattern[p:]), "*") == ""
}
