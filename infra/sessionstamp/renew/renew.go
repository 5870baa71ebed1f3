// Package renew replaces the client secret or the certificate that a deployment signs in to
// Entra with, so that at each moment the stored one works.
//
// The new credential is added to the app, stored beside the current one, proved by signing in
// with it, made the current one, and only then the one before is removed. [Renewal.Next]
// decides each step alone by what was read just before: so a run that was broken off anywhere
// is taken up by the next one.
//
// Nothing has to be waited for between the last two steps. A function that still holds the
// credential before is refused by Entra when its token ends, reads the secret anew upon that,
// and signs in with the new one in the same attempt.
//
// A credential that was added to the app by other means is never removed. Ours are known by
// their names: see [setup.Deployment.Ours].
package renew

import (
	"errors"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

var (
	// ErrRotation says that a version of the secret that is not ours is pending.
	ErrRotation = errors.New("another rotation of the secret is under way, or was broken off: a version that is not sessionstamp's has the stage AWSPENDING")
	// ErrChanged says that somebody else has stored another credential since the renewal began.
	ErrChanged = errors.New("somebody else has stored another credential meanwhile")
)

// A Version is one of the stored secret's.
type Version struct {
	// ID is Secrets Manager's, empty where there is no version.
	ID string
	account.Stored
}

// State is what was read at one moment.
type State struct {
	App directory.App
	// Current is the version that the functions read. Pending is the one that was not, or
	// not yet, made the current one.
	Current, Pending Version
}

// A Renewal is one run.
type Renewal struct {
	Deployment

	// Before is the version that was current when the run began, empty for none.
	Before string
	// New is the version that takes its place, empty until there is one.
	New string
	// Proved tells that Entra has taken New.
	Proved bool
	// Removed are those that were removed in this run, by their KeyID: Graph may
	// still list them.
	Removed []string
}

// A Step is what is to be done next.
type Step string

// The steps, in their order.
const (
	// Drop takes the stage AWSPENDING from a version that is of no use.
	Drop Step = "drop"
	// Add makes a credential, adds it to the app, and stores it as AWSPENDING.
	Add Step = "add"
	// Prove signs in with it until Entra knows it everywhere.
	Prove Step = "prove"
	// Promote makes it AWSCURRENT.
	Promote Step = "promote"
	// Settle takes AWSPENDING from it.
	Settle Step = "settle"
	// Remove removes one of [Renewal.Leftovers] from the app.
	Remove Step = "remove"
	// Done is the end.
	Done Step = "done"
)

// Begin plans a run: a new renewal, or the end of an earlier one.
func (d Deployment) Begin(s State) Renewal {
	r := Renewal{Deployment: d, Before: s.Current.ID}
	switch {
	case d.usable(s, s.Pending):
		r.New = s.Pending.ID
	case d.fresh(s) && len(r.Leftovers(s)) > 0:
		r.New, r.Proved = s.Current.ID, true // which the earlier run has done
	}
	return r
}

// usable tells whether a version is ours, and its credential can be seen at the app.
func (d Deployment) usable(s State, v Version) bool {
	return d.Ours(v.Name) && v.End.After(d.Now().Add(minimum)) && slices.ContainsFunc(s.App.Credentials, func(c directory.AppCredential) bool {
		return c.Name == v.Name && c.Certificate == d.Certificate && !c.OfPrincipal
	})
}

// fresh tells whether the current version is as new as one that would be made now.
func (d Deployment) fresh(s State) bool {
	return d.usable(s, s.Current) && !s.Current.End.Before(d.End().Add(-day))
}

// Next decides what is to be done. Its errors are [ErrRotation] and [ErrChanged].
func (r Renewal) Next(s State) (Step, error) {
	pending := s.Pending.ID != "" && s.Pending.ID != s.Current.ID
	switch {
	case s.Current.ID != r.Before && s.Current.ID != r.New:
		return "", ErrChanged
	case pending && s.Pending.ID != r.New && !r.Ours(s.Pending.Name):
		return "", ErrRotation
	case pending && s.Pending.ID != r.New && r.usable(s, s.Pending):
		return "", ErrChanged // another run of ours is at work
	case pending && s.Pending.ID != r.New:
		return Drop, nil
	case r.New == "":
		return Add, nil
	case s.Current.ID != r.New && s.Pending.ID != r.New:
		return "", ErrChanged
	case !r.Proved:
		return Prove, nil
	case s.Current.ID != r.New:
		return Promote, nil
	case s.Pending.ID == r.New:
		return Settle, nil
	case len(r.Leftovers(s)) > 0:
		return Remove, nil
	}
	return Done, nil
}

// Leftovers are the credentials at the app that we made and that serve for nothing any more:
// the one before, and what runs that were broken off have left.
func (r Renewal) Leftovers(s State) (left []directory.AppCredential) {
	for _, c := range s.App.Credentials {
		serves := c.Name == s.Current.Name || c.Name == s.Pending.Name
		if r.Ours(c.Name) && !c.OfPrincipal && !serves && !slices.Contains(r.Removed, c.KeyID) {
			left = append(left, c)
		}
	}
	return left
}

// Removes are those that the run will remove, as far as can be told before it.
func (r Renewal) Removes(s State) []directory.AppCredential {
	if r.New != s.Current.ID {
		s.Current = Version{}
	}
	if r.New != s.Pending.ID {
		s.Pending = Version{}
	}
	return r.Leftovers(s)
}

// Others are the credentials at the app that were added by other means.
func (d Deployment) Others(s State) (others []directory.AppCredential) {
	for _, c := range s.App.Credentials {
		if !d.Ours(c.Name) || c.OfPrincipal {
			others = append(others, c)
		}
	}
	return others
}
