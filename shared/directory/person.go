package directory

import "errors"

// What is wrong with a name that a person gave for a user or a group. They are the causes of
// an [Error]; none quotes the name.
var (
	ErrNoName       = errors.New("this is neither a user principal name, nor a mail address, nor an object id")
	ErrNoUser       = errors.New("no user has this name, address or object id")
	ErrSeveralUsers = errors.New("several users have this name or address; give the object id")
	ErrNoGroup      = errors.New("no group has this name or object id")
	// ErrHiddenMembers: of such a group Graph shows nobody, to nearly everybody.
	ErrHiddenMembers = errors.New("the group hides its members (HiddenMembership); name another group, or the users")
)

// ErrNoLicence is the cause of a 403 for a tenant that lacks the licence for a call.
var ErrNoLicence = errors.New("the tenant does not have the licence that this needs (Microsoft Entra ID P1 or P2)")

// Name is what a person knows a user by. It is for the screen of the person who asked, and
// must never reach a log.
type Name struct {
	// ID is the object id, a lower-case GUID.
	ID string
	// Both texts are of one line, and may be empty.
	DisplayName, UserPrincipalName string
}

// Group is a [group] as far as a person chooses one by it.
//
// [group]: https://learn.microsoft.com/graph/api/resources/group
type Group struct {
	// ID is the object id, a lower-case GUID.
	ID string
	// DisplayName is of one line. Several groups may have the same.
	DisplayName string
	// HiddenMembers tells that visibility is HiddenMembership.
	HiddenMembers bool
}

// Organization is the [organization] of the tenant.
//
// [organization]: https://learn.microsoft.com/graph/api/resources/organization
type Organization struct {
	// ID is the tenant id, a lower-case GUID.
	ID string
	// DisplayName is of one line.
	DisplayName string
}
