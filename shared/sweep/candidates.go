package sweep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// grace is how long a notification may take. A user younger than that is queued with a
// delay, so that the notification comes first and nobody is taken for missed too early.
const grace = stamp.MaxDelay

// complete fills in what delta leaves out of users, so that they are looked at: delta
// shows what has changed, and never a property that never had a value.
func complete(users []directory.User, now time.Time) {
	for i := range users {
		u := &users[i]
		if u.UserType == "" {
			u.UserType = "Member"
		}
		if u.Created.IsZero() {
			u.Created = now
		}
		u.StampKnown = true // without a value, where it is absent
	}
}

// enqueue puts those users of a page who may be new into the queue.
//
// The domain does not matter: package stamp knows a domain that was federated a moment
// ago, and the list of domains here may not.
func (r *run) enqueue(ctx context.Context, users []directory.User) error {
	var requests []stamp.Delayed
	now := r.Now().UTC()
	for _, u := range users {
		if r.judge(u, stamp.Federated, now).Verdict != stamp.Done {
			delay := min(max(0, grace-now.Sub(u.Created)), grace)
			requests = append(requests, stamp.Delayed{Request: r.request(u.ID, now), Delay: delay})
		}
	}
	if len(requests) == 0 || r.dry {
		return nil
	}
	if err := r.Queue.Postpone(ctx, requests); err != nil {
		return fmt.Errorf("queue %d candidates: %w", len(requests), err)
	}
	r.report.Queued += len(requests)
	return nil
}

// judge says what package stamp would do about a user of whom it knows nothing else.
func (r *run) judge(u directory.User, f stamp.Federation, now time.Time) stamp.Decision {
	return stamp.Decide(stamp.Entry{}, stamp.Facts{User: u, Found: true, Federation: f}, r.request(u.ID, now), r.Policy, now)
}

func (r *run) request(user string, now time.Time) stamp.Request {
	return stamp.Request{Tenant: r.Tenant, User: user, Source: stamp.SourceSweep, Seen: now}
}

// survey adds a page of the list to what the full round has counted.
func (r *run) survey(ctx context.Context, c *Checkpoint, users []directory.User) error {
	now := r.Now().UTC()
	domains, err := r.Domains.For(ctx, now)
	if err != nil {
		return err
	}
	for _, u := range users {
		f := domains.Of(u)
		reason := r.judge(u, f, now).Reason
		c.Counts.add(reason, f == stamp.Federated && u.Member() && !u.Invited())
		if r.dry {
			r.report.group(reason).add(u)
		}
	}
	c.Unmatched = unmatched(c.Unmatched, users)
	r.report.Counts = c.Counts
	return nil
}

// unmatched are those of the excluded ids and patterns that match none of the users. Each
// is tried by itself: a user whom two of them exclude shows that both are right.
func unmatched(exclusions []string, users []directory.User) []string {
	return slices.DeleteFunc(slices.Clone(exclusions), func(name string) bool {
		one := stamp.Exclusions{IDs: []string{name}, Patterns: []string{name}}
		return slices.ContainsFunc(users, func(u directory.User) bool {
			_, ok := one.Match(u)
			return ok
		})
	})
}
