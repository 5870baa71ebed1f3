package stamp

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

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
		for _, m := range mistakes {
			if m.found.MatchString(pattern) {
				faults = append(faults, fmt.Errorf("excluded pattern %q %s", pattern, m.fault))
				break
			}
		}
	}
	return errors.Join(faults...)
}

// mistakes are what people write who expect another syntax; the first that is found is
// told. No user principal name has the characters that are refused
// (https://learn.microsoft.com/entra/identity/hybrid/connect/howto-troubleshoot-upn-changes).
var mistakes = []struct {
	found *regexp.Regexp
	fault string
}{
	{regexp.MustCompile(`^$`), "is empty: leave it out"},
	{regexp.MustCompile(`[ \t\r\n]`), "has a blank in it: separate patterns by commas"},
	{regexp.MustCompile(`[^\pL\pM\pN\pP\pS]|\x{FFFD}`), "has an invisible character in it: type it anew instead of pasting it"},
	{regexp.MustCompile(`(?i)^mailto:`), "begins with mailto: (leave that out)"},
	{regexp.MustCompile(`\.[*+]|^\^|[][(){}$]`), "is a regular expression: only * and ? are special"},
	{regexp.MustCompile("^'|'$|[\"`“”‘’]"), "has a quotation mark: write the user principal name without quotes"},
	{regexp.MustCompile(`[;|,]`), "is several in one: separate patterns by commas"},
	{regexp.MustCompile(`\\`), `has a backslash in it: write name@domain, not DOMAIN\name`},
	{regexp.MustCompile(`[^A-Za-z0-9'._!#^~@*?/-]`), "has a character that no user principal name has: type it anew, in Latin letters and half width"},
	{regexp.MustCompile(`@.*@`), "has more than one @ in it: write one user principal name"},
	{regexp.MustCompile(`^[*?@]+$`), "matches everybody: to stop all stamping use the dry run"},
	{regexp.MustCompile(`^[^@*]+$`), "matches nobody: write the whole user principal name, or use * for the rest"},
	{regexp.MustCompile(`^@`), "has nothing before the @: write * there to exclude the whole domain"},
	{regexp.MustCompile(`@$`), "has nothing after the @: write the whole user principal name, or use * for the rest"},
	{regexp.MustCompile(`@[^.*?]*$|@\.|\.\.|\.$|@.*[^A-Za-z0-9.*?-]`), "has no whole domain after the @, such as contoso.com"},
}

// Match tells whether the user is excluded, and by which id or pattern.
func (e Exclusions) Match(u directory.User) (by string, ok bool) {
	for _, id := range e.IDs {
		if strings.EqualFold(id, u.ID) {
			return id, true
		}
	}
	plain := func(s string) string { // to path a slash is special
		return strings.ReplaceAll(strings.ToLower(s), "/", "|")
	}
	for _, pattern := range e.Patterns {
		if matched, err := path.Match(plain(pattern), plain(u.UserPrincipalName)); matched || err != nil {
			return pattern, true
		}
	}
	return "", false
}
