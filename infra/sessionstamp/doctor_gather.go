package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// gather asks for every piece. What cannot be had costs its own piece only.
func (c *call) gather(ctx context.Context, x examined, e *doctor.Evidence) {
	if x.account != nil {
		c.gatherAWS(ctx, x, e)
	}
	if x.entra != nil {
		c.gatherEntra(ctx, x, e)
	}
	c.gatherMachine(ctx, x, e)
}

func (c *call) gatherMachine(ctx context.Context, x examined, e *doctor.Evidence) {
	if c.demo {
		return // nothing of this machine takes part
	}
	e.SAM = doctor.Asked(c.installed("sam"))
	if x.entra != nil {
		if at := x.entra.Now(); !at.IsZero() {
			e.Clock = doctor.Asked(c.Now().Sub(at))
		}
	}
	tenant, _ := e.SignedIn.Get()
	if folder, err := bolt.Folder(c.System, c.Env); err == nil && tenant != "" {
		e.File = doctor.Asked(fileState(ctx, folder, tenant))
	}
}

// installed tells whether there is such a program.
func (c *call) installed(program string) bool {
	return slices.ContainsFunc(filepath.SplitList(c.Env("PATH")), func(folder string) bool {
		_, err := exec.LookPath(filepath.Join(folder, program)) // which knows .exe and .cmd
		return err == nil
	})
}

// fileState looks into a copy first: to open the file would make it.
func fileState(ctx context.Context, folder, tenant string) doctor.FileState {
	file, err := bolt.ReadOnly(ctx, folder, tenant)
	if err == nil {
		_ = file.Close()
		if file, err = bolt.Open(ctx, folder, tenant); err == nil {
			_ = file.Close()
		}
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return doctor.FileFine
	case errors.Is(err, bolt.ErrBusy):
		return doctor.FileLocked
	}
	return doctor.FileDamaged
}

// gatherEntra asks nothing about the stack's apps where the person is in another tenant.
func (c *call) gatherEntra(ctx context.Context, x examined, e *doctor.Evidence) {
	d, _ := e.Deployment.Get()
	if tenant, _ := e.SignedIn.Get(); d.Found && !strings.EqualFold(tenant, d.Tenant) {
		return
	}
	if d.Found {
		e.Reader = appOf(ctx, x.entra, d.Reader)
		if d.Stamper != "" {
			e.Stamper = appOf(ctx, x.entra, d.Stamper)
		}
	}
	domains, err := x.entra.Domains(ctx)
	if e.Domains = answered(domains, err); err != nil {
		e.Users = doctor.NotAsked[doctor.Users](whyNot(err))
		return
	}
	users, _, err := c.everybody(ctx, x.entra)
	if err != nil {
		e.Users = doctor.NotAsked[doctor.Users](whyNot(err))
		return
	}
	spared := make(map[string]bool)
	if d.Found {
		excluded, err := lookAtExcluded(ctx, x, d, users, spared)
		e.Excluded = answered(excluded, err)
	}
	e.Users = doctor.Asked(countUsers(x, d, domains, users, spared, e.Now))
}

// appOf finds an app, or what became of it.
func appOf(ctx context.Context, entra entraAsker, clientID string) doctor.Answer[doctor.App] {
	app, err := entra.AppByClientID(ctx, clientID)
	if errors.Is(err, directory.ErrNoApp) {
		state := doctor.AppMissing
		if deleted, _ := entra.Deleted(ctx, clientID); deleted { // who may not look is told less
			state = doctor.AppDeleted
		}
		return doctor.Asked(doctor.App{State: state})
	}
	return answered(doctor.App{App: app, State: doctor.AppFound}, err)
}

// lookAtExcluded finds ids that are nobody's, and notes the members of groups.
func lookAtExcluded(ctx context.Context, x examined, d doctor.Deployment, users []directory.User, spared map[string]bool) (e doctor.Excluded, err error) {
	for _, id := range excludedBy(x.stack).IDs {
		if !slices.ContainsFunc(users, func(u directory.User) bool { return u.ID == id }) {
			e.Users = append(e.Users, id)
		}
	}
	for _, id := range d.Groups {
		groups, err := x.entra.FindGroups(ctx, id)
		switch {
		case errors.Is(err, directory.ErrNoGroup):
			e.Groups = append(e.Groups, id)
			continue
		case err != nil:
			return e, err
		case groups[0].HiddenMembers:
			e.Hidden = append(e.Hidden, id)
			continue
		}
		members, err := membersOf(ctx, x.entra, id)
		if err != nil {
			return e, err
		}
		if len(members) == 0 {
			e.Empty = append(e.Empty, id)
		}
		for _, user := range members {
			spared[user] = true
		}
	}
	return e, nil
}

// How old a user is who shows whether the stack works: the sweep has had an hour and more to
// find everybody.
const (
	oldestNew   = 7 * 24 * time.Hour
	youngestNew = 3 * time.Hour
)

// countUsers counts members of federated domains. Those whom the settings leave out show
// nothing.
func countUsers(x examined, d doctor.Deployment, domains []directory.Domain, users []directory.User, spared map[string]bool, now time.Time) doctor.Users {
	counted := doctor.Users{Without: census.Take(domains, users, now).Members.Without}
	if !d.Found {
		return counted
	}
	since := now.Add(-oldestNew)
	if d.Created.After(since) {
		since = d.Created
	}
	exclusions := excludedBy(x.stack)
	fresh := slices.DeleteFunc(slices.Clone(users), func(u directory.User) bool {
		_, excluded := exclusions.Match(u)
		named := len(d.Domains) == 0 || slices.ContainsFunc(d.Domains, func(name string) bool { return strings.EqualFold(name, u.Domain()) })
		return excluded || spared[u.ID] || !named || u.Created.Before(since) || u.Created.After(now.Add(-youngestNew))
	})
	members := census.Take(domains, fresh, now).Members
	counted.New, counted.NewWithout = members.All(), members.Without
	return counted
}
