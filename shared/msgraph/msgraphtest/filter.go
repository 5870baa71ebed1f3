package msgraphtest

import (
	"regexp"
	"slices"
	"strings"
)

// filter is a $filter of the one form that is emulated: comparisons with eq, any of which
// suffices. nil lets all pass. See https://learn.microsoft.com/graph/filter-query-parameter.
type filter []comparison

type comparison struct{ property, value string }

// userFilters are the properties of users that can be compared without the advanced query
// parameters, as far as they are emulated, of a list by its lambda any; and advancedFilters
// those that need them. See https://learn.microsoft.com/graph/aad-advanced-queries.
var (
	userFilters     = []string{"userPrincipalName", "mail", "proxyAddresses/any", immutableID, securityIdentifier}
	advancedFilters = []string{samAccountName}
)

// advanced tells whether the call has the advanced query parameters. Half of them does not
// do.
func (c *call) advanced() (bool, error) {
	count, given := option(c.query, "$count")
	eventual := strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual")
	switch {
	case given && count != "true" && count != "false":
		return false, badRequest("Invalid value '%s' for $count query option found. Valid values are '%s'.", count, "true,false")
	case count == "true" && !eventual:
		return false, badRequest("$count is not currently supported.")
	}
	return count == "true", nil
}

// maxComparisons is how many a filter may have.
const maxComparisons = 15

// The forms of a comparison: a quote within a text is doubled.
var (
	plainComparison = regexp.MustCompile(`^(\w+) eq '((?:[^']|'')*)'$`)
	anyComparison   = regexp.MustCompile(`^(\w+/any)\((\w+):(\w+) eq '((?:[^']|'')*)'\)$`)
	either          = regexp.MustCompile(`'(?:[^']|'')*'| or `)
)

// filter reads $filter, which may compare those properties.
func (c *call) filter(resource string, properties ...string) (filter, error) {
	text, ok := option(c.query, "$filter")
	if !ok {
		return nil, nil
	}
	var f filter
	for _, part := range alternatives(text) {
		one, ok := readComparison(part)
		if !ok {
			return nil, badRequest("Invalid filter clause: there is an unterminated literal or a syntax error in '%s'.", text)
		}
		if !slices.ContainsFunc(properties, func(p string) bool { return strings.EqualFold(p, one.property) }) {
			return nil, unsupported("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", one.property, resource)
		}
		f = append(f, one)
	}
	if len(f) > maxComparisons {
		return nil, unsupported("Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: %d.", len(f), maxComparisons)
	}
	return f, nil
}

// alternatives are what " or " stands between, outside of texts.
func alternatives(text string) (parts []string) {
	from := 0
	for _, at := range either.FindAllStringIndex(text, -1) {
		if text[at[0]:at[1]] == " or " {
			parts = append(parts, text[from:at[0]])
			from = at[1]
		}
	}
	return append(parts, text[from:])
}

func readComparison(text string) (comparison, bool) {
	if m := plainComparison.FindStringSubmatch(text); m != nil {
		return comparison{m[1], strings.ReplaceAll(m[2], "''", "'")}, true
	}
	if m := anyComparison.FindStringSubmatch(text); m != nil && m[2] == m[3] {
		return comparison{m[1], strings.ReplaceAll(m[4], "''", "'")}, true
	}
	return comparison{}, false
}

// matches tells whether an object with these values passes; names are in lower case.
// Entra compares without regard to case.
func (f filter) matches(values map[string][]string) bool {
	return f == nil || slices.ContainsFunc(f, func(one comparison) bool {
		return slices.ContainsFunc(values[strings.ToLower(one.property)], func(v string) bool { return strings.EqualFold(v, one.value) })
	})
}

// filterValues are what userFilters compare.
func (d *tenantDirectory) filterValues(u *user) map[string][]string {
	values := map[string][]string{"userprincipalname": {u.upn}, "proxyaddresses/any": d.addresses[u.id]}
	for _, name := range []string{"mail", immutableID, samAccountName, securityIdentifier} {
		if text := u.text(propertyNamed(name).index); text != "" {
			values[strings.ToLower(name)] = []string{text}
		}
	}
	return values
}

// OnPremises is what a user who is synchronized has from Active Directory.
type OnPremises struct {
	ImmutableID, SAMAccountName, SecurityIdentifier string
}

// SetOnPremises writes onPremisesImmutableId and its kin, as Entra Connect does.
func (t *Tenant) SetOnPremises(id string, o OnPremises) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.mustFind(id)
	u.setText(propertyNamed(immutableID).index, o.ImmutableID)
	u.setText(propertyNamed(samAccountName).index, o.SAMAccountName)
	u.setText(propertyNamed(securityIdentifier).index, o.SecurityIdentifier)
}

// SetMail gives a user a mail address and proxyAddresses, each with its prefix: SMTP: for the
// primary address, smtp: for others.
func (t *Tenant) SetMail(id, mail string, proxies ...string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.dir.byID[mustParse(id)]
	u.setText(propertyNamed("mail").index, mail)
	t.dir.addresses[u.id] = proxies
}
