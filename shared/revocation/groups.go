package revocation

import (
	"context"
	"fmt"
	"strings"
	"time"
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
	// nobody is revoked, because nobody can say who is excluded.
	Stale time.Duration
}

// DefaultGroupSettings suit a group that an administrator fills by hand.
var DefaultGroupSettings = GroupSettings{Refresh: 15 * time.Minute, Stale: 2 * time.Hour}

// GroupCache keeps the users that are excluded by membership of a group. It is
// safe for concurrent use.
type GroupCache struct {
	lister   GroupLister
	groups   []string
	settings GroupSettings

	// held is a mutex whose waiters give up with their context.
	held    chan struct{}
	members map[string]bool // by object id
	read    time.Time
}

// NewGroupCache excludes the members of groups, which are object ids.
func NewGroupCache(lister GroupLister, groups []string, settings GroupSettings) *GroupCache {
	return &GroupCache{lister: lister, groups: groups, settings: settings, held: make(chan struct{}, 1)}
}

// At returns the excluded users at now, by object id in lower case; the map is not
// to be changed.
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
	members, err := c.readAll(ctx)
	if err == nil {
		c.members, c.read = members, now
		return c.members, nil
	}
	if now.Sub(c.read) < c.settings.Stale {
		return c.members, nil
	}
	return nil, err
}

// maxGroupPages bounds the reading of one group: Graph shows 999 members on a
// page.
const maxGroupPages = 1000

func (c *GroupCache) readAll(ctx context.Context) (map[string]bool, error) {
	members := make(map[string]bool)
	for _, group := range c.groups {
		next := ""
		for range maxGroupPages {
			ids, link, err := c.lister.GroupMembers(ctx, group, next)
			if err != nil {
				return nil, fmt.Errorf("read the members of excluded group %s: %w", group, err)
			}
			for _, id := range ids {
				members[strings.ToLower(id)] = true
			}
			if next = link; next == "" {
				break
			}
		}
		if next != "" {
			return nil, fmt.Errorf("excluded group %s has more than %d pages of members", group, maxGroupPages)
		}
	}
	return members, nil
}
