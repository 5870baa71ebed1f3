package sweep

import (
	"context"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A Preview tells what package stamp would do about every user there is, if the sweep
// were to find them now. Nothing is queued or written. What the ledger knows is not asked.
type Preview struct {
	// Reasons are all users, by what would be decided about them: those of "new" would be
	// stamped, and those of "existing" wait for a person.
	Reasons map[stamp.Reason]*Group `json:"reasons"`
	// GroupsNotRead are the excluded groups: their members are not left out of the counts
	// here. They are looked up for each user when it comes to a call.
	GroupsNotRead []string `json:"groups_not_read,omitempty"`
}

// A Group is the users of one reason.
type Group struct {
	Count int `json:"count"`
	// Domains counts them by the domain of the user principal name.
	Domains map[string]int `json:"domains"`
	// Months counts them by the month of creation, "2026-11", in UTC; "unknown" where
	// Graph shows none.
	Months map[string]int `json:"months"`
	// Users are the object ids of at most 50 of them.
	Users []string `json:"users"`
}

// previewed is how many object ids a Preview names for each reason.
const previewed = 50

// A survey is the making of a Preview.
type survey struct {
	*run

	reasons map[stamp.Reason]*Group
	matched []string
}

// preview reads all users and judges each. A run may be at work meanwhile.
func (s *Sweeper) preview(ctx context.Context) (Report, error) {
	v := &survey{run: s.newRun(KindPreview), reasons: make(map[stamp.Reason]*Group)}
	err := v.conclude(v.read(ctx))
	if v.report.Finished {
		v.report.UnmatchedExclusions = v.unmatched(v.matched)
	}
	v.report.Candidates, v.report.Existing = v.group(stamp.ReasonNew).Count, v.group(stamp.ReasonExisting).Count
	v.report.Unstamped = v.report.Candidates + v.report.Existing
	v.report.Preview = &Preview{Reasons: v.reasons, GroupsNotRead: s.Groups}
	s.log(ctx, v.report, err)
	return v.report, err
}

func (v *survey) read(ctx context.Context) error {
	for next, more := "", true; more; {
		if err := proceed(ctx); err != nil {
			return err
		}
		page, err := v.Graph.UserPage(ctx, next)
		if err == nil && page.Next != "" && page.Next == next {
			err = errNowhere
		}
		if err != nil {
			return fmt.Errorf("read a page of users: %w", err)
		}
		if err := v.take(ctx, page); err != nil {
			return err
		}
		next, more = page.Next, page.Next != ""
	}
	return nil
}

func (v *survey) take(ctx context.Context, page directory.UserPage) error {
	now := v.Now().UTC()
	domains, err := v.Domains.For(ctx, now)
	if err != nil {
		return err
	}
	for _, u := range page.Users {
		f := stamp.Managed
		if domains.Contain(u.Domain()) {
			f = stamp.Federated
		}
		v.group(v.judge(u, f, now).Reason).add(u)
		if f == stamp.Federated && isMember(u) {
			v.report.Members++
		}
	}
	v.count(page)
	v.matched = v.match(v.matched, page.Users)
	return nil
}

func (v *survey) group(r stamp.Reason) *Group {
	if v.reasons[r] == nil {
		v.reasons[r] = &Group{Domains: make(map[string]int), Months: make(map[string]int)}
	}
	return v.reasons[r]
}

func (g *Group) add(u directory.User) {
	month := "unknown"
	if !u.Created.IsZero() {
		month = u.Created.UTC().Format("2006-01")
	}
	g.Count++
	g.Domains[u.Domain()]++
	g.Months[month]++
	if len(g.Users) < previewed {
		g.Users = append(g.Users, u.ID)
	}
}
