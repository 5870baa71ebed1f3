package revocation

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Policy decides, by the state of a user at one moment, whether that user may be
// signed out. It is pure: the same user, domains and times give the same answer.
type Policy struct {
	// NewUserWindow is how old a user may be, when first seen, and still be
	// stamped without asking.
	NewUserWindow time.Duration
	// Exclusions name the users that are never touched.
	Exclusions Exclusions
	// Backfill are the rules for existing users.
	Backfill Backfill
}

// Validate reports every fault.
func (p Policy) Validate() error {
	var faults []error
	if p.NewUserWindow <= 0 {
		faults = append(faults, fmt.Errorf("new-user window must be positive, is %s", p.NewUserWindow))
	}
	return errors.Join(append(faults, p.Exclusions.Validate(), p.Backfill.Validate())...)
}

// Scope is what a decision needs to know of the tenant at one moment.
type Scope struct {
	Domains FederatedDomains
	// Excluded are the members of excluded groups, by object id in lower case.
	Excluded map[string]bool
}

// Exclusions are the users whom the administrator keeps from being touched.
type Exclusions struct {
	// IDs are object ids, lower-case GUIDs.
	IDs []string
	// Patterns are compared, in lower case, with the whole user principal name:
	// * stands for any characters, ? for one ("svc-*@example.com").
	Patterns []string
}

// Validate reports every exclusion that could never match, because one that is
// mistyped protects nobody.
func (e Exclusions) Validate() error {
	var faults []error
	for _, id := range e.IDs {
		if !directory.IsID(id) {
			faults = append(faults, fmt.Errorf("excluded id %q is not an object id (a lower-case GUID)", id))
		}
	}
	for _, pattern := range e.Patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			faults = append(faults, fmt.Errorf("excluded pattern %q is malformed: use * and ?, and close every [", pattern))
		} else if !strings.ContainsAny(pattern, "@*") {
			faults = append(faults, fmt.Errorf("excluded pattern %q matches nobody: write the whole user principal name, or use * (%s*)", pattern, pattern))
		}
	}
	return errors.Join(faults...)
}

func (e Exclusions) match(u directory.User) bool {
	for _, id := range e.IDs {
		if strings.EqualFold(id, u.ID) {
			return true
		}
	}
	name := strings.ToLower(u.UserPrincipalName)
	for _, pattern := range e.Patterns {
		if ok, err := path.Match(strings.ToLower(pattern), name); ok || err != nil {
			return true // a pattern that can't be read excludes everybody
		}
	}
	return false
}

// Decide tells why the user, first seen at seen, is to be revoked
// ([ReasonNewUser]) or left alone (any other reason). Where the answer is in
// doubt the user is left alone.
//
// A user's age counts from the moment that we first heard of the user: what an
// outage, of Graph or of ours, delays must not turn a new user into an old one.
func (p Policy) Decide(u directory.User, scope Scope, seen time.Time) Reason {
	switch {
	case !u.StampKnown:
		return ReasonStampUnknown
	case !u.SignInSessionsValidFrom.IsZero():
		return ReasonStamped
	case invited(u):
		return ReasonGuest
	case !strings.EqualFold(u.UserType, "Member"):
		return ReasonNotMember
	case !scope.Domains.Contain(u.Domain()):
		return ReasonNotFederated
	case scope.Excluded[strings.ToLower(u.ID)] || p.Exclusions.match(u):
		return ReasonExcluded
	case u.Created.IsZero():
		return ReasonCreatedUnknown
	case seen.Sub(u.Created) > p.NewUserWindow:
		return ReasonExistingUser
	}
	return ReasonNewUser
}

// invited tells whether the account signs in at another tenant, which a B2B
// member with userType Member does as well as a guest.
func invited(u directory.User) bool {
	return strings.EqualFold(u.UserType, "Guest") ||
		strings.EqualFold(u.CreationType, "Invitation") ||
		u.ExternalUserState != ""
}
