package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// remembered is the JSON of history, the last first.
type remembered struct {
	Tenant string            `json:"tenant"`
	Users  []rememberedStamp `json:"users"`
}

type rememberedStamp struct {
	ID                string       `json:"id"`
	UserPrincipalName string       `json:"userPrincipalName,omitempty"`
	Created           string       `json:"createdDateTime,omitempty"`
	Called            string       `json:"called"`
	Stamp             string       `json:"stamp,omitempty"`
	Source            stamp.Source `json:"source"`
	State             stamp.State  `json:"state"`
	Reason            stamp.Reason `json:"reason"`
	// Provider and Cause are those of a signal.
	Provider string `json:"provider,omitempty"`
	Cause    string `json:"cause,omitempty"`
}

// A past is one stamp. Where a signal asked for it, provider is the id of the source, and
// cause what it reported.
type past struct {
	stamp.Entry

	provider, cause string
}

// recollection are the flags and the argument of history.
type recollection struct {
	user                   string
	names, orders, signals bool
	limit                  int
	deployment             // without a name this machine is asked
	since                  time.Time
}

func (c *call) historyVerb() *cobra.Command {
	r, said := recollection{limit: c.rows()}, ""
	cmd := c.verb("history", func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			r.user = args[0]
		}
		return c.history(cmd.Context(), r)
	})
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return misuse("use.no_arguments", args[1], cmd.CommandPath())
		}
		return nil
	}
	cmd.Flags().BoolVar(&r.names, "names", false, c.help("flag.names"))
	cmd.Flags().BoolVar(&r.orders, "orders", false, c.help("flag.orders"))
	cmd.Flags().BoolVar(&r.signals, "signals", false, c.help("flag.history-signals"))
	cmd.Flags().Var(number{&r.limit}, "limit", c.help("flag.limit"))
	r.flags(c, cmd, "")
	cmd.Flags().Var(since{&r.since, &said, c.Now}, "since", c.help("flag.history-since"))
	return cmd
}

// history tells whom this machine has stamped.
func (c *call) history(ctx context.Context, r recollection) error {
	id := strings.ToLower(r.user)
	if r.user != "" && !directory.IsID(id) && !strings.Contains(r.user, "@") {
		return misuse("use.user", r.user)
	}
	if err := r.sound(); err != nil {
		return err
	}
	if r.name != "" {
		return c.stackHistory(ctx, r, id)
	}
	tenant, entries, orders, err := c.remembered(ctx)
	switch {
	case err != nil:
		return err
	case r.orders && (r.user != "" || r.names):
		return misuse("use.orders_alone")
	case r.orders:
		return c.show(c.ordersView(tenant, orders, r.limit))
	}
	pasts := make([]past, len(entries))
	for i, e := range entries {
		pasts[i].Entry = e
	}
	names := make(map[string]string)
	if strings.Contains(r.user, "@") {
		if id, err = c.find(ctx, r.user); err != nil {
			return err
		}
		names[id] = r.user
	}
	if r.user != "" {
		pasts = slices.DeleteFunc(pasts, func(e past) bool { return e.User != id })
	}
	if r.names && len(names) == 0 {
		if names, err = c.names(ctx, r.shown(pasts, c.format)); err != nil {
			return err
		}
	}
	return c.show(c.historyView(tenant, pasts, names, r))
}

// shown are the entries of a screen; programs get all.
func (r recollection) shown(entries []past, f screen.Format) []past {
	if f == screen.Text && r.limit > 0 && r.limit < len(entries) {
		return entries[:r.limit]
	}
	return entries
}

// remembered reads the tenant's file on this machine: who was stamped, and which orders have
// ended. Without one nobody was stamped.
func (c *call) remembered(ctx context.Context) (tenant string, entries []stamp.Entry, orders []job.Record, err error) {
	folder, forget, err := c.folder(ctx)
	if err != nil {
		return "", nil, nil, err
	}
	defer func() { err = errors.Join(err, forget()) }()
	if tenant, err = c.knownTenant(folder); tenant == "" {
		return "", nil, nil, err
	}
	err = glance(ctx, folder, tenant, func(file *bolt.File) (err error) {
		if orders, err = job.New(job.Config{Tenant: tenant, File: file}).Records(ctx); err == nil {
			entries, err = bolt.NewLedger(file).History(ctx, tenant)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return tenant, entries, orders, err
}

// find looks a name up in the directory: the file holds object ids only.
func (c *call) find(ctx context.Context, name string) (id string, err error) {
	t, err := c.signIn(ctx, readUsers)
	if err != nil {
		return "", err
	}
	u, err := c.user(ctx, t, name)
	return u.ID, err
}

// user finds the one user whom a person has named.
func (c *call) user(ctx context.Context, t tenant, name string) (directory.User, error) {
	reads, err := t.FindUsers(ctx, []string{name})
	if err != nil {
		return directory.User{}, err
	}
	return reads[0].User, explainName(reads[0].Err, name)
}

// explainName says what is wrong with the name of a user.
func explainName(err error, name string) error {
	switch {
	case errors.Is(err, directory.ErrNoName):
		return misuse("use.user", name)
	case errors.Is(err, directory.ErrNoUser) && directory.IsID(strings.ToLower(name)):
		return misuse("use.unknown_id", name)
	case errors.Is(err, directory.ErrNoUser):
		return misuse("use.unknown_user", name)
	case errors.Is(err, directory.ErrSeveralUsers):
		return misuse("use.several_users", name)
	}
	return err
}

// names looks up the names of those whom the directory still has: a thousand at once where
// whoever signed in has the right to do so, else as one reads users.
func (c *call) names(ctx context.Context, entries []past) (map[string]string, error) {
	t, err := c.signIn(ctx, readUsers)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.User
	}
	names := make(map[string]string, len(ids))
	found, err := t.Names(ctx, ids)
	if ask.MissingRight(err) != "" {
		return names, c.readNames(ctx, t, ids, names)
	}
	for id, name := range found {
		names[id] = name.UserPrincipalName
	}
	return names, err
}

func (c *call) readNames(ctx context.Context, t tenant, ids []string, names map[string]string) error {
	counter := c.count()
	defer counter.end()
	for some := range slices.Chunk(ids, msgraph.MaxBatch) {
		reads, err := t.ReadUsers(ctx, some)
		if err != nil {
			return err
		}
		for i, read := range reads {
			if gone, ok := errors.AsType[*directory.Error](read.Err); ok && !gone.NotFound() {
				return read.Err
			}
			names[some[i]] = read.User.UserPrincipalName
		}
		counter.add(len(some))
	}
	return nil
}

func (c *call) historyView(tenant string, entries []past, names map[string]string, r recollection) view {
	v := view{
		before: []line{{text: c.countHistory(len(entries), r.user)}},
		table:  c.historyTable(r.shown(entries, c.format), names),
		sheet: screen.Table{Columns: []screen.Column{
			{Title: "id"}, {Title: "userPrincipalName"}, {Title: "createdDateTime"}, {Title: "called"}, {Title: "stamp"}, {Title: "source"}, {Title: "state"}, {Title: "reason"}, {Title: "cause"},
		}},
		next: []hint{{"check", "hint.check"}, {"users", "hint.users"}},
	}
	if len(entries) > 0 && !r.names {
		v.next = []hint{{"history --names", "hint.names"}, {"check", "hint.check"}}
	}
	v.after = c.beyond(len(entries)-len(v.table.Rows), false)
	object := remembered{Tenant: tenant, Users: []rememberedStamp{}}
	for _, e := range entries {
		s := rememberedStamp{
			ID: e.User, UserPrincipalName: names[e.User], Created: moment(e.Created), Called: moment(e.Called), Stamp: moment(e.Stamp),
			Source: e.Source, State: e.State, Reason: e.Reason, Provider: e.provider, Cause: e.cause,
		}
		object.Users = append(object.Users, s)
		v.sheet.Rows = append(v.sheet.Rows, []string{
			s.ID, s.UserPrincipalName, s.Created, s.Called, s.Stamp, string(s.Source), string(s.State), string(s.Reason), s.Cause,
		})
	}
	v.object = object
	return v
}

// countHistory says how many people were stamped, or whether one user was.
func (c *call) countHistory(people int, user string) string {
	switch {
	case people == 0 && user != "":
		return c.say("history.not", user)
	case people == 1:
		return c.say("history.single")
	}
	return c.say("history.count", language.Number(people))
}

func (c *call) historyTable(entries []past, names map[string]string) screen.Table {
	table := screen.Table{Columns: []screen.Column{
		{Title: c.say("column.stamped")}, {Title: c.say("column.user")}, {Title: c.say("column.after"), Right: true},
		{Title: c.say("column.source")}, {Title: c.say("column.state")},
	}}
	for _, e := range entries {
		name := e.User
		if found := names[e.User]; found != "" {
			name = found
		}
		table.Rows = append(table.Rows, []string{
			c.when(e.Called), name, c.after(e.Entry), c.by(e), c.say(language.Key("state." + e.State)),
		})
	}
	return table
}

// causes are what a provider can report, by the words of the column and of a sentence.
var causes = map[string][2]language.Key{
	string(signal.PasswordChanged): {"by.password_changed", "cause.password_changed"},
	string(signal.UserDisabled):    {"by.user_disabled", "cause.user_disabled"},
	string(signal.SessionsRevoked): {"by.sessions_revoked", "cause.sessions_revoked"},
}

// by is who asked for a stamp, or what a provider has reported.
func (c *call) by(p past) string {
	if words, known := causes[p.cause]; known {
		return c.say(words[0])
	}
	return c.say(language.Key("source." + p.Source))
}

// after is how long a new user waited, in the largest unit that fits; "" for users whom a
// person has named, or a provider, who waited for that.
func (c *call) after(e stamp.Entry) string {
	waited := e.Called.Sub(e.Created)
	if e.Created.IsZero() || e.Source == stamp.SourcePerson || e.Source == stamp.SourceSignal || waited < 0 {
		return ""
	}
	return c.waited(waited)
}

// waited writes a time in the largest unit that fits.
func (c *call) waited(waited time.Duration) string {
	for _, unit := range []struct {
		key    language.Key
		length time.Duration
	}{{"after.days", 24 * time.Hour}, {"after.hours", time.Hour}, {"after.minutes", time.Minute}} {
		if waited >= 2*unit.length {
			return c.say(unit.key, strconv.Itoa(int(waited/unit.length)))
		}
	}
	return c.say("after.seconds", strconv.Itoa(int(waited/time.Second)))
}
