package config

import (
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// maxEntries is how many entries a list may have: 70 object ids take 2,590 bytes of the
// environment, and the other settings need the rest.
const maxEntries = 70

// shorter is what to do about a list that is too long.
const shorter = "make one group of the users and groups, and exclude that; or leave the domains empty, which serves all"

// maxBytes is what Lambda's environment holds in all
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxBytes = 4096

// A list is a setting that holds one.
type list struct {
	setting
	bytes int
}

// list returns what stands between commas, without blanks around it. A list that may
// have lost entries on its way here is a fault.
func (r *reader) list(s setting) []string {
	value := r.optional(s)
	if len(value) >= r.longest.bytes {
		r.longest = list{s, len(value)}
	}
	if value == "" {
		return nil
	}
	if strings.Contains(value, `\,`) {
		r.fault(s, `holds \, : a comma does not have to be escaped, write a,b and not a\,b`)
		return nil
	}
	entries := strings.Split(value, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
		if entries[i] == "" {
			r.fault(s, "has an empty entry %d: a comma too many, or a blank has cut the list off; write it in quotation marks, or without blanks", i+1)
			return nil
		}
	}
	if len(entries) > maxEntries {
		r.fault(s, "has %d entries, and at most %d fit into a function's environment: %s", len(entries), maxEntries, shorter)
		return nil
	}
	return entries
}

// checkSize finds settings that together don't fit into the environment. The fault is
// told of the longest list.
func (r *reader) checkSize() {
	if r.bytes > maxBytes {
		r.fault(r.longest.setting, "is too long: all settings together take %d bytes, and a function's environment holds %d; %s", r.bytes, maxBytes, shorter)
	}
}

// ids returns a list of object ids in lower case.
func (r *reader) ids(s setting) []string {
	entries := r.list(s)
	for i, entry := range entries {
		entries[i] = strings.ToLower(entry)
		if !directory.IsID(entries[i]) {
			r.fault(s, "is not valid: entry %d is not an object ID, which is a GUID; separate them by commas", i+1)
		}
	}
	slices.Sort(entries)
	return slices.Compact(entries) // Graph refuses a group that is named twice
}

// maxGroups is in how many groups checkMemberGroups looks for a user
// (https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups).
const maxGroups = 20

func (r *reader) groups() []string {
	groups := r.ids(excludedGroups)
	if len(groups) > maxGroups {
		r.fault(excludedGroups, "has %d groups, and Microsoft Graph takes %d at most: make one group of them", len(groups), maxGroups)
	}
	return groups
}

func (r *reader) domains() []string {
	names := r.list(federatedDomains)
	for i, name := range names {
		if !stamp.IsDomainName(name) {
			r.fault(federatedDomains, "is not valid: entry %d is not a domain such as contoso.com", i+1)
		}
	}
	return names
}

func (r *reader) patterns() []string {
	patterns := r.list(excludedPatterns)
	for i, pattern := range patterns {
		one := stamp.Exclusions{Patterns: []string{pattern}}
		if err := one.Validate(); err != nil {
			r.fault(excludedPatterns, "is not valid: entry %d: %v", i+1, err)
		}
	}
	return patterns
}
