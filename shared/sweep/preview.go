package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// A Preview tells what the policy says of every user there is, and what a change
// to [revocation.ModeEnforce] would come to. Nothing is queued, written or
// changed.
//
// Users are judged as the revoker would judge them if the sweep were to find them
// now. What the ledger knows of a user is not asked: somebody whose stamp was spared
// by a dry run or an exclusion may stand among the new users here, and be held by
// the revoker as an existing one.
type Preview struct {
	// Tenant is whose users they are, and Started when the first was read.
	Tenant  string    `json:"tenant"`
	Started time.Time `json:"started"`
	// Finished tells that all users were read. Otherwise the time was over, or an
	// error came, and everything is of those read until then.
	Finished bool `json:"finished"`
	// Requests counts calls of Graph that read users.
	Requests int `json:"graph_requests"`
	// Users counts the users read, Unreadable those of whom nothing could be
	// read, and Members the members, as for [Report].
	Users      int `json:"users"`
	Unreadable int `json:"unreadable"`
	Members    int `json:"members"`
	// Reasons counts the users by what [revocation.Policy.Decide] says of them.
	Reasons map[revocation.Reason]int `json:"reasons"`
	// Existing counts the users whom the mode enforce would sign out, by and by.
	// BeforeCeiling of them would be before Ceiling stopped it, "" if none would.
	Existing      int               `json:"existing"`
	BeforeCeiling int               `json:"before_ceiling"`
	Ceiling       revocation.Reason `json:"ceiling,omitempty"`
	// QuietHours tells that no existing user would be touched at this hour.
	QuietHours bool `json:"quiet_hours"`
	// NewestNew are the object ids of the newest of those who would be stamped in
	// every mode, and NewestExisting of those whom only the mode enforce would
	// stamp: at most 100 of each, newest first.
	NewestNew      []string `json:"newest_new"`
	NewestExisting []string `json:"newest_existing"`
}

// previewed is how many object ids a Preview names of each kind.
const previewed = 100

// A survey is the making of a Preview.
type survey struct {
	*run

	preview             Preview
	newUsers, oldAtWork newest
}

// preview reads all users, page by page, and judges each. It takes no lease: a run
// may be at work meanwhile.
func (s *Sweeper) preview(ctx context.Context) (Preview, error) {
	started := s.Now().UTC()
	v := &survey{run: &run{config: s.config, end: started.Add(s.Settings.Lease)}}
	v.preview = Preview{Tenant: s.Tenant, Started: started, Reasons: make(map[revocation.Reason]int)}
	defer v.log(ctx)
	v.err = v.survey(ctx, s.real)
	return v.preview, v.err
}

func (v *survey) survey(ctx context.Context, real revocation.BackfillStore) error {
	if err := v.since(ctx); err != nil {
		return err
	}
	state, err := real.Backfill(ctx, v.Tenant)
	if err != nil {
		return fmt.Errorf("read the state of the backfill: %w", err)
	}
	err = v.pages(ctx)
	v.preview.Finished = err == nil
	if errors.Is(err, errOutOfTime) {
		err = nil
	}
	v.conclude(state)
	return err
}

// since finds out from when on notifications were to tell of every new user, as
// acquire does.
func (v *survey) since(ctx context.Context) error {
	subscribed, err := v.Subscribed(ctx)
	if err != nil {
		return fmt.Errorf("ask since when notifications flow: %w", err)
	}
	v.checkpoint, err = v.Store.Checkpoint(ctx, v.Tenant)
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	v.checkpoint.settle()
	v.checkpoint.Since = earliest(v.checkpoint.Since, subscribed.UTC())
	return nil
}

func (v *survey) pages(ctx context.Context) error {
	next := ""
	for {
		if err := v.proceed(ctx); err != nil {
			return err
		}
		var page directory.UserPage
		err := v.call(next, "read a page of users", func() (err error) {
			page, err = v.Graph.UserPage(ctx, next)
			return err
		})
		switch {
		case err != nil:
			return err
		case page.Next != "" && page.Next == next:
			return errors.New("read a page of users: it leads to itself")
		}
		if err := v.judge(ctx, page); err != nil {
			return err
		}
		if next = page.Next; next == "" {
			return nil
		}
	}
}

// judge decides about the users of a page as the revoker does.
func (v *survey) judge(ctx context.Context, page directory.UserPage) error {
	now := v.Now().UTC()
	domains, err := v.Domains.For(ctx, now, members(page.Users))
	if err != nil {
		return err
	}
	excluded, err := v.Groups.At(ctx, now)
	if err != nil {
		return err
	}
	scope := revocation.Scope{Domains: domains, Excluded: excluded}
	for _, u := range page.Users {
		v.count(u, v.Policy.Decide(u, scope, v.seen(u, now)))
	}
	v.preview.Users += len(page.Users)
	v.preview.Unreadable += page.Unreadable
	v.preview.Members += countMembers(page.Users)
	return nil
}

// seen is the moment by which the revoker would judge the user's age.
func (v *survey) seen(u directory.User, now time.Time) time.Time {
	if v.kindOf(u, now) == kindMissed {
		return u.Created
	}
	return now
}

func (v *survey) count(u directory.User, reason revocation.Reason) {
	v.preview.Reasons[reason]++
	switch reason {
	case revocation.ReasonNewUser:
		v.newUsers.add(u)
	case revocation.ReasonExistingUser:
		v.oldAtWork.add(u)
	default:
	}
}

// conclude reckons what the mode enforce would come to.
func (v *survey) conclude(state revocation.BackfillState) {
	p, rules, now := &v.preview, v.Policy.Backfill, v.Now().UTC()
	if p.Finished {
		state.Members = p.Members
	}
	p.Requests = v.report.Requests
	p.Existing = p.Reasons[revocation.ReasonExistingUser]
	var after revocation.BackfillState
	p.BeforeCeiling, after = state.Take(p.Existing, rules.Ceilings, now)
	if p.Existing > 0 {
		p.Ceiling = after.Stopped
	}
	p.QuietHours = !rules.Hours.Contain(now)
	p.NewestNew, p.NewestExisting = v.newUsers.ids(), v.oldAtWork.ids()
}

func (v *survey) log(ctx context.Context) {
	attrs := []slog.Attr{
		slog.String(logTenant, v.Tenant),
		slog.Bool(logFinished, v.preview.Finished),
		slog.Int(logRequests, v.preview.Requests),
		slog.Int(logUsers, v.preview.Users),
		slog.Any(logReasons, v.preview.Reasons),
		slog.Int64(logDuration, v.Now().Sub(v.preview.Started).Milliseconds()),
	}
	level := slog.LevelInfo
	if v.err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String(logError, v.err.Error()))
	}
	v.Log.LogAttrs(ctx, level, "users previewed", attrs...)
}

// newest keeps the newest users that were added, at most previewed of them.
type newest []directory.User

func (n *newest) add(u directory.User) {
	i, _ := slices.BinarySearchFunc(*n, u, func(a, b directory.User) int { return b.Created.Compare(a.Created) })
	if i == previewed {
		return
	}
	*n = slices.Insert((*n)[:min(len(*n), previewed-1)], i, u)
}

func (n newest) ids() []string {
	ids := make([]string, len(n))
	for i, u := range n {
		ids[i] = u.ID
	}
	return ids
}
