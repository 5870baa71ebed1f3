package signal

import (
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Bounds are what a source is trusted with, in the tenant as it is.
type Bounds struct {
	// Domains are those that the source may speak for, each by its exact name. Without
	// one it may speak for nobody: a secret that leaks then signs out no other domain.
	Domains []string
	// Federated are the tenant's federated domains, as they are known.
	Federated stamp.FederatedDomains
}

// Resolve returns the object id of the one user whom a subject means, or why there is
// none. The users are the directory's answer to the first question about the subject that
// had one. An error of the directory is no answer, and must not come here.
//
// It only says whom a source may speak of: whether the user is stamped or excluded,
// [stamp.Decide] decides, by what is true then.
func Resolve(s Subject, users []directory.User, b Bounds) (id string, reason Reason) {
	switch {
	case s == Subject{} || len(users) == 0:
		return "", SubjectUnknown
	case len(users) > 1:
		return "", SubjectAmbiguous
	}
	if reason := b.reason(users[0]); reason != "" {
		return "", reason
	}
	return users[0].ID, ""
}

// reason tells why a source may not speak of a user, or "". A guest comes first: the
// domain in a guest's name is ours.
func (b Bounds) reason(u directory.User) Reason {
	ours := func(domain string) bool { return strings.EqualFold(domain, u.Domain()) }
	switch {
	case u.Invited():
		return SubjectGuest
	case !u.Member():
		return SubjectNotMember
	case u.Domain() == "" || !slices.ContainsFunc(b.Domains, ours):
		return SubjectForeignDomain
	case !b.Federated.Contain(u.Domain()):
		return SubjectNotFederated
	}
	return ""
}
