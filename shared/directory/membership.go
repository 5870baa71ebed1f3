package directory

// Membership is the answer to the question in which of some groups one user is, directly
// or through other groups.
type Membership struct {
	// Groups are the ids of those groups, lower-case GUIDs. It is valid only where Err is nil.
	Groups []string
	// Err is of type [*Error].
	Err error
}
