// Package report makes one report of a tenant: who has no stamp and since when, how soon
// users were stamped, and what is left and why. [Report] is the result, for programs as
// JSON; [WriteHTML] draws one page of it and knows nothing else. The package decides by
// what was read, and reads nothing itself.
package report

import (
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A Head counts who has no stamp. Times are UTC. Its names in JSON, and those of [Report],
// are part of the command's interface.
type Head struct {
	// Tenant is the Entra tenant id.
	Tenant string `json:"tenant"`
	// Demo tells that the tenant is invented.
	Demo bool `json:"demo,omitempty"`
	// At is when the directory was read.
	At               time.Time `json:"at"`
	FederatedDomains []string  `json:"federatedDomains"`
	ManagedDomains   []string  `json:"managedDomains"`
	// Members are those of federated domains, and WithoutStamp those of them without one.
	Members      int `json:"members"`
	WithoutStamp int `json:"withoutStamp"`
	// RecentMembers were created in the last RecentDays.
	RecentDays         int `json:"recentDays"`
	RecentMembers      int `json:"recentMembers"`
	RecentWithoutStamp int `json:"recentWithoutStamp"`
	// Of Unknown members Graph did not say whether they have a stamp; Unreadable users
	// could not be read.
	Unknown    int `json:"unknown"`
	Unreadable int `json:"unreadable"`
	// Verdict is "" where nobody asks whether the tenant needs us.
	Verdict census.Verdict `json:"verdict,omitempty"`
}

// A Report is what one look at a tenant has shown. What is not known is left out of the
// JSON.
type Report struct {
	Head
	// Deployment is the name of the stack that was asked in the place of this machine, ""
	// for none.
	Deployment string `json:"deployment,omitempty"`
	// OverTime counts those known to have had no stamp at the end of a month, for the last
	// two years: those without one today, and those whom this machine has stamped since.
	// Who was stamped elsewhere is not known.
	OverTime []Point `json:"overTime"`
	// ByMonth are the members by the month of their creation, "" for before June 2018.
	ByMonth  []Group `json:"byMonth"`
	ByDomain []Group `json:"byDomain"`
	// Machine is what this machine has done, nil if it has stamped nobody.
	Machine *Machine `json:"machine,omitempty"`
	Zeros   Zeros    `json:"zeros"`
	// Left counts all users without a stamp by why they are left, the most first.
	Left []Left `json:"left"`
	// ExclusionsNamed tells whether the person has named exclusions. Otherwise excluded
	// users count as any others.
	ExclusionsNamed bool `json:"exclusionsNamed"`
	// Users are the members without a stamp, the newest first.
	Users []User `json:"users"`
}

// A Point counts the users without a stamp at the end of a month, or now.
type Point struct {
	Month        string `json:"month"`
	WithoutStamp int    `json:"withoutStamp"`
}

// A Group are the members of one domain, or those created in one month.
type Group struct {
	Name         string `json:"name"`
	WithoutStamp int    `json:"withoutStamp"`
	WithStamp    int    `json:"withStamp"`
}

// Left counts users who are left without a stamp.
type Left struct {
	Reason stamp.Reason `json:"reason"`
	Users  int          `json:"users"`
}

// A User is a member without a stamp.
type User struct {
	ID                string       `json:"id"`
	UserPrincipalName string       `json:"userPrincipalName"`
	Created           time.Time    `json:"createdDateTime,omitzero"`
	Reason            stamp.Reason `json:"reason"`
}

// An Input is what a report is made of.
type Input struct {
	// Tenant is the Entra tenant id.
	Tenant  string
	Domains []directory.Domain
	// Users are all users of the directory.
	Users []directory.User
	// Unreadable counts users who could not be read.
	Unreadable int
	// Policy says who is new, and holds the exclusions that the person has named.
	Policy stamp.Policy
	// Memory is what this machine knows.
	Memory Memory
	// Now is the time of the report. Months are those of its time zone.
	Now time.Time
}

// Make makes the report. The same input makes the same report.
func Make(in Input) Report {
	found := census.Take(in.Domains, in.Users, in.Now)
	m := newMaker(in)
	return Report{
		Head:     HeadOf(in.Tenant, found, in.Unreadable, in.Now),
		OverTime: m.overTime(found.Unstamped), ByMonth: Groups(found.ByMonth), ByDomain: Groups(found.ByDomain),
		Machine: m.machine(), Zeros: m.zeros(found.Unstamped), Left: m.left(), ExclusionsNamed: m.named,
		Users: m.list(found.Unstamped),
	}
}

// List returns the members without a stamp, the newest first, and why they have none.
func List(in Input) []User {
	return newMaker(in).list(census.Take(in.Domains, in.Users, in.Now).Unstamped)
}

// HeadOf makes the head of what was found.
func HeadOf(tenant string, found census.Census, unreadable int, now time.Time) Head {
	return Head{
		Tenant: tenant, At: now.UTC().Truncate(time.Second),
		FederatedDomains: list(found.Federated), ManagedDomains: list(found.Managed),
		Members: found.Members.All(), WithoutStamp: found.Members.Without,
		RecentDays: int(census.Recent / (24 * time.Hour)), RecentMembers: found.Recent.All(), RecentWithoutStamp: found.Recent.Without,
		Unknown: found.Unknown, Unreadable: unreadable, Verdict: found.Verdict(),
	}
}

// list is never null in JSON.
func list(names []string) []string { return append([]string{}, names...) }

// Groups makes rows of groups: never null in JSON.
func Groups(all []census.Group) []Group {
	rows := make([]Group, 0, len(all))
	for _, g := range all {
		rows = append(rows, Group{g.Name, g.Without, g.With})
	}
	return rows
}

// maker is a report that is being made.
type maker struct {
	Input
	federated stamp.FederatedDomains
	entries   map[string]stamp.Entry
	users     map[string]directory.User
	named     bool
}

func newMaker(in Input) *maker {
	m := &maker{
		Input: in, federated: stamp.FederatedAmong(in.Domains),
		entries: make(map[string]stamp.Entry), users: make(map[string]directory.User, len(in.Users)),
		named: len(in.Policy.Exclusions.IDs)+len(in.Policy.Exclusions.Patterns) > 0,
	}
	for _, e := range in.Memory.Entries {
		m.entries[e.User] = e
	}
	for _, u := range in.Users {
		m.users[u.ID] = u
	}
	return m
}

// decide asks the one door what it would do with a user who has no stamp, if nobody but
// the machine had asked.
func (m *maker) decide(u directory.User, now time.Time) stamp.Reason {
	u.SignInSessionsValidFrom, u.StampKnown = time.Time{}, true
	facts := stamp.Facts{User: u, Found: true, Federation: m.federated.Of(u)}
	request := stamp.Request{User: u.ID, Source: stamp.SourceSweep, Seen: now}
	return stamp.Decide(stamp.Entry{}, facts, request, m.Policy, now).Reason
}

// reason tells why a user has no stamp yet.
func (m *maker) reason(u directory.User) stamp.Reason {
	reason := m.decide(u, m.Now)
	if reason != stamp.ReasonExisting && reason != stamp.ReasonNew {
		return reason
	}
	switch m.entries[u.ID].State {
	case stamp.StateCannotFix:
		return stamp.ReasonKnownCannotFix
	case stamp.StateClaimed, stamp.StateCalled:
		return stamp.ReasonReadBackPending
	default:
		return reason
	}
}

// outOfScope are the reasons of users who are no members of federated domains, and need no
// stamp.
var outOfScope = []stamp.Reason{stamp.ReasonGuest, stamp.ReasonNotMember, stamp.ReasonNotFederated}

// Reasons returns all for which a report leaves users.
func Reasons() []stamp.Reason {
	return append([]stamp.Reason{
		stamp.ReasonExisting, stamp.ReasonNew, stamp.ReasonExcluded, stamp.ReasonKnownCannotFix, stamp.ReasonReadBackPending,
	}, outOfScope...)
}

func (m *maker) left() []Left {
	counts := make(map[stamp.Reason]int)
	for _, u := range m.users {
		if u.StampKnown && u.SignInSessionsValidFrom.IsZero() {
			counts[m.reason(u)]++
		}
	}
	rows := []Left{}
	for _, reason := range Reasons() {
		if n := counts[reason]; n > 0 {
			rows = append(rows, Left{reason, n})
		}
	}
	slices.SortStableFunc(rows, func(a, b Left) int { return b.Users - a.Users })
	return rows
}

func (m *maker) list(unstamped []directory.User) []User {
	rows := make([]User, 0, len(unstamped))
	for _, u := range unstamped {
		rows = append(rows, User{u.ID, u.UserPrincipalName, u.Created.UTC(), m.reason(u)})
	}
	return rows
}

// months is how far back a report looks.
const months = 24

// overTime is a least number: see [Report].
func (m *maker) overTime(unstamped []directory.User) []Point {
	type span struct{ from, to time.Time }
	var spans []span
	without := make(map[string]bool, len(unstamped))
	for _, u := range unstamped {
		without[u.ID] = true
		spans = append(spans, span{from: u.Created})
	}
	for _, e := range m.Memory.Entries {
		// Only a call for want of any stamp proves that there was none.
		if !e.Called.IsZero() && e.NotBefore.IsZero() && !without[e.User] {
			spans = append(spans, span{e.Created, e.Called})
		}
	}
	points := make([]Point, months)
	for i := range points {
		begin := time.Date(m.Now.Year(), m.Now.Month()-time.Month(months-1-i), 1, 0, 0, 0, 0, m.Now.Location())
		end := begin.AddDate(0, 1, 0)
		if end.After(m.Now) {
			end = m.Now
		}
		points[i].Month = begin.Format("2006-01")
		for _, s := range spans {
			if !s.from.After(end) && (s.to.IsZero() || s.to.After(end)) {
				points[i].WithoutStamp++
			}
		}
	}
	return points
}
