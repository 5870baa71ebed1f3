package stamp

import "time"

// Policy holds the rules by which a user is stamped.
type Policy struct {
	// NewUserWindow is how old a user may be, by createdDateTime, and still be stamped
	// without a person's word.
	NewUserWindow time.Duration
	// ReplicationLag is how long after a write of Entra a read may still not show it.
	ReplicationLag time.Duration
	// CallWindow is how long after the claim calls may be made. Nobody has signed in
	// again by then, so a second call costs the user nothing. With the lag it is
	// [MaxDelay] at most.
	CallWindow time.Duration
	// CallTimeout bounds one call. No claim is taken with less time left, which may not
	// be enough to settle it.
	CallTimeout time.Duration
	// CannotFixRetry is the age at which a user who was left to a person is looked at
	// again.
	CannotFixRetry time.Duration
	// GiveUpAfter is the age at which a request that is still put back becomes a dead
	// letter, for a person to see.
	GiveUpAfter time.Duration
	// ClockSkew is how much Graph's clock may lag behind ours.
	ClockSkew time.Duration
	// EnforceSignals has users stamped again for what a provider reports. Without it, it
	// is only said who would be.
	EnforceSignals bool
	// Exclusions name the users that are never touched.
	Exclusions Exclusions
}

// DefaultPolicy holds the times that a deployment starts with.
var DefaultPolicy = Policy{
	NewUserWindow:  72 * time.Hour,
	ReplicationLag: 5 * time.Minute,
	CallWindow:     time.Minute,
	CallTimeout:    20 * time.Second,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    4 * 24 * time.Hour,
	ClockSkew:      5 * time.Second,
}
