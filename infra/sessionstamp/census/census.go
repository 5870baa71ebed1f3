// Package census counts in a tenant who lacks the stamp, and says whether the tenant needs
// sessionstamp. It decides by what was read, and reads nothing itself.
package census

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Recent is how long ago a user was created at most who shows what happens to new ones.
const Recent = 30 * 24 * time.Hour

// Counts are users without and with a stamp.
type Counts struct{ Without, With int }

// All returns how many users were counted.
func (c Counts) All() int { return c.Without + c.With }

func (c *Counts) add(u directory.User) {
	if u.SignInSessionsValidFrom.IsZero() {
		c.Without++
	} else {
		c.With++
	}
}

// A Group are the members of one domain, or those created in one month.
type Group struct {
	// Name is the domain, or the month as 2026-04; "" for users without createdDateTime,
	// whom Graph has from before June 2018.
	Name string
	Counts
}

// A Census is what a tenant's domains and users show.
type Census struct {
	// Federated and Managed are the names of the verified domains, sorted.
	Federated, Managed []string
	// Members are those whom a person may have stamped, or who have a stamp already:
	// members, not guests, of federated domains.
	Members Counts
	// Recent are those of them who were created within the last 30 days.
	Recent Counts
	// Unstamped are those without a stamp, the newest first.
	Unstamped []directory.User
	// ByDomain has the domain with the most unstamped members first, ByMonth the oldest
	// month.
	ByDomain, ByMonth []Group
	// Unknown are the members of whom Graph did not say whether they have a stamp.
	Unknown int
}

// Take counts. A month is one of now's time zone. A user who is named twice counts once.
func Take(domains []directory.Domain, users []directory.User, now time.Time) Census {
	t := tally{now: now, byDomain: make(map[string]Counts), byMonth: make(map[string]Counts)}
	t.Federated, t.Managed = names(domains)
	federated := stamp.FederatedAmong(domains)
	seen := make(map[string]bool, len(users))
	for _, u := range users {
		switch {
		case seen[u.ID], !isMember(u, federated, now):
		case !u.StampKnown:
			t.Unknown++
		default:
			t.count(u)
		}
		seen[u.ID] = true
	}
	t.ByDomain = groups(t.byDomain, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Without, a.Without), strings.Compare(a.Name, b.Name))
	})
	t.ByMonth = groups(t.byMonth, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(t.Unstamped, func(a, b directory.User) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.UserPrincipalName, b.UserPrincipalName))
	})
	return t.Census
}

// tally is a census that is being taken.
type tally struct {
	Census
	now               time.Time
	byDomain, byMonth map[string]Counts
}

func (t *tally) count(u directory.User) {
	month := ""
	if !u.Created.IsZero() {
		month = u.Created.In(t.now.Location()).Format("2006-01")
		if t.now.Sub(u.Created) <= Recent {
			t.Recent.add(u)
		}
	}
	t.Members.add(u)
	addTo(t.byDomain, u.Domain(), u)
	addTo(t.byMonth, month, u)
	if u.SignInSessionsValidFrom.IsZero() {
		t.Unstamped = append(t.Unstamped, u)
	}
}

func addTo(counts map[string]Counts, name string, u directory.User) {
	c := counts[name]
	c.add(u)
	counts[name] = c
}

func groups(counts map[string]Counts, order func(a, b Group) int) []Group {
	all := make([]Group, 0, len(counts))
	for name, c := range counts {
		all = append(all, Group{name, c})
	}
	slices.SortFunc(all, order)
	return all
}

func names(domains []directory.Domain) (federated, managed []string) {
	for _, d := range domains {
		switch {
		case !d.Verified:
		case d.Federated:
			federated = append(federated, d.Name)
		default:
			managed = append(managed, d.Name)
		}
	}
	slices.Sort(federated)
	slices.Sort(managed)
	return federated, managed
}

// isMember tells whether the one door would let a person have the user stamped, if there
// were no stamp. So nobody is counted here and refused there.
func isMember(u directory.User, domains stamp.FederatedDomains, now time.Time) bool {
	u.SignInSessionsValidFrom, u.StampKnown = time.Time{}, true
	facts := stamp.Facts{User: u, Found: true, Federation: domains.Of(u)}
	asked := stamp.Request{User: u.ID, Source: stamp.SourcePerson, Approved: true, Seen: now}
	return stamp.Decide(stamp.Entry{}, facts, asked, stamp.DefaultPolicy, now).Verdict == stamp.Call
}
