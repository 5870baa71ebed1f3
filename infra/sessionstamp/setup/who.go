package setup

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// emergency finds accounts that people keep for the day on which nobody else can sign in
// (https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access).
var emergency = regexp.MustCompile(`(?i)break[-_. ]?glass|emergency|緊急`)

// IsEmergency tells whether a user looks like an emergency access account by the name.
func IsEmergency(u directory.User) bool { return emergency.MatchString(u.UserPrincipalName) }

// Emergencies returns the users that look like emergency access accounts by their names.
func Emergencies(users []directory.User) (found []directory.User) {
	for _, u := range users {
		if IsEmergency(u) {
			found = append(found, u)
		}
	}
	return found
}

// A whom is who is excluded, as the template takes it.
type whom struct {
	users, patterns, groups []string
	problems                []Problem
}

// exclude finds out whom the person means, and refuses what protects nobody.
func (t Tenant) exclude(w Wishes) (e whom) {
	for _, name := range w.Excluded {
		t.excludeOne(&e, strings.TrimSpace(name), len(w.Excluded) == 1)
	}
	for _, name := range w.ExcludedGroups {
		t.excludeGroup(&e, name, len(w.ExcludedGroups) == 1)
	}
	for _, list := range []*[]string{&e.users, &e.groups} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return e
}

// excludeOne adds one user or pattern. Without a right in Entra nobody can be looked up.
func (t Tenant) excludeOne(e *whom, name string, alone bool) {
	add := func(key string, args ...any) { e.problems = append(e.problems, problem(key, args...)) }
	id, looks := strings.ToLower(name), t.Users != nil
	switch by := (stamp.Exclusions{Patterns: []string{name}}); {
	case name == none && alone:
	case name == none:
		add("none_alone")
	case directory.IsID(id):
		if looks && t.matching(stamp.Exclusions{IDs: []string{id}}) == 0 {
			add("nobody", name)
		}
		e.users = append(e.users, id)
	case by.Validate() != nil:
		add("pattern", name)
	case looks && t.matching(by) == 0:
		add("nobody", name)
	case looks && !strings.ContainsAny(name, "*?"):
		e.users = append(e.users, t.named(by)) // the name may change, and the ID does not
	default:
		e.patterns = append(e.patterns, name)
	}
}

// named returns the ID of the user with that name.
func (t Tenant) named(by stamp.Exclusions) string {
	for _, u := range t.Users {
		if _, ok := by.Match(u); ok {
			return u.ID
		}
	}
	return ""
}

func (t Tenant) excludeGroup(e *whom, name string, alone bool) {
	found, id := t.Groups[name], strings.ToLower(name)
	switch {
	case name == none && alone:
	case name == none:
		e.problems = append(e.problems, problem("none_alone"))
	case len(found) == 1 && found[0].HiddenMembers:
		e.problems = append(e.problems, problem("group_hidden", name))
	case len(found) == 1:
		e.groups = append(e.groups, found[0].ID)
	case len(found) > 1:
		e.problems = append(e.problems, problem("groups", name))
	case t.ID == "" && directory.IsID(id):
		e.groups = append(e.groups, id)
	case t.ID == "":
		e.problems = append(e.problems, problem("group_by_id", name))
	default:
		e.problems = append(e.problems, problem("no_group", name))
	}
}

// added is a list of exclusions with more of them, as they were written in a flag: "none" alone
// takes all away. Nothing to add is nothing said.
func added(before string, more, written []string) (value string, said bool) {
	if slices.Equal(written, []string{none}) {
		return "", true
	}
	all := Entries(before)
	for _, one := range more {
		if !slices.Contains(all, one) {
			all, said = append(all, one), true
		}
	}
	slices.Sort(all)
	return strings.Join(all, ","), said
}

// Entries are those of a parameter that holds a list, as the template takes it.
func Entries(list string) (all []string) {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

// protection is whom nobody stamps.
type protection struct{ users, patterns, groups []string }

// unprotected are those whom the first protects and the second does not: users by their names,
// and as they are written where nobody can be looked up.
func (t Tenant) unprotected(before, now protection) (names []string) {
	gone := func(before, now []string) {
		names = append(names, slices.DeleteFunc(before, func(one string) bool { return slices.Contains(now, one) })...)
	}
	if gone(before.groups, now.groups); t.Users == nil {
		gone(before.users, now.users)
		gone(before.patterns, now.patterns)
		return names
	}
	was, is := stamp.Exclusions{IDs: before.users, Patterns: before.patterns}, stamp.Exclusions{IDs: now.users, Patterns: now.patterns}
	for _, u := range t.Users {
		_, had := was.Match(u)
		if _, has := is.Match(u); had && !has {
			names = append(names, u.UserPrincipalName)
		}
	}
	return names
}
