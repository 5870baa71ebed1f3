package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Wanted says whom a person means, by one of Users, Domain and All.
type Wanted struct {
	Verb Verb
	// Users are object ids. One that is named twice counts once.
	Users []string
	// Moments are those that the users' stamps must not be older than, by object id: one for
	// each of Users, if the verb is [Restamp].
	Moments map[string]time.Time
	// Domain means everybody whose user principal name ends in it, not those below it.
	Domain string
	// All means everybody.
	All bool
}

var errWanted = errors.New("name users, one domain, or all of the tenant, and no more than one of them")

// validate refuses what does not say whom it means: an empty list must not mean everybody.
func (w Wanted) validate() error {
	ways := 0
	for _, used := range []bool{len(w.Users) > 0, w.Domain != "", w.All} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return errWanted
	}
	if w.Verb != Stamp && w.Verb != SignOut && w.Verb != Restamp {
		return fmt.Errorf("the verb is neither %s nor %s nor %s", Stamp, SignOut, Restamp)
	}
	if w.Verb == Restamp && len(w.Users) == 0 {
		return errWanted
	}
	for i, id := range w.Users {
		if w.Verb == Restamp && w.Moments[id].IsZero() {
			return fmt.Errorf("user %d of %d has no moment", i+1, len(w.Users))
		}
		if !directory.IsID(id) {
			return fmt.Errorf("user %d of %d is no object id, which is a lower-case GUID", i+1, len(w.Users))
		}
	}
	return nil
}

// read reads the users who are meant, once each. Graph is asked for those who are named,
// and else for pages of everybody.
func (e *Engine) read(ctx context.Context, w Wanted) (users []Planned, unreadable int, err error) {
	if len(w.Users) > 0 {
		users, err = e.readNamed(ctx, w.Users)
		return users, 0, err
	}
	return e.readPages(ctx, w)
}

func (e *Engine) readNamed(ctx context.Context, ids []string) ([]Planned, error) {
	users := make([]Planned, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if !seen[id] {
			users = append(users, Planned{User: directory.User{ID: id}})
		}
		seen[id] = true
	}
	err := inBatches(ctx, pointers(users), func(ctx context.Context, batch []*Planned) error {
		reads, err := e.Graph.ReadUsers(ctx, idsOf(batch))
		if err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		for i, u := range batch {
			if u.Err = reads[i].Err; u.Err == nil {
				u.User, u.found = reads[i].User, true
			}
			if e, ok := errors.AsType[*directory.Error](u.Err); ok && e.NotFound() {
				u.Err = nil
			}
		}
		return nil
	})
	return users, cmp.Or(err, forbidden(users))
}

// forbidden is the error of a caller who may read nobody.
func forbidden(users []Planned) error {
	for _, u := range users {
		if e, ok := errors.AsType[*directory.Error](u.Err); !ok || !e.Forbidden() {
			return nil
		}
	}
	return users[0].Err
}

func (e *Engine) readPages(ctx context.Context, w Wanted) (users []Planned, unreadable int, err error) {
	seen, pages := make(map[string]bool), make(map[string]bool)
	for next, more := "", true; more; more = next != "" {
		page, err := e.Graph.UserPage(ctx, next)
		if err != nil {
			return nil, 0, fmt.Errorf("read a page of users: %w", err)
		}
		for _, u := range page.Users {
			if (w.All || u.Domain() == strings.ToLower(w.Domain)) && !seen[u.ID] {
				users = append(users, Planned{User: u, found: true})
			}
			seen[u.ID] = true
		}
		unreadable += page.Unreadable
		if next = page.Next; pages[next] {
			return nil, 0, errors.New("read a page of users: Graph's pages lead in a circle; try again later")
		}
		pages[next] = true
	}
	return users, unreadable, nil
}

// inBatches hands batches to work, a few at once, until all are done or one has failed.
func inBatches(ctx context.Context, users []*Planned, work func(context.Context, []*Planned) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches := make(chan []*Planned)
	var readers sync.WaitGroup
	for range workers {
		readers.Go(func() {
			for batch := range batches {
				if err := ctx.Err(); err != nil {
					continue
				}
				if err := work(ctx, batch); err != nil {
					stop(err)
				}
			}
		})
	}
	for batch := range slices.Chunk(users, stamp.MaxBatch) {
		batches <- batch
	}
	close(batches)
	readers.Wait()
	return context.Cause(ctx)
}

func pointers(users []Planned) []*Planned {
	list := make([]*Planned, len(users))
	for i := range users {
		list[i] = &users[i]
	}
	return list
}

func idsOf(users []*Planned) []string {
	list := make([]string, len(users))
	for i, u := range users {
		list[i] = u.User.ID
	}
	return list
}
