package revocation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// GroupLister reads the members of a group.
type GroupLister interface {
	// GroupMembers returns one page of the object ids of the users who are
	// members of the group, directly or by way of other groups, and the link to
	// the next page, "" after the last. The first page has the link "".
	GroupMembers(ctx context.Context, group, next string) (ids []string, nextLink string, err error)
}

// GroupSettings say how long the members of excluded groups are believed.
type GroupSettings struct {
	// Refresh is the age at which they are read again.
	Refresh time.Duration
	// Stale is the age up to which they serve while Graph fails. After that
	// nobody is revoked, because nobody can say who is excluded. It is also the
	// longest that one reading may take, over several calls.
	Stale time.Duration
}

// DefaultGroupSettings suit a group that an administrator fills by hand.
var DefaultGroupSettings = GroupSettings{Refresh: 15 * time.Minute, Stale: 2 * time.Hour}

// Validate reports every fault.
func (s GroupSettings) Validate() error {
	if s.Refresh <= 0 || s.Stale < s.Refresh {
		return fmt.Errorf("excluded groups are read again after %s and believed for %s: both must be positive, and the latter not shorter", s.Refresh, s.Stale)
	}
	return nil
}

// GroupCache keeps the users that are excluded by membership of a group. It is
// safe for concurrent use.
type GroupCache struct {
	lister   GroupLister
	groups   []string
	settings GroupSettings

	// held is a mutex whose waiters give up with their context.
	held    chan struct{}
	members map[string]bool // by object id
	read    time.Time       // when the reading of members began
	reading *groupReading   // has not come to its end, nil for none
}

// A groupReading is a list of members of all groups that has been begun.
type groupReading struct {
	began   time.Time
	members map[string]bool // so far
	group   int             // the one being read
	next    string          // link to its next page, "" for the first
	pages   int             // of it, so far
}

// NewGroupCache excludes the members of groups, which are object ids.
func NewGroupCache(lister GroupLister, groups []string, settings GroupSettings) *GroupCache {
	return &GroupCache{lister: lister, groups: groups, settings: settings, held: make(chan struct{}, 1)}
}

// Validate reports every fault of the settings.
func (c *GroupCache) Validate() error {
	if c == nil || len(c.groups) == 0 {
		return nil
	}
	return c.settings.Validate()
}

// At returns the excluded users at now, by object id in lower case; the map is not
// to be changed. A group may be too large to be read before ctx ends: what was read
// is kept, and the next call goes on there.
func (c *GroupCache) At(ctx context.Context, now time.Time) (map[string]bool, error) {
	if c == nil || len(c.groups) == 0 {
		return nil, nil
	}
	select {
	case c.held <- struct{}{}:
		defer func() { <-c.held }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now.Sub(c.read) < c.settings.Refresh {
		return c.members, nil
	}
	fallback := now.Sub(c.read) < c.settings.Stale
	if fallback {
		var cancel context.CancelFunc
		ctx, cancel = halfOf(ctx)
		defer cancel()
	}
	if err := c.readOn(ctx, now); err != nil && !fallback {
		return nil, err
	}
	return c.members, nil
}

// halfOf ends when half of what is left of ctx is over, so that a reading which the
// caller can do without leaves time for what it is done for.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// readOn begins a reading, or goes on with the one under way unless that is too
// old, to its end. Its members are as old as its beginning.
func (c *GroupCache) readOn(ctx context.Context, now time.Time) error {
	if c.reading == nil || now.Sub(c.reading.began) >= c.settings.Stale {
		c.reading = &groupReading{began: now, members: make(map[string]bool)}
	}
	for c.reading.group < len(c.groups) {
		if err := c.readPage(ctx, c.reading); err != nil {
			return err
		}
	}
	c.members, c.read, c.reading = c.reading.members, c.reading.began, nil
	return nil
}

// maxGroupPages bounds the reading of one group: Graph shows 999 members on a
// page.
const maxGroupPages = 1000

// readPage reads one page more. A reading whose link is refused, or whose pages
// have no end, is of no use to anybody, and is begun anew by the next call.
func (c *GroupCache) readPage(ctx context.Context, r *groupReading) error {
	group := c.groups[r.group]
	if r.pages == maxGroupPages {
		c.reading = nil
		return fmt.Errorf("excluded group %s has more than %d pages of members", group, maxGroupPages)
	}
	ids, next, err := c.lister.GroupMembers(ctx, group, r.next)
	if err != nil {
		if r.next != "" && refused(err) {
			c.reading = nil
		}
		return fmt.Errorf("read the members of excluded group %s: %w", group, err)
	}
	for _, id := range ids {
		r.members[strings.ToLower(id)] = true
	}
	r.pages++
	if r.next = next; next == "" {
		r.group, r.pages = r.group+1, 0
	}
	return nil
}

// refused tells whether Graph does not want a link any more. Whatever else goes
// wrong may go right with the same link later.
func refused(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.Expired() || e.StatusCode == http.StatusBadRequest || e.NotFound())
}
