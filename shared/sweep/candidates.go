package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// grace is how long a notification may take. A user younger than that is queued with a
// delay, so that the notification comes first and nobody is taken for missed too early.
const grace = stamp.MaxDelay

// takeDelta queues the candidates of a page of delta.
func (r *run) takeDelta(ctx context.Context, page directory.UserPage) error {
	r.count(page)
	var found []directory.User
	now := r.Now().UTC()
	for _, u := range page.Users {
		if r.judge(completed(u, now), stamp.Federated, now).Action == stamp.Call {
			found = append(found, u)
		}
	}
	return r.enqueue(ctx, found, now)
}

// completed fills in what delta leaves out of a user, so that the user is looked at:
// delta shows what has changed, and never a property that never had a value.
func completed(u directory.User, now time.Time) directory.User {
	if u.UserType == "" {
		u.UserType = "Member"
	}
	if u.Created.IsZero() {
		u.Created = now
	}
	u.StampKnown = true // without a value, where it is absent
	return u
}

// takeList queues the candidates of a page of the list, which shows all properties, and
// returns what has been counted so far.
//
// The domain does not matter for a candidate: package stamp knows a domain that was
// federated a moment ago, and the list of domains here may not. It matters for the counts.
func (r *run) takeList(ctx context.Context, page directory.UserPage) (Counts, error) {
	now := r.Now().UTC()
	domains, err := r.Domains.For(ctx, now)
	if err != nil {
		return Counts{}, err
	}
	c := r.stored.Doc.Counts
	c.Matched = r.match(c.Matched, page.Users)
	var found []directory.User
	for _, u := range page.Users {
		d := r.judge(u, stamp.Federated, now)
		if d.Action != stamp.Finish {
			found = append(found, u)
		}
		if domains.Contain(u.Domain()) {
			c.add(u, d)
		}
	}
	r.count(page)
	c.Pages, c.Users, c.Unreadable = c.Pages+1, c.Users+len(page.Users), c.Unreadable+page.Unreadable
	r.report.Members, r.report.Unstamped, r.report.Existing = c.Members, c.Unstamped, c.Existing
	return c, r.enqueue(ctx, found, now)
}

// add counts a user of a federated domain.
func (c *Counts) add(u directory.User, d stamp.Decision) {
	if isMember(u) {
		c.Members++
	}
	if d.Reason == stamp.ReasonExisting {
		c.Existing++
	}
	if d.Reason == stamp.ReasonExisting || d.Action != stamp.Finish {
		c.Unstamped++
	}
}

// isMember tells members from guests, and from users who sign in at another tenant
// whatever their userType. An old user may have no userType, and is a member.
func isMember(u directory.User) bool {
	return (u.UserType == "" || strings.EqualFold(u.UserType, "Member")) &&
		!strings.EqualFold(u.CreationType, "Invitation") && u.ExternalUserState == ""
}

// judge says what package stamp would do about a user of whom it knows nothing else.
func (r *run) judge(u directory.User, f stamp.Federation, now time.Time) stamp.Decision {
	return stamp.Decide(stamp.Entry{}, stamp.Facts{User: u, Found: true, Federation: f}, r.request(u.ID, now), r.Policy, now)
}

func (r *run) request(user string, now time.Time) stamp.Request {
	return stamp.Request{Tenant: r.Tenant, User: user, Source: stamp.SourceSweep, Seen: now}
}

// count counts a page that was read.
func (r *run) count(page directory.UserPage) {
	r.report.Pages++
	r.report.Users += len(page.Users)
	r.report.Unreadable += page.Unreadable
}

// enqueue puts the candidates of a page into the queue, each once.
func (r *run) enqueue(ctx context.Context, found []directory.User, now time.Time) error {
	var requests []stamp.Delayed
	seen := make(map[string]bool)
	for _, u := range found {
		if !seen[u.ID] && directory.IsID(u.ID) {
			seen[u.ID] = true
			requests = append(requests, stamp.Delayed{Request: r.request(u.ID, now), Delay: delay(u, now)})
		}
	}
	r.report.Candidates += len(requests)
	if len(requests) == 0 {
		return nil
	}
	if err := r.Queue.Postpone(ctx, requests); err != nil {
		return fmt.Errorf("queue %d candidates: %w", len(requests), err)
	}
	r.report.Queued += len(requests)
	return nil
}

// delay is what is left of the grace. Where delta does not show the age, it is all.
func delay(u directory.User, now time.Time) time.Duration {
	if u.Created.IsZero() {
		return grace
	}
	return min(max(0, grace-now.Sub(u.Created)), grace)
}

// match adds the exclusions that match one of the users to matched. It tries each by
// itself: a user whom two of them exclude shows that both are right.
func (r *run) match(matched []string, users []directory.User) []string {
	matched = slices.Clone(matched)
	for _, name := range r.unmatched(matched) {
		one := stamp.Exclusions{Patterns: []string{name}}
		if directory.IsID(name) {
			one = stamp.Exclusions{IDs: []string{name}}
		}
		if slices.ContainsFunc(users, func(u directory.User) bool { _, ok := one.Match(u); return ok }) {
			matched = append(matched, name)
		}
	}
	return matched
}

// unmatched are the ids and patterns that are not among matched.
func (r *run) unmatched(matched []string) []string {
	all := slices.Concat(r.Policy.Exclusions.IDs, r.Policy.Exclusions.Patterns)
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(matched, name) })
}
