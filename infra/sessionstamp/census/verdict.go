package census

// Verdict is what a census says about a tenant. The values are codes in JSON.
type Verdict string

// The verdicts.
const (
	// NotFederated: no domain is federated, so nobody can lack the stamp for this cause.
	NotFederated Verdict = "not_federated"
	// Nobody: federated domains have no members yet.
	Nobody Verdict = "nobody"
	// Needed: new users get no stamp.
	Needed Verdict = "needed"
	// Once: new users get theirs, and older ones lack it: they are cured once.
	Once Verdict = "once"
	// Untold: some lack it, and nobody is new enough to show what happens to new users.
	Untold Verdict = "untold"
	// NotNeeded: everybody has a stamp.
	NotNeeded Verdict = "not_needed"
)

// Verdicts returns all there are.
func Verdicts() []Verdict {
	return []Verdict{NotFederated, Nobody, Needed, Once, Untold, NotNeeded}
}

// Verdict decides. One new user without a stamp suffices: whoever gives stamps has missed
// that one.
func (c Census) Verdict() Verdict {
	switch {
	case len(c.Federated) == 0:
		return NotFederated
	case c.Recent.Without > 0:
		return Needed
	case c.Unknown > 0 && c.Members.Without == 0:
		return Untold
	case c.Members.All() == 0:
		return Nobody
	case c.Members.Without == 0:
		return NotNeeded
	case c.Recent.All() == 0:
		return Untold
	}
	return Once
}
