package sweep

import (
	"context"
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Cause tells why a run worked at a full round.
type Cause string

// The causes.
const (
	// CauseContinued: an earlier run has read a part of it.
	CauseContinued Cause = "continued"
	// CauseFirst: there was none before.
	CauseFirst Cause = "first"
	// CauseExpired: delta's link expired, was reset, or led nowhere.
	CauseExpired Cause = "expired"
	// CauseAsked: somebody asked for it.
	CauseAsked Cause = "asked"
	// CauseConfirm: the round before founded the chain. See [Checkpoint].
	CauseConfirm Cause = "confirm"
	// CauseDue: the last one is [Settings].FullEvery ago.
	CauseDue Cause = "due"
)

// fullDue tells why a full round is to be worked at, "" for no reason.
func (r *run) fullDue(now time.Time) Cause {
	c := &r.checkpoint
	switch {
	case c.Full != nil && c.Full.Pages > 0:
		return CauseContinued
	case c.FullDone.IsZero():
		return CauseFirst
	case c.DeltaLink == "":
		return CauseExpired
	case c.asked():
		return CauseAsked
	case !c.Confirm.IsZero() && !now.Before(c.Confirm):
		return CauseConfirm
	case now.Sub(c.FullDone) >= r.Settings.FullEvery:
		return CauseDue
	}
	return ""
}

// full begins a full round, or goes on with the one under way, to its end.
func (r *run) full(ctx context.Context) error {
	if r.checkpoint.Full == nil {
		if err := r.beginFull(ctx); err != nil {
			return err
		}
	}
	for {
		if err := r.proceed(ctx); err != nil {
			return err
		}
		page, err := r.userPage(ctx)
		if errors.Is(err, errStuck) {
			page, err = r.relist(ctx, err)
		}
		if err != nil {
			return err
		}
		counts, err := r.take(ctx, page.Users, wantedOfFull)
		if err != nil {
			return err
		}
		f := r.checkpoint.Full
		f.Next = page.Next
		f.Pages++
		f.Members += counts.members
		f.Unstamped += counts.unstamped
		f.Unreadable += page.Unreadable
		if f.Next == "" {
			r.endFull(f)
		}
		if err := r.save(ctx); err != nil {
			return err
		}
		if f.Next == "" {
			return nil
		}
	}
}

// beginFull makes sure that whatever changes while users are listed is found
// afterwards: by the chain there is, or by one that begins before the list.
func (r *run) beginFull(ctx context.Context) error {
	if err := r.proceed(ctx); err != nil {
		return err
	}
	f := &FullRound{Started: r.Now().UTC(), Asks: r.checkpoint.Asks}
	if r.checkpoint.DeltaLink == "" {
		err := r.call("", "ask for the latest delta link", func() (err error) {
			f.DeltaLink, err = r.Graph.LatestDelta(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if f.DeltaLink == "" {
			return errors.New("ask for the latest delta link: there is none in the answer")
		}
	}
	r.checkpoint.Full = f
	return nil
}

// userPage reads the next page of the round. If its link has expired, the list
// begins anew.
func (r *run) userPage(ctx context.Context) (page directory.UserPage, err error) {
	next := r.checkpoint.Full.Next
	err = r.call(next, "read a page of users", func() (err error) {
		page, err = r.Graph.UserPage(ctx, next)
		if err == nil && next != "" && page.Next == next {
			return errItself
		}
		return err
	})
	switch {
	case errors.Is(err, errExpired):
		r.checkpoint.Full = nil
		r.report.Expired++
		if err := r.save(ctx); err != nil {
			return page, err
		}
		return page, err
	case errors.Is(err, errStuck):
		r.checkpoint.Full.Failed++
		return page, err
	case err != nil:
		return page, err
	}
	r.checkpoint.Full.Failed = 0
	r.report.Pages++
	r.report.Unreadable += page.Unreadable
	return page, nil
}

// relist begins the list anew that was stuck with err, if it was for too many runs
// or somebody asks for another one, and returns its first page: if there is none,
// the old list is kept. The chain goes on from where it was to begin, which is
// earlier, and so shows more.
func (r *run) relist(ctx context.Context, err error) (directory.UserPage, error) {
	c := &r.checkpoint
	if c.Full.Failed < maxFailed && !c.askedAnew() {
		return directory.UserPage{}, err
	}
	old := c.Full
	c.Full = &FullRound{Started: r.Now().UTC(), DeltaLink: old.DeltaLink, Asks: c.Asks}
	page, again := r.userPage(ctx)
	if again != nil {
		c.Full = old
		return page, err
	}
	r.report.Expired++
	return page, nil
}

// endFull takes over what the round has come to.
func (r *run) endFull(f *FullRound) {
	c := &r.checkpoint
	c.FullDone = r.Now().UTC()
	c.Members, c.Unstamped, c.Unreadable = f.Members, f.Unstamped, f.Unreadable
	c.Answered = max(c.Answered, f.Asks)
	switch {
	case f.DeltaLink != "":
		c.DeltaLink = f.DeltaLink
		c.Confirm = time.Time{}
		if r.Settings.ReplicationLag > 0 {
			c.Confirm = f.Started.Add(r.Settings.ReplicationLag)
		}
	case !f.Started.Before(c.Confirm):
		c.Confirm = time.Time{}
	}
	c.Full = nil
	r.report.FullDone = true
}
