package stamp

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Policy holds the rules by which a user is stamped. A zero time stands for the one of
// [DefaultPolicy].
type Policy struct {
	// NewUserWindow is how old a user may be, by createdDateTime, and still be stamped
	// without a person's word.
	NewUserWindow time.Duration
	// ReplicationLag is how long after a write of Entra a read may still not show it.
	ReplicationLag time.Duration
	// CallWindow is how long after the claim calls may be made. Nobody has signed in
	// again by then, so a second call costs the user nothing.
	CallWindow time.Duration
	// CannotFixRetry is the age at which a user who was left to a person is looked at
	// again.
	CannotFixRetry time.Duration
	// GiveUpAfter is the age at which a request that is still put back becomes a dead
	// letter, for a person to see.
	GiveUpAfter time.Duration
	// ClockSkew is how much Graph's clock may lag behind ours.
	ClockSkew time.Duration
	// Exclusions name the users that are never touched.
	Exclusions Exclusions
}

// DefaultPolicy holds the times that a deployment starts with.
var DefaultPolicy = Policy{
	NewUserWindow:  72 * time.Hour,
	ReplicationLag: 5 * time.Minute,
	CallWindow:     time.Minute,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    4 * 24 * time.Hour,
	ClockSkew:      5 * time.Second,
}

// WithDefaults returns the policy with the default in place of every zero time.
func (p Policy) WithDefaults() Policy {
	d := DefaultPolicy
	p.NewUserWindow = cmp.Or(p.NewUserWindow, d.NewUserWindow)
	p.ReplicationLag = cmp.Or(p.ReplicationLag, d.ReplicationLag)
	p.CallWindow = cmp.Or(p.CallWindow, d.CallWindow)
	p.CannotFixRetry = cmp.Or(p.CannotFixRetry, d.CannotFixRetry)
	p.GiveUpAfter = cmp.Or(p.GiveUpAfter, d.GiveUpAfter)
	p.ClockSkew = cmp.Or(p.ClockSkew, d.ClockSkew)
	return p
}

// Validate reports every fault.
func (p Policy) Validate() error {
	var faults []error
	if min(p.NewUserWindow, p.ReplicationLag, p.CallWindow, p.CannotFixRetry, p.GiveUpAfter, p.ClockSkew) < 0 {
		faults = append(faults, errors.New("a time of the policy is negative"))
	}
	if wait := p.CallWindow + p.ReplicationLag; wait > MaxDelay {
		faults = append(faults, fmt.Errorf("call window and replication lag together are %s, and the queue delays by at most %s", wait, MaxDelay))
	}
	return errors.Join(append(faults, p.Exclusions.Validate())...)
}
