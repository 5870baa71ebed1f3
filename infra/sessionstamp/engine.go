package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// exclusions are the users whom a verb must never touch, as its flags name them.
type exclusions struct {
	users, groups []string
}

// flags gives a verb the flags that every verb has which signs users out.
func (e *exclusions) flags(c *call, cmd *cobra.Command) {
	cmd.Flags().Var(texts{&e.users, "NAME|PATTERN|ID"}, "exclude", c.help("flag.exclude"))
	cmd.Flags().Var(texts{&e.groups, "NAME|ID"}, "exclude-group", c.help("flag.exclude-group"))
}

// maxGroups is in how many groups one [checkMemberGroups] looks for a user.
//
// [checkMemberGroups]: https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
const maxGroups = 20

// permissions are what the exclusions need besides the verb's own.
func (e *exclusions) permissions() []string {
	if len(e.groups) == 0 {
		return nil
	}
	return []string{readMembers}
}

// policy returns what the machine may do. An exclusion that protects nobody is refused.
func (e *exclusions) policy() (stamp.Policy, error) {
	p := stamp.DefaultPolicy
	if len(e.groups) > maxGroups {
		return p, misuse("use.too_many_groups", language.Number(maxGroups))
	}
	for _, user := range e.users {
		if id := strings.ToLower(user); directory.IsID(id) {
			p.Exclusions.IDs = append(p.Exclusions.IDs, id)
		} else if one := (stamp.Exclusions{Patterns: []string{user}}); one.Validate() != nil {
			return p, misuse("use.exclude", user)
		} else {
			p.Exclusions.Patterns = append(p.Exclusions.Patterns, user)
		}
	}
	return p, nil
}

// resolve makes object ids of the names that are excluded: so a user is left alone by any
// name, and a name that nobody has, which was mistyped, is refused.
func (c *call) resolve(ctx context.Context, t tenant, e *exclusions) error {
	var names []string
	patterns := slices.DeleteFunc(slices.Clone(e.users), func(user string) bool {
		if !isPattern(user) {
			names = append(names, user)
		}
		return !isPattern(user)
	})
	ids, err := c.called(ctx, t, names)
	e.users = append(ids, patterns...)
	return err
}

// matchesNobody refuses an exclusion, of several, that protects none of these users: it was
// mistyped.
func (e *exclusions) matchesNobody(users []directory.User) error {
	for _, user := range e.users {
		one := exclusions{users: []string{user}}
		policy, err := one.policy()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(users, func(u directory.User) bool { _, is := policy.Exclusions.Match(u); return is }) {
			return misuse("use.excludes_nobody", user)
		}
	}
	return nil
}

func isPattern(user string) bool { return strings.ContainsAny(user, "*?") }

// engine opens the tenant's file on this machine, and what works on it, as options want to
// have it. end lets others have the file.
func (c *call) engine(ctx context.Context, t tenant, e exclusions, options ...func(*job.Config)) (engine *job.Engine, end func() error, err error) {
	policy, err := e.policy()
	if err != nil {
		return nil, nil, err
	}
	groups, err := c.excludedGroups(ctx, t, e)
	if err != nil {
		return nil, nil, err
	}
	folder, forget, err := c.folder(ctx)
	if err != nil {
		return nil, nil, err
	}
	if t.Now().IsZero() {
		_, _ = t.Domains(ctx) // whatever it answers, it tells the time
	}
	file, err := c.open(ctx, folder, t.id)
	if err != nil {
		return nil, nil, errors.Join(err, forget())
	}
	policy.ReplicationLag = c.lag()
	config := job.Config{
		Tenant: t.id, Graph: t, File: file, ExcludedGroups: groups, Policy: policy,
		Log: slog.New(slog.DiscardHandler), Now: c.calendar(t),
	}
	for _, option := range options {
		option(&config)
	}
	return job.New(config), func() error { return errors.Join(file.Close(), forget()) }, nil
}

// excludedGroups finds the groups that are excluded. One that was named twice counts once:
// Graph is asked about each.
func (c *call) excludedGroups(ctx context.Context, t tenant, e exclusions) (groups []string, err error) {
	for _, name := range e.groups {
		id, err := c.group(ctx, t, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	return groups, nil
}

// glance reads a copy of the tenant's file, which another sessionstamp may be writing. The
// error wraps [fs.ErrNotExist] where there is none.
func glance(ctx context.Context, folder, tenant string, read func(*bolt.File) error) error {
	file, err := bolt.ReadOnly(ctx, folder, tenant)
	if err != nil {
		return err
	}
	return errors.Join(read(file), file.Close())
}

// open opens the tenant's file, or a copy of it for who only looks: then another
// sessionstamp may be at work.
func (c *call) open(ctx context.Context, folder, id string) (*bolt.File, error) {
	if c.looksOnly {
		if file, err := bolt.ReadOnly(ctx, folder, id); !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return bolt.Open(ctx, folder, id)
}

// calendar is Graph's, in the person's time zone, once Graph has told it: this machine's
// clock may be wrong, and stamps are judged by Graph's.
func (c *call) calendar(t tenant) func() time.Time {
	return func() time.Time {
		now := c.Now()
		if at := t.Now(); !at.IsZero() {
			return at.In(now.Location())
		}
		return now
	}
}

// lag is how long after a call its stamp is read back.
func (c *call) lag() time.Duration {
	if c.demo {
		return demo.Lag
	}
	return stamp.DefaultPolicy.ReplicationLag
}

// group finds the one group that a person has named.
func (c *call) group(ctx context.Context, t tenant, name string) (id string, err error) {
	found, err := t.FindGroups(ctx, name)
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		return "", misuse("use.unknown_group", name)
	case err != nil:
		return "", err
	case len(found) > 1:
		ids := make([]string, len(found))
		for i, g := range found {
			ids[i] = g.ID
		}
		return "", misuse("use.several_groups", name, strings.Join(ids, ", "))
	case found[0].HiddenMembers:
		return "", misuse("use.hidden_group", name)
	}
	return found[0].ID, nil
}

// folder returns where the files of tenants are on this machine. Those of a demonstration
// and of a call that leaves no trace last until forget.
func (c *call) folder(ctx context.Context) (folder string, forget func() error, err error) {
	forget = func() error { return nil }
	if c.demo || c.traceless {
		if folder, err = os.MkdirTemp("", "sessionstamp-*"); err != nil {
			return "", forget, err
		}
		forget = func() error { return os.RemoveAll(folder) }
		if !c.demo {
			return folder, forget, nil
		}
		if err := c.emulated().Remember(ctx, folder); err != nil {
			return "", forget, errors.Join(err, forget())
		}
		return folder, forget, nil
	}
	if folder, err = bolt.Folder(c.System, c.Env); err != nil {
		return "", forget, misuse("use.folder")
	}
	return folder, forget, nil
}

// knownTenant returns the tenant whose file is meant when nobody has signed in: the one
// that is named, or the only one that there is on this machine; "" if there is none.
func (c *call) knownTenant(folder string) (string, error) {
	if c.demo {
		return demo.TenantID, nil
	}
	id, err := c.tenantOfEnvironment()
	if id != "" || err != nil {
		return id, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.db"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	tenants := make([]string, len(files))
	for i, file := range files {
		tenants[i] = strings.TrimSuffix(filepath.Base(file), ".db")
	}
	if len(tenants) > 1 {
		slices.Sort(tenants)
		return "", misuse("use.several_files", strings.Join(tenants, ", "))
	}
	return tenants[0], nil
}
