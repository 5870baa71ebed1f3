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
	// Emergency: who orders for many leaves a user alone who looks like an emergency access
	// account. A plan has none.
	Emergency Class = "emergency"
	// Guest: or another one who signs in elsewhere.
	Guest Class = "guest"
	// Managed: the domain is not federated, or not served.
	Managed  Class = "managed"
	NotFound Class = "not_found"
	// FailedBefore: calls of this same order have failed, and it makes no more.
	FailedBefore Class = "failed"
	// Unclear: Graph did not say enough, and the user is left alone.
	Unclear Class = "unclear"
)

// A Plan is what an order would do if it were given now. It has changed nothing.
type Plan struct {
	Verb Verb
	// Made is when it was made, UTC: the moment t of a sign-out, unless a call is so recent
	// that it counts.
	Made time.Time
	// Users are all who are meant, the newest first.
	Users []Planned
	// Unreadable counts users of the tenant who could not be read, and of whom nobody
	// knows whether they are meant.
	Unreadable int
	// Exclusions and ExcludedGroups are those that it was made with.
	Exclusions     stamp.Exclusions
	ExcludedGroups []string
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
// first; of these at most limit, or all if it is 0.
func (p Plan) Order(limit int) Order {
	o := Order{Verb: p.Verb, Started: p.Made, Exclusions: p.Exclusions, ExcludedGroups: p.ExcludedGroups}
	due := 0
	for _, u := range p.Users {
		if u.Class == Due {
			due++
		}
		if u.Class == UnderWay || u.Class == Due && (limit <= 0 || due <= limit) {
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
	users, unreadable, err := e.read(ctx, w)
	if err != nil {
		return Plan{}, err
	}
	for i := range users {
		if at := w.Moments[users[i].User.ID]; w.Verb == Restamp {
			// [stamp.Decide] forgives as much as is added here, so it demands this very moment.
			// No stamp of the future can be asked for.
			if users[i].notBefore = at.Add(e.Policy.ClockSkew); users[i].notBefore.After(e.Now()) {
				users[i].notBefore = e.Now()
			}
		}
	}
	return e.judge(ctx, Order{Verb: w.Verb}, Plan{Users: users, Unreadable: unreadable})
}

// Continue finds out what is left to be done of an order that was stopped. Who was excluded
// when it was given still is.
func (e *Engine) Continue(ctx context.Context, o Order) (Plan, error) {
	ids, moments := make([]string, len(o.Targets)), make(map[string]time.Time, len(o.Targets))
	for i, t := range o.Targets {
		ids[i], moments[t.User] = t.User, t.NotBefore
	}
	users, err := e.readNamed(ctx, ids)
	if err != nil {
		return Plan{}, err
	}
	for i := range users {
		users[i].notBefore = moments[users[i].User.ID]
	}
	return e.excluding(o).judge(ctx, o, Plan{Users: users})
}

// moment is the moment t of a new sign-out of one user: now, or that of a call so recent
// that a server of Microsoft's may not show its stamp yet. So nobody is signed out twice by
// whoever gives an order again.
func (e *Engine) moment(known stamp.Entry, now time.Time) time.Time {
	called := known.Called
	if known.State == stamp.StateClaimed {
		called = known.Claimed
	}
	if age := now.Sub(called); age >= 0 && age <= e.Policy.CallWindow+e.Policy.ReplicationLag {
		return called
	}
	return now
}

// judge finds everybody's class, as package stamp will decide, and puts the newest first.
// The order is the one that goes on, or has no beginning: then it begins now, once Graph has
// told what time it is.
func (e *Engine) judge(ctx context.Context, o Order, p Plan) (Plan, error) {
	p.Verb, p.Made = o.Verb, e.Now().UTC()
	p.Exclusions, p.ExcludedGroups = e.Policy.Exclusions, e.ExcludedGroups
	domains, err := e.domains.For(ctx, p.Made, foundUsers(p.Users)...)
	if err != nil {
		return Plan{}, err
	}
	all := pointers(p.Users)
	for _, u := range all {
		if o.Started.IsZero() && p.Verb == SignOut {
			u.notBefore = p.Made
		}
		u.facts = stamp.Facts{User: u.User, Found: u.found, Federation: domains.Of(u.User)}
	}
	entries, err := e.known(ctx, all, p.Made)
	if err != nil {
		return Plan{}, err
	}
	decide := func(u *Planned) {
		u.Class, u.Reason = e.class(entries[u.User.ID], *u, o, p.Made)
	}
	var meant []*Planned
	for _, u := range all {
		if o.Started.IsZero() && p.Verb == SignOut {
			u.notBefore = e.moment(entries[u.User.ID], p.Made)
		}
		if decide(u); u.Class == Due || u.Class == UnderWay {
			meant = append(meant, u)
		}
	}
	if err := e.askGroups(ctx, meant, decide); err != nil {
		return Plan{}, err
	}
	slices.SortStableFunc(p.Users, func(a, b Planned) int {
		return cmp.Or(b.User.Created.Compare(a.User.Created), cmp.Compare(a.User.ID, b.User.ID))
	})
	return p, nil
}

// known reads the ledger: the file's or, of those whom Graph alone would leave due, since it
// takes a call for each, the deployment's.
func (e *Engine) known(ctx context.Context, users []*Planned, now time.Time) (map[string]stamp.Entry, error) {
	if e.Deployment == nil {
		return e.ledger.Entries(ctx, e.Tenant, idsOf(users))
	}
	var due []*Planned
	for _, u := range users {
		if class, _ := e.class(stamp.Entry{}, *u, Order{}, now); class == Due {
			due = append(due, u)
		}
	}
	return e.Deployment.Entries(ctx, idsOf(due))
}

// askGroups asks which of the users are in an excluded group, and decides again.
func (e *Engine) askGroups(ctx context.Context, users []*Planned, decide func(*Planned)) error {
	if len(e.ExcludedGroups) == 0 {
		return nil
	}
	return inBatches(ctx, users, func(ctx context.Context, batch []*Planned) error {
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
func (e *Engine) class(known stamp.Entry, u Planned, o Order, now time.Time) (Class, stamp.Reason) {
	switch {
	case u.Err != nil:
		return Unclear, stamp.ReasonGraphUnavailable
	case o.hasFailed(known):
		return FailedBefore, known.Reason
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
	if class := classOf(d); class != Due && class != UnderWay {
		return class, d.Reason
	}
	// A call that is under way brings nobody into scope.
	scope := stamp.Decide(stamp.Entry{}, u.facts, req, e.Policy, now)
	if class := classOf(scope); class == Excluded || class == Guest || class == Managed {
		return class, scope.Reason
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
