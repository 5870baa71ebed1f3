package config

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// maxEntries is how many entries a list may have: 70 object ids take 2,590 bytes of the
// environment, and the other settings need the rest.
const maxEntries = 70

// maxBytes is what Lambda's environment holds in all
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxBytes = 4096

// lists are the variables that hold lists.
var lists = []string{federatedDomains, excludedUsers, excludedUPNPatterns, excludedGroups}

// list returns what stands between commas, without blanks around it. A list that may
// have lost entries on its way here is a fault.
func (r *reader) list(name string) []string {
	value := r.optional(name)
	if value == "" {
		return nil
	}
	entries := strings.Split(value, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
		if entries[i] == "" {
			r.fault(name, "has an empty entry %d: a comma too many, or a blank has cut the list off; write it in quotation marks, or without blanks", i+1)
			return nil
		}
	}
	switch {
	case strings.Contains(value, `\,`):
		r.fault(name, `holds \, : a comma does not have to be escaped, write a,b and not a\,b`)
		return nil
	case len(entries) > maxEntries:
		r.fault(name, "has %d entries, and at most %d fit into a function's environment: %s", len(entries), maxEntries, shorter(name))
		return nil
	}
	return entries
}

// shorter says what to do about a list that is too long.
func shorter(name string) string {
	switch name {
	case federatedDomains:
		return "leave it empty, and the tenant is asked"
	case excludedGroups:
		return "make one group of these groups, and exclude that"
	}
	return "make a group of these users, and exclude the group"
}

// size finds settings that together don't fit into the environment. The fault is told of
// the longest list.
func (r *reader) size() {
	total, longest := 0, lists[0]
	for name := range meanings {
		if value, ok := r.lookup(name); ok {
			total += len(name) + len(value)
		}
	}
	for _, name := range lists {
		if len(r.optional(name)) > len(r.optional(longest)) {
			longest = name
		}
	}
	if total > maxBytes {
		r.fault(longest, "is too long: all settings together take %d bytes, and a function's environment holds %d; %s", total, maxBytes, shorter(longest))
	}
}

// ids returns a list of object ids in lower case.
func (r *reader) ids(name string) []string {
	entries := r.list(name)
	for i, entry := range entries {
		entries[i] = strings.ToLower(entry)
		if !directory.IsID(entries[i]) {
			r.fault(name, "is not valid: entry %d is not an object ID, which is a GUID; separate them by commas", i+1)
		}
	}
	return entries
}

func (r *reader) domains() []string {
	names := r.list(federatedDomains)
	for i, name := range names {
		if _, err := stamp.FixedDomains(name); err != nil {
			r.fault(federatedDomains, "is not valid: entry %d is not a domain such as contoso.com", i+1)
		}
	}
	return names
}

func (r *reader) patterns() []string {
	patterns := r.list(excludedUPNPatterns)
	for i, pattern := range patterns {
		one := stamp.Exclusions{Patterns: []string{pattern}}
		if err := one.Validate(); err != nil {
			r.fault(excludedUPNPatterns, "is not valid: entry %d: %v", i+1, err)
		}
	}
	return patterns
}
