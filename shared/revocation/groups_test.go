package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// groupLister shows pages of members by group and link, and counts how often it
// is asked.
type groupLister struct {
	pages map[string][]string // ids, by group and link
	links map[string]string   // to the next page, by the same
	asked int
	err   error
	fail  string // the page that fails, by the same; "" for any
	block time.Duration
}

func (l *groupLister) GroupMembers(ctx context.Context, group, next string) ([]string, string, error) {
	l.asked++
	select {
	case <-time.After(l.block):
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	page := group + next
	if l.err != nil && (l.fail == "" || l.fail == page) {
		return nil, "", l.err
	}
	return l.pages[page], l.links[page], nil
}

var groupSettings = revocation.GroupSettings{Refresh: 15 * time.Minute, Stale: time.Hour}

func TestGroupCacheRefresh(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	type look struct {
		after time.Duration // since the first look
		err   error         // what listing comes to
		asked int           // how often it was asked by then
		fails bool
	}
	tests := []struct {
		name  string
		looks []look
	}{
		{"members are read once", []look{{0, nil, 1, false}, {14 * time.Minute, nil, 1, false}}},
		{"old members are read again", []look{{0, nil, 1, false}, {15 * time.Minute, nil, 2, false}, {29 * time.Minute, nil, 2, false}}},
		{"old members serve while Graph fails", []look{
			{0, nil, 1, false}, {20 * time.Minute, errDown, 2, false}, {59 * time.Minute, errDown, 3, false}, {59 * time.Minute, nil, 4, false},
		}},
		{"but not for ever", []look{{0, nil, 1, false}, {time.Hour, errDown, 2, true}, {time.Hour + time.Second, nil, 3, false}}},
		{"nobody known is an error", []look{{0, errDown, 1, true}, {0, nil, 2, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
			lister := &groupLister{pages: map[string][]string{"g": {userID(1)}}}
			cache := revocation.NewGroupCache(lister, []string{"g"}, groupSettings)
			for i, l := range tt.looks {
				lister.err = l.err
				members, err := cache.At(t.Context(), start.Add(l.after))
				if l.fails != (err != nil) || l.fails && !errors.Is(err, l.err) {
					t.Fatalf("look %d: error %v, want one: %t", i, err, l.fails)
				}
				if members[userID(1)] == l.fails || len(members) > 1 {
					t.Errorf("look %d: members %v, error %v", i, members, err)
				}
				if lister.asked != l.asked {
					t.Errorf("look %d: Graph was asked %d times, want %d", i, lister.asked, l.asked)
				}
			}
		})
	}
}

func TestGroupCachePages(t *testing.T) {
	t.Parallel()
	lister := &groupLister{
		pages: map[string][]string{
			"a": {userID(1), userID(2)}, "a/2": nil, "a/3": {userID(3)},
			"b": {userID(2), strings.ToUpper(userID(0xb))}, // a member of both, and one in capitals
		},
		links: map[string]string{"a": "/2", "a/2": "/3"},
	}
	cache := revocation.NewGroupCache(lister, []string{"a", "b", "empty"}, groupSettings)
	now := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	members, err := cache.At(t.Context(), now)
	if err != nil {
		t.Fatalf("At: %v", err)
	}
	want := []string{userID(1), userID(2), userID(3), userID(0xb)}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(members))); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if lister.asked != 5 {
		t.Errorf("Graph was asked %d times, want once for each page", lister.asked)
	}

	// Somebody leaves a group: once it is read again, the exclusion is gone. A
	// list that breaks off in its middle changes nothing.
	lister.pages["a/3"] = nil
	lister.err, lister.fail = errors.New("down"), "b"
	if members, err = cache.At(t.Context(), now.Add(20*time.Minute)); err != nil || !members[userID(3)] {
		t.Errorf("after half a reading: members %v, error %v", members, err)
	}
	lister.err = nil
	if members, err = cache.At(t.Context(), now.Add(21*time.Minute)); err != nil || members[userID(3)] || !members[userID(1)] {
		t.Errorf("after the member left: members %v, error %v", members, err)
	}
}

// A list without an end, by mistake of whoever makes the links, is an error: who
// stands on its other pages is not known.
func TestGroupCacheBounded(t *testing.T) {
	t.Parallel()
	lister := &groupLister{
		pages: map[string][]string{"g": {userID(1)}, "g/again": {userID(2)}},
		links: map[string]string{"g": "/again", "g/again": "/again"},
	}
	cache := revocation.NewGroupCache(lister, []string{"g"}, groupSettings)
	members, err := cache.At(t.Context(), time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC))
	if want := "excluded group g has more than 1000 pages of members"; err == nil || err.Error() != want {
		t.Errorf("At = %d members, %v, want the error %q", len(members), err, want)
	}
	if lister.asked != 1000 {
		t.Errorf("Graph was asked %d times, want 1000", lister.asked)
	}
}

func TestNoGroups(t *testing.T) {
	t.Parallel()
	lister := new(groupLister)
	var none *revocation.GroupCache
	for name, cache := range map[string]*revocation.GroupCache{
		"no cache": none, "no groups": revocation.NewGroupCache(lister, nil, groupSettings),
	} {
		if members, err := cache.At(t.Context(), time.Now()); len(members) != 0 || err != nil {
			t.Errorf("%s: At = %v, %v, want nobody", name, members, err)
		}
	}
	if lister.asked != 0 {
		t.Errorf("Graph was asked %d times, want none", lister.asked)
	}
}

// One caller asks Graph; those who come meanwhile wait for its answer, but no
// longer than their own context.
func TestGroupCacheWaitingCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lister := &groupLister{pages: map[string][]string{"g": {userID(1)}}, block: 10 * time.Second}
		cache := revocation.NewGroupCache(lister, []string{"g"}, groupSettings)
		start := time.Now()
		ask := func(ctx context.Context, result chan<- string) {
			members, err := cache.At(ctx, start)
			line := "known"
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				line = "gave up"
			case err != nil || !members[userID(1)]:
				line = "wrong"
			}
			result <- fmt.Sprintf("%s after %s", line, time.Since(start))
		}
		first, patient, hasty := make(chan string), make(chan string), make(chan string)
		go ask(t.Context(), first)
		synctest.Wait()
		go ask(t.Context(), patient)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go ask(ctx, hasty)

		got := strings.Join([]string{<-hasty, <-first, <-patient}, "; ")
		if want := "gave up after 1s; known after 10s; known after 10s"; got != want {
			t.Errorf("callers %s; want %s", got, want)
		}
		if lister.asked != 1 {
			t.Errorf("Graph was asked %d times, want once", lister.asked)
		}
	})
}
