package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// listed is the JSON of users: with --by it has groups, and without it users.
type listed struct {
	Tenant       string         `json:"tenant"`
	At           string         `json:"at"`
	Members      int            `json:"members"`
	WithoutStamp int            `json:"withoutStamp"`
	Unknown      int            `json:"unknown"`
	Unreadable   int            `json:"unreadable"`
	By           string         `json:"by,omitempty"`
	Groups       []report.Group `json:"groups,omitzero"`
	Users        []report.User  `json:"users,omitzero"`
}

// selection are the flags of users.
type selection struct {
	by, domain string
	reason     string // stamp's
	since      time.Time
	sinceSaid  string
	limit      int
}

const (
	byDomain = "domain"
	byMonth  = "month"
)

// reasons are why members of federated domains have no stamp.
var reasons = []string{
	string(stamp.ReasonExisting), string(stamp.ReasonNew), string(stamp.ReasonKnownCannotFix), string(stamp.ReasonReadBackPending),
}

// rows is how many rows are shown unless --limit says it: on a screen of 24 lines those
// that fit with what stands around them. 0 is all: a program or a file takes them.
func (c *call) rows() int {
	if c.Out.Live {
		return 15
	}
	return 0
}

func (c *call) usersVerb() *cobra.Command {
	s := selection{limit: c.rows()}
	cmd := c.verb("users", func(cmd *cobra.Command, _ []string) error { return c.users(cmd.Context(), s) })
	flags := cmd.Flags()
	flags.Var(choice{&s.by, []string{byDomain, byMonth}}, "by", c.help("flag.by"))
	flags.Var(domainName{&s.domain}, "domain", c.help("flag.only-domain"))
	flags.Var(since{&s.since, &s.sinceSaid, c.Now}, "since", c.help("flag.since"))
	flags.Var(choice{&s.reason, reasons}, "reason", c.help("flag.only-reason"))
	flags.Var(number{&s.limit}, "limit", c.help("flag.limit"))
	complete(cmd, "by", "reason")
	return cmd
}

// users lists who has no stamp, or counts them.
func (c *call) users(ctx context.Context, s selection) error {
	t, err := c.signIn(ctx, readUsers, readDomains)
	if err != nil {
		return err
	}
	r, err := c.read(ctx, t, s.domain)
	if err != nil {
		return err
	}
	memory, err := c.memory(ctx, t.id, r.users)
	if err != nil {
		return err
	}
	in := report.Input{
		Domains: r.domains, Users: slices.DeleteFunc(r.users, func(u directory.User) bool { return !s.holds(u) }),
		Policy: stamp.DefaultPolicy, Memory: memory, Now: c.Now(),
	}
	unstamped := s.narrow(&in, report.List(in))
	found := census.Take(in.Domains, in.Users, in.Now)
	v := c.usersView(found, unstamped, s)
	count := c.sayN("users.count", found.Members.Without, language.Number(found.Members.All()))
	v.before = append([]line{{text: count}}, c.doubts(found.Unknown, r.unreadable)...)
	l := listed{
		Tenant: t.id, At: moment(in.Now), Members: found.Members.All(), WithoutStamp: found.Members.Without,
		Unknown: found.Unknown, Unreadable: r.unreadable, By: s.by, Users: unstamped,
	}
	if s.by != "" {
		l.Groups, l.Users = report.Groups(s.groups(found)), nil
	}
	v.object = l
	return c.show(v)
}

// narrow leaves out those without a stamp for another reason than the one asked for.
func (s selection) narrow(in *report.Input, unstamped []report.User) []report.User {
	if s.reason == "" {
		return unstamped
	}
	others := make(map[string]bool)
	for _, u := range unstamped {
		others[u.ID] = string(u.Reason) != s.reason
	}
	in.Users = slices.DeleteFunc(in.Users, func(u directory.User) bool { return others[u.ID] })
	return slices.DeleteFunc(unstamped, func(u report.User) bool { return others[u.ID] })
}

// holds tells whether a user is one of those asked for.
func (s selection) holds(u directory.User) bool {
	return (s.domain == "" || u.Domain() == s.domain) && (s.since.IsZero() || !u.Created.Before(s.since))
}

// groups returns the counts asked for, nil for a list.
func (s selection) groups(found census.Census) []census.Group {
	switch s.by {
	case byDomain:
		return found.ByDomain
	case byMonth:
		return found.ByMonth
	}
	return nil
}

func (c *call) usersView(found census.Census, unstamped []report.User, s selection) view {
	v := view{next: s.next(found)}
	if s.by != "" {
		v.table, v.sheet = c.groupTable(s.by, s.groups(found)), groupSheet(s.by, s.groups(found))
		return v
	}
	v.table, v.sheet = c.userTable(unstamped, s.limit), userSheet(unstamped)
	if hidden := len(unstamped) - len(v.table.Rows); hidden > 0 {
		v.after = []line{{text: c.say("rest", language.Number(hidden)), colour: screen.Faint}}
	}
	return v
}

// next are commands for the same users. stamp has no --since: it previews all of them.
func (s selection) next(found census.Census) (next []hint) {
	users, stamp := "users", "stamp --all"
	if s.domain != "" {
		users, stamp = users+" --domain "+s.domain, "stamp --domain "+s.domain
	}
	if s.sinceSaid != "" {
		users += " --since " + s.sinceSaid
	}
	if s.reason != "" {
		users += " --reason " + s.reason
	}
	if found.Members.Without == 0 {
		return []hint{{"check", "hint.check"}}
	}
	if !onlyEmergencies(found) {
		next = append(next, hint{stamp + " --dry-run", "hint.preview"})
	}
	if s.by != "" {
		return append(next, hint{users, "hint.users"}, hint{users + " --by " + other(s.by), language.Key("hint.by_" + other(s.by))})
	}
	if users == "users" && found.Recent.Without > 0 {
		next = append(next, hint{"watch --once --dry-run", "hint.preview_new"})
	}
	return append(next, hint{users + " --by month", "hint.by_month"}, hint{users + " -o csv > users.csv", "hint.csv"})
}

func other(by string) string {
	if by == byDomain {
		return byMonth
	}
	return byDomain
}

func (c *call) userTable(users []report.User, limit int) screen.Table {
	table := screen.Table{Columns: []screen.Column{{Title: c.say("column.created")}, {Title: c.say("column.user")}}}
	for i, u := range users {
		if limit > 0 && i == limit {
			break
		}
		created := c.when(u.Created)
		if created == "" {
			created = c.say("before_2018")
		}
		table.Rows = append(table.Rows, []string{created, u.UserPrincipalName})
	}
	return table
}

// userSheet has headings that package userlist knows, so that a person can take out lines
// and hand the file back.
func userSheet(users []report.User) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{{Title: "id"}, {Title: "userPrincipalName"}, {Title: "createdDateTime"}, {Title: "reason"}}}
	for _, u := range users {
		sheet.Rows = append(sheet.Rows, []string{u.ID, u.UserPrincipalName, moment(u.Created), string(u.Reason)})
	}
	return sheet
}

// groupTable draws those without a stamp as bars. Old consoles in Japan draw each of a
// bar's steps in two cells: it fits there as well.
func (c *call) groupTable(by string, groups []census.Group) screen.Table {
	table := screen.Table{Columns: []screen.Column{
		{Title: c.say(language.Key("column." + by))},
		{Title: c.say("column.without"), Right: true}, {Title: c.say("column.with"), Right: true}, {},
	}}
	most, widest := 1, 0
	for _, g := range groups {
		most, widest = max(most, g.Without), max(widest, screen.Width(g.Name))
	}
	const numbers, longest = 26, 30
	bar := max(1, min(longest, (c.Out.Columns-widest-numbers)/2))
	for _, g := range groups {
		name := g.Name
		if name == "" {
			name = c.say("before_2018")
		}
		// Whoever is there is seen.
		length := (bar*g.Without + most - 1) / most
		table.Rows = append(table.Rows, []string{name, language.Number(g.Without), language.Number(g.With), strings.Repeat("█", length)})
	}
	return table
}

// domainName is a flag that takes the name of a domain.
type domainName struct{ to *string }

func (d domainName) Set(text string) error {
	name := strings.ToLower(strings.TrimPrefix(text, "@"))
	if !stamp.IsDomainName(name) {
		return errValue
	}
	*d.to = name
	return nil
}

func (d domainName) String() string {
	if d.to == nil {
		return ""
	}
	return *d.to
}

func (domainName) Type() string { return "example.com" }
