package sweep

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// kind is what a page tells of a user who may lack a stamp.
type kind int

const (
	// kindNew: the revoker will take the user for a new one, by age.
	kindNew kind = iota
	// kindMissed: a notification should have told of the user.
	kindMissed
	// kindExisting: older than that.
	kindExisting
	// kindUnknown: Graph shows no createdDateTime. The revoker will leave the
	// user alone unless its own reading tells more.
	kindUnknown
)

// kindOf tells new users from existing ones.
//
// Whoever was created after the subscription began is a new user, and missed,
// however late we come: the age counts from when a notification should have
// come, not from now. That is a suspicion, not a count: the page may be older
// than the stamp, delta may not show the stamp at all, a notification may still
// be in our queue behind an outage of Graph, and a user who was moved into a
// federated domain was no new user of it. Only of those that the revoker then
// stamps is it certain that the sweep was first.
func (r *run) kindOf(u directory.User, now time.Time) kind {
	age := now.Sub(u.Created)
	since := r.checkpoint.Since
	switch {
	case u.Created.IsZero():
		return kindUnknown
	case !since.IsZero() && !u.Created.Before(since) && age <= r.Settings.Recover:
		return kindMissed
	case age <= r.Policy.NewUserWindow:
		return kindNew
	}
	return kindExisting
}

// wantedOfFull takes everybody: the list shows the stamp of all users.
func wantedOfFull(directory.User, kind) bool { return true }

// wantedOfIncrement leaves existing users whose stamp delta does not show to the
// next full round. Whether delta ever shows it is not documented. If it does not,
// a change to all users would otherwise put the whole company into the queue,
// with stamps or without. An existing user is in no hurry.
func (r *run) wantedOfIncrement(u directory.User, k kind) bool {
	return u.StampKnown || k != kindExisting
}

// counts are what a page holds.
type counts struct{ members, unstamped int }

// take puts the candidates of a page into the queue. Only then does it count in
// the report.
func (r *run) take(ctx context.Context, users []directory.User, wanted func(directory.User, kind) bool) (counts, error) {
	now := r.Now().UTC()
	n := counts{members: countMembers(users)}
	unstamped := members(users)
	if len(unstamped) > 0 {
		domains, err := r.Domains.For(ctx, now, unstamped)
		if err != nil {
			return n, err
		}
		unstamped = inScope(unstamped, domains)
	}
	n.unstamped = len(unstamped)
	b := r.newBatch(now)
	for _, u := range unstamped {
		if k := r.kindOf(u, now); wanted(u, k) {
			b.add(u, k)
		}
	}
	if len(b.requests) > 0 {
		if err := r.Queue.Postpone(ctx, b.requests); err != nil {
			return n, fmt.Errorf("queue %d candidates: %w", len(b.requests), err)
		}
	}
	r.report.Users += len(users)
	b.count()
	return n, nil
}

// isMember tells a member from guests, and from whoever signs in at another
// tenant whatever the userType.
func isMember(u directory.User) bool {
	return strings.EqualFold(u.UserType, "Member") &&
		!strings.EqualFold(u.CreationType, "Invitation") && u.ExternalUserState == ""
}

func countMembers(users []directory.User) int {
	n := 0
	for _, u := range users {
		if isMember(u) {
			n++
		}
	}
	return n
}

// members returns the members that show no stamp, each once.
func members(users []directory.User) []directory.User {
	var found []directory.User
	seen := make(map[string]struct{})
	for _, u := range users {
		stamped := u.StampKnown && !u.SignInSessionsValidFrom.IsZero()
		if _, again := seen[u.ID]; again || stamped || !isMember(u) || !directory.IsID(u.ID) {
			continue
		}
		seen[u.ID] = struct{}{}
		found = append(found, u)
	}
	return found
}

// inScope keeps the users whose domain is federated.
func inScope(users []directory.User, domains revocation.FederatedDomains) []directory.User {
	kept := users[:0]
	for _, u := range users {
		// A user without a name is the revoker's to read.
		if u.Domain() == "" || domains.Contain(u.Domain()) {
			kept = append(kept, u)
		}
	}
	return kept
}

// A batch is the candidates of one page.
type batch struct {
	run      *run
	now      time.Time
	requests []revocation.Delayed
	fresh    []string // new users among them
	missed   int
	late     time.Duration // of the oldest missed user
}

func (r *run) newBatch(now time.Time) *batch { return &batch{run: r, now: now} }

// add makes a request of a candidate.
func (b *batch) add(u directory.User, k kind) {
	if _, again := b.run.found[u.ID]; again {
		return
	}
	d := revocation.Delayed{Request: revocation.Request{
		Tenant: b.run.Tenant, User: u.ID, Source: revocation.SourceSweep, Seen: b.now,
	}}
	age := b.now.Sub(u.Created)
	switch k {
	case kindNew:
		b.fresh = append(b.fresh, u.ID)
	case kindMissed:
		b.fresh = append(b.fresh, u.ID)
		d.Request.Missed = true
		// A notification may still be on its way: it is to win.
		d.Delay = min(max(0, b.run.Settings.Grace-age), b.run.Settings.Grace)
		if d.Delay == 0 {
			b.missed++
			b.late = max(b.late, age)
		}
	case kindExisting, kindUnknown:
		d.Delay = spread(u.ID, b.run.Settings.Spread)
	}
	b.requests = append(b.requests, d)
}

// count enters what has been queued in the report.
func (b *batch) count() {
	r := b.run
	r.report.Candidates += len(b.requests)
	r.report.Missed += b.missed
	r.report.OldestMissed = max(r.report.OldestMissed, b.late)
	for _, id := range b.fresh {
		if len(r.found) >= maxFound {
			return
		}
		if r.found == nil {
			r.found = make(map[string]struct{})
		}
		r.found[id] = struct{}{}
	}
}

// spread delays an existing user by any time up to most, so that a thousand of
// them do not stand in the queue before a new one. It depends on nothing but the
// user, so that a run repeats.
func spread(user string, most time.Duration) time.Duration {
	seconds := uint32(most / time.Second) //nolint:gosec // at most 900
	if seconds == 0 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(user))
	return time.Duration(h.Sum32()%seconds) * time.Second
}
