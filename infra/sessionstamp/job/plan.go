package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Class is what an order means for one user.
type Class string

// The classes.
const (
	// Due: the user is to be signed out, once.
	Due Class = "due"
	// UnderWay: a call was made, or may have been, and the ledger does not know its stamp
	// yet. The order sees to it, and calls again only if there is none.
	UnderWay Class = "under_way"
	// Stamped: the stamp suffices.
	Stamped  Class = "stamped"
	Excluded Class = "excluded"
	// Guest: or another one who signs in elsewhere.
	Guest Class = "guest"
	// Managed: the domain is not federated, or not served.
	Managed  Class = "managed"
	NotFound Class = "not_found"
	// Unclear: Graph did not say enough, and the user is left alone.
	Unclear Class = "unclear"
)

// A Plan is what an order would do if it were given now. It has changed nothing.
type Plan struct {
	Verb Verb
	// Made is when it was made, UTC: the moment t of a sign-out.
	Made time.Time
	// GoesOn is the moment of the sign-out that this one goes on with, zero for none.
	GoesOn time.Time
	// Users are all who are meant, the newest first.
	Users []Planned
	// Unreadable counts users of the tenant who could not be read, and of whom nobody
	// knows whether they are meant.
	Unreadable int
}

// A Planned is one user of a Plan.
type Planned struct {
	// User has only its ID if it was not found, or is unclear for Err.
	User  directory.User
	Class Class
	// Reason is what package stamp says.
	Reason stamp.Reason
	// Err is what kept Graph from answering. It names nobody.
	Err error

	found     bool
	notBefore time.Time
	kept      bool // notBefore is that of the sign-out that goes on
	facts     stamp.Facts
}

// Count tells how many users are of a class.
func (p Plan) Count(c Class) (n int) {
	for _, u := range p.Users {
		if u.Class == c {
			n++
		}
	}
	return n
}

// Order is the order that the plan is for: those under way, and those due, the newest
// first; of these at most limit, or all if it is 0. A sign-out that goes on with another
// names those as well whom that one has signed out: so the next one knows of them too.
func (p Plan) Order(limit int) Order {
	o := Order{Verb: p.Verb, Started: p.Made}
	due := 0
	for _, u := range p.Users {
		if u.Class == Due {
			due++
		}
		if u.Class == UnderWay || u.Class == Stamped && u.kept || u.Class == Due && (limit <= 0 || due <= limit) {
			o.Targets = append(o.Targets, Target{User: u.User.ID, NotBefore: u.notBefore})
		}
	}
	return o
}

// Duration is how long it takes to sign that many users out, if Graph answers as it
// should, to the second above. Reading the stamps back takes [stamp.Policy].ReplicationLag
// after that.
func Duration(users int) time.Duration {
	return time.Duration((users+CallsPerSecond-1)/CallsPerSecond) * time.Second
}

// Plan finds out what an order would do. It reads whoever is meant and writes nothing. It
// fails where Graph as a whole does.
func (e *Engine) Plan(ctx context.Context, w Wanted) (Plan, error) {
	if err := w.validate(); err != nil {
		return Plan{}, err
	}
	p := Plan{Verb: w.Verb, Made: e.Now().UTC()}
	before, err := e.stored(ctx)
	if err != nil {
		return Plan{}, err
	}
	if p.Users, p.Unreadable, err = e.read(ctx, w); err != nil {
		return Plan{}, err
	}
	if w.Verb == SignOut {
		kept := before.moments(e.Policy, p.Made)
		if w.Afresh {
			clear(kept)
		}
		p.setMoments(kept)
	}
	if err := e.judge(ctx, p); err != nil {
		return Plan{}, err
	}
	slices.SortStableFunc(p.Users, func(a, b Planned) int {
		return cmp.Or(b.User.Created.Compare(a.User.Created), cmp.Compare(a.User.ID, b.User.ID))
	})
	return p, nil
}

// setMoments sets what the users of a sign-out are to have: a stamp that is not older than
// the plan, or than the sign-out that it goes on with.
func (p *Plan) setMoments(kept map[string]time.Time) {
	for i := range p.Users {
		u := &p.Users[i]
		u.notBefore = p.Made
		if before, ok := kept[u.User.ID]; ok {
			u.notBefore, u.kept, p.GoesOn = before, true, before
		}
	}
}

// judge finds everybody's class, as package stamp will decide.
func (e *Engine) judge(ctx context.Context, p Plan) error {
	domains, err := e.domains.For(ctx, p.Made, foundUsers(p.Users)...)
	if err != nil {
		return err
	}
	all := pointers(p.Users)
	entries, err := e.ledger.Entries(ctx, e.Tenant, idsOf(all))
	if err != nil {
		return err
	}
	decide := func(u *Planned) {
		u.Class, u.Reason = e.class(entries[u.User.ID], *u, p.Made)
	}
	var due []*Planned
	for _, u := range all {
		u.facts = stamp.Facts{User: u.User, Found: u.found, Federation: stamp.Managed}
		if domains.Contain(u.User.Domain()) {
			u.facts.Federation = stamp.Federated
		}
		if decide(u); u.Class == Due {
			due = append(due, u)
		}
	}
	if len(e.ExcludedGroups) == 0 {
		return nil
	}
	return inBatches(ctx, due, func(ctx context.Context, batch []*Planned) error {
		memberships, err := e.Graph.MemberOf(ctx, idsOf(batch), e.ExcludedGroups)
		if err != nil {
			return fmt.Errorf("ask who is in an excluded group: %w", err)
		}
		for i, u := range batch {
			u.Err, u.facts.Excluded = memberships[i].Err, len(memberships[i].Groups) > 0
			decide(u)
		}
		return nil
	})
}

// class is what an order means for a user about whom the ledger says that much.
func (e *Engine) class(known stamp.Entry, u Planned, now time.Time) (Class, stamp.Reason) {
	if u.Err != nil {
		return Unclear, stamp.ReasonGraphUnavailable
	}
	req := stamp.Request{
		Tenant: e.Tenant, User: u.User.ID, NotBefore: u.notBefore, Source: stamp.SourcePerson, Approved: true,
		// A person knows users who are not of this minute.
		Seen: now.Add(-e.Policy.ReplicationLag),
	}
	d, recalled := stamp.Recall(known, req, e.Policy, now)
	if !recalled {
		d = stamp.Decide(known, u.facts, req, e.Policy, now)
	}
	return classOf(d), d.Reason
}

// classOf reads a decision about a person's request.
func classOf(d stamp.Decision) Class {
	switch d.Reason {
	case stamp.ReasonReadBackEarly: // it waits for an older call, and then is due
		return Due
	case stamp.ReasonClaimed, stamp.ReasonReadBackPending, stamp.ReasonEmptySeen, stamp.ReasonReadBack:
		return UnderWay
	case stamp.ReasonStamped, stamp.ReasonKnownStamped:
		return Stamped
	case stamp.ReasonExcluded:
		return Excluded
	case stamp.ReasonGuest, stamp.ReasonNotMember:
		return Guest
	case stamp.ReasonNotFederated:
		return Managed
	case stamp.ReasonNotFound:
		return NotFound
	default:
		if d.Verdict == stamp.Call {
			return Due
		}
		return Unclear
	}
}

// foundUsers are the users who were found: whether their domains are federated must
// be known for certain.
func foundUsers(users []Planned) []directory.User {
	var found []directory.User
	for _, u := range users {
		if u.found {
			found = append(found, u.User)
		}
	}
	return found
}
