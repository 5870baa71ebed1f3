package stamp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// fakeGraph is a tenant behind [stamp.Directory]. It fails the test when
// somebody is signed out who must not be: out of scope, or stamped already,
// whatever a lagging replica may have said.
type fakeGraph struct {
	t     testing.TB
	steps *steps
	lag   time.Duration // how long after a call its stamp can be read

	mu    sync.Mutex
	users map[string]*fakeUser
}

// fakeUser is one user of the tenant, and how Graph treats the user.
type fakeUser struct {
	directory.User

	// outOfScope users must never be signed out.
	outOfScope bool
	// grouped users are in the excluded group.
	grouped bool
	// ordered is when a person asks for a new stamp: from then on another may be made.
	ordered time.Time
	// missing users are answered 404, and so are those who appear later.
	missing bool
	appears time.Time
	// answers are what the next calls come to; when they are used up, a call
	// is accepted and takes effect.
	answers []answer
	// deaf users can be signed out, but get no stamp.
	deaf bool
	// readErr answers every reading of this user.
	readErr error
	// show changes what a read shows, if it is set.
	show func(u *directory.User)

	calls    []time.Time // calls that reached Graph
	signOuts []time.Time // calls that took effect
}

// An answer is what one call of revokeSignInSessions comes to.
type answer struct {
	err    error
	effect bool
}

// graphError is an answer of Graph. Only an error with NotDone promises that
// nothing was done.
func graphError(status int, options ...func(*directory.Error)) *directory.Error {
	e := &directory.Error{Operation: "revokeSignInSessions", StatusCode: status, NotDone: true}
	for _, option := range options {
		option(e)
	}
	return e
}

func retryAfter(d time.Duration) func(*directory.Error) {
	return func(e *directory.Error) { e.RetryAfter = d }
}

func (g *fakeGraph) ReadUsers(ctx context.Context, ids []string) (reads []directory.Read, err error) {
	g.checkBatch("ReadUsers", ids)
	err = g.steps.at(ctx, "Directory.ReadUsers", func() error {
		if err := ctx.Err(); err != nil {
			return &directory.Error{Operation: "read users", Err: err}
		}
		for _, id := range ids {
			reads = append(reads, g.read(id))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reads, nil
}

func (g *fakeGraph) read(id string) directory.Read {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, ok := g.users[id]
	switch {
	case !ok || u.missing || time.Now().Before(u.appears):
		return directory.Read{Err: graphError(404)}
	case u.readErr != nil:
		return directory.Read{Err: u.readErr}
	}
	shown := u.User
	if n := len(u.signOuts); n > 0 && time.Since(u.signOuts[n-1]) < g.lag {
		shown.SignInSessionsValidFrom = time.Time{}
	}
	if u.show != nil {
		u.show(&shown)
	}
	return directory.Read{User: shown}
}

func (g *fakeGraph) RevokeSignInSessions(ctx context.Context, ids []string) (errs []error, err error) {
	g.checkBatch("RevokeSignInSessions", ids)
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 20*time.Second {
		g.t.Errorf("revokeSignInSessions may take longer than the call timeout: until %s", deadline)
	}
	err = g.steps.at(ctx, "Directory.RevokeSignInSessions", func() error {
		if err := ctx.Err(); err != nil {
			return &directory.Error{Operation: "revokeSignInSessions", Err: err}
		}
		for _, id := range ids {
			errs = append(errs, g.revoke(id))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return errs, nil
}

func (g *fakeGraph) revoke(id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, ok := g.users[id]
	if !ok {
		g.t.Errorf("user %s was called for and is not in the tenant", id)
		return graphError(404)
	}
	u.calls = append(u.calls, time.Now())
	a := answer{effect: true}
	if len(u.answers) > 0 {
		a, u.answers = u.answers[0], u.answers[1:]
	}
	if a.effect {
		g.signOut(u)
	}
	return a.err
}

func (g *fakeGraph) signOut(u *fakeUser) {
	if u.outOfScope {
		g.t.Errorf("user %s is out of scope and was signed out", u.ID)
	}
	if n := len(u.signOuts); n > 0 && time.Since(u.signOuts[0]) > time.Minute && u.ordered.IsZero() {
		g.t.Errorf("user %s was signed out %s after a call that worked", u.ID, time.Since(u.signOuts[0]))
	}
	u.signOuts = append(u.signOuts, time.Now())
	if !u.deaf {
		u.SignInSessionsValidFrom = time.Now().UTC().Truncate(time.Second)
	}
}

func (g *fakeGraph) checkBatch(call string, ids []string) {
	distinct(g.t, call, ids)
	const most = 20 // https://learn.microsoft.com/graph/json-batching
	if len(ids) > most {
		g.t.Errorf("%s of %d users, Graph takes %d in a batch", call, len(ids), most)
	}
}

// errPlain is an error that promises nothing.
var errPlain = errors.New("connection reset by peer")

func (g *fakeGraph) MemberOf(ctx context.Context, ids, groups []string) (list []directory.Membership, err error) {
	g.checkBatch("MemberOf", ids)
	err = g.steps.at(ctx, "Directory.MemberOf", func() error {
		for _, id := range ids {
			m := directory.Membership{}
			if g.users[id].grouped {
				m.Groups = groups[:1]
			}
			list = append(list, m)
		}
		return nil
	})
	return list, err
}
