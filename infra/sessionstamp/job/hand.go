package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A Deployment works orders off elsewhere: its Stamper has a ledger and a log of its own.
type Deployment interface {
	// Enqueue hands requests over. After an error some may have been taken.
	Enqueue(ctx context.Context, requests []stamp.Request) error
	// Handled returns what the Stamper's log says since a moment, in any order. It may lack
	// the latest, and hold what is no concern of ours.
	Handled(ctx context.Context, since time.Time) ([]Handled, error)
	// Entries returns what its ledger knows of users, by object id.
	Entries(ctx context.Context, users []string) (map[string]stamp.Entry, error)
	// Paused tells since when a person has stopped all stamping, zero for not.
	Paused(ctx context.Context) (time.Time, error)
}

// A Handled is one record of a Stamper's log. It does not tell which request it is about.
type Handled struct {
	// At is when it was written.
	At time.Time
	// User is the object id.
	User    string
	Verdict stamp.Verdict
	Reason  stamp.Reason
}

var (
	// ErrNotHanded ends an order of which a part may be with the deployment. It stays in
	// the file, and goes on.
	ErrNotHanded = errors.New("not all was handed over")
	// ErrPaused ends the following of an order that waits for a person.
	ErrPaused = errors.New("the deployment is paused")
	// ErrSilent ends the following of an order of which neither log nor Graph tells.
	ErrSilent = errors.New("neither the log nor Graph tells what became of the rest")
)

const (
	// handedAtOnce is how many requests are handed over between two looks at Ctrl-C.
	handedAtOnce = 200
	// listens is how often the log is read, and late how long a record may take to be in it.
	listens = 5 * time.Second
	late    = 2 * time.Minute
	// patience is how many times Graph is asked without any news: together longer than a
	// request may be put back.
	patience = 4
)

// Hand gives an order, new or unfinished, to the deployment, and follows it until each of its
// users is done. An order that is handed over whole is taken out of the file: the deployment
// goes on with it whatever becomes of this process. What the log has not told is read from
// Graph, and of a sign-out only Graph tells that the stamp is new enough.
//
// It ends with [ErrStopped] before that, and with [ErrNotHanded], [ErrPaused], [ErrSilent]
// or what ended ctx.
func (e *Engine) Hand(ctx context.Context, o Order, options RunOptions) (Result, error) {
	e = e.excluding(o)
	h := &handed{tracker: newTracker(e, o, options.Progress)}
	err := h.hand(ctx)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrNotHanded, err)
	} else if !options.NoWait {
		err = h.follow(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	r := h.ended()
	return r, errors.Join(err, h.keep(context.WithoutCancel(ctx), r))
}

// A handed is an order that a deployment works off.
type handed struct {
	*tracker

	given time.Time // when all was handed over
	heard time.Time // the latest record that was read
	news  bool      // since Graph was last asked
}

func (h *handed) hand(ctx context.Context) error {
	e := h.engine
	if err := e.Store(ctx, h.order); err != nil {
		return err
	}
	for some := range slices.Chunk(h.order.requests(e.Tenant, e.Now()), handedAtOnce) {
		requests := make([]stamp.Request, len(some))
		for i, d := range some {
			requests[i] = d.Request
		}
		if err := errors.Join(ctx.Err(), e.Deployment.Enqueue(ctx, requests)); err != nil {
			return err
		}
	}
	h.given = e.Now()
	return e.Store(context.WithoutCancel(ctx), Order{})
}

// keep records the order. Whoever has not failed is, or will be, called or spared.
func (h *handed) keep(ctx context.Context, r Result) error {
	if h.given.IsZero() {
		return nil // it goes on
	}
	return h.engine.keep(ctx, Record{
		Verb: h.order.Verb, Started: h.order.Started, Ended: h.engine.Now().UTC(), Reason: h.order.Reason,
		People: len(r.Users) - r.Count(Failed) - r.Count(Spared), Failed: r.Count(Failed),
	})
}

// follow listens to the log, and asks Graph once all stamps must show. Graph is asked again
// while there is news.
func (h *handed) follow(ctx context.Context) error {
	h.heard = h.order.Started
	var unread error
	for asked, quiet := h.given, 0; h.count.Ended < h.count.Total; {
		select {
		case <-time.After(listens):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		paused, err := h.engine.Deployment.Paused(ctx)
		h.listen(ctx)
		if err == nil && !paused.IsZero() && h.count.Ended < h.count.Total {
			return ErrPaused
		}
		if h.count.Ended == h.count.Total || h.engine.Now().Before(h.shows(asked)) {
			continue
		}
		if unread = h.look(ctx); h.news {
			quiet = 0
		} else if quiet++; quiet == patience {
			return errors.Join(ErrSilent, unread)
		}
		asked, h.news = h.engine.Now(), false
	}
	return nil
}

// shows is when Graph is to be asked: when every server of Microsoft's shows the last call.
func (h *handed) shows(asked time.Time) time.Time {
	return latest(asked, h.last).Add(h.engine.Policy.ReplicationLag + listens)
}

// listen reads the log. A log that can't be read is no end: Graph tells as well.
func (h *handed) listen(ctx context.Context) {
	records, err := h.engine.Deployment.Handled(ctx, h.heard.Add(-late))
	if err != nil {
		return
	}
	slices.SortStableFunc(records, func(a, b Handled) int { return a.At.Compare(b.At) })
	before := h.heard
	for _, r := range records {
		if !r.At.After(h.engine.Now().Add(late)) { // else all that comes would be older
			h.heard = latest(h.heard, r.At)
		}
		if end, ours := h.ends[r.User]; ours && !r.At.Before(h.order.Started) {
			h.news = h.news || r.At.After(before)
			if next, tells := hear(*end, r, h.order.Started, h.moments[r.User]); tells {
				h.note(end, next)
				h.news = true
			}
		}
	}
	h.tell()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hear tells what a record makes of a user of an order that began at started, and who is to
// have a stamp not older than moment. It may be about another request for the user: so it
// must not say more than is true of any.
func hear(end End, r Handled, started, moment time.Time) (next End, tells bool) {
	next = End{User: r.User, Fate: fateOf(stamp.Outcome{Verdict: r.Verdict, Reason: r.Reason}), Reason: r.Reason}
	if over(end.Fate) || next.Fate == Open {
		return end, false
	}
	switch r.Reason {
	case stamp.ReasonCalled:
		next.Called = r.At
		return next, r.At.After(end.Called)
	case stamp.ReasonReadBackPending:
		return next, end.Fate == Open && moment.IsZero()
	case stamp.ReasonReadBack, stamp.ReasonStamped, stamp.ReasonKnownStamped:
		if !end.Called.IsZero() {
			next.Fate = Cured
		}
		return next, moment.IsZero() // else the stamp may be too old for us
	case stamp.ReasonStillEmpty, stamp.ReasonKnownCannotFix:
		return next, !end.Called.IsZero() && r.At.After(end.Called) // else the call that has failed was an earlier one
	case stamp.ReasonGaveUp:
		return next, r.At.Sub(started) > stamp.DefaultPolicy.GiveUpAfter
	case stamp.ReasonForbidden, stamp.ReasonRefused, stamp.ReasonExcluded, stamp.ReasonGuest, stamp.ReasonNotMember,
		stamp.ReasonNotFederated, stamp.ReasonNotFound, stamp.ReasonDryRun:
		return next, true
	default: // said to the machine and to no person, or unknown to us: Graph tells
		return end, false
	}
}

// look reads those who are not at their end from Graph.
func (h *handed) look(ctx context.Context) error {
	var left []string
	for _, t := range h.order.Targets {
		if !over(h.ends[t.User].Fate) {
			left = append(left, t.User)
		}
	}
	e := h.engine
	users, err := e.readNamed(ctx, left)
	if err != nil {
		return err
	}
	now := e.Now()
	domains, err := e.domains.For(ctx, now, foundUsers(users)...)
	if err != nil {
		return err
	}
	for _, u := range users {
		u.notBefore = h.moments[u.User.ID]
		u.facts = stamp.Facts{User: u.User, Found: u.found, Federation: domains.Of(u.User)}
		end := h.ends[u.User.ID]
		class, reason := e.class(stamp.Entry{}, u, Order{}, now)
		if next, tells := see(*end, u, class, reason, h.order.Started.Add(-e.Policy.ClockSkew)); tells {
			h.note(end, next)
			h.news = true
		}
	}
	h.tell()
	return nil
}

// see tells what it makes of a user that Graph shows so. A stamp since then is the order's.
func see(end End, u Planned, class Class, reason stamp.Reason, since time.Time) (next End, tells bool) {
	next = End{User: end.User, Fate: Spared, Reason: reason, Called: end.Called}
	set := u.User.SignInSessionsValidFrom
	switch class {
	case Stamped:
		if !end.Called.IsZero() || !set.Before(since.Truncate(time.Second)) {
			next.Fate, next.Reason = Cured, stamp.ReasonReadBack
		}
		if next.Fate == Cured && end.Called.IsZero() {
			next.Called = set
		}
		return next, true
	case Excluded, Emergency, Guest, Managed, NotFound:
		return next, end.Fate == Open // who was called is waited for
	case Due, UnderWay, Unclear, FailedBefore:
	}
	return end, false
}

// ended is what became of everybody.
func (h *handed) ended() (r Result) {
	for _, t := range h.order.Targets {
		r.Users = append(r.Users, *h.ends[t.User])
	}
	return r
}
