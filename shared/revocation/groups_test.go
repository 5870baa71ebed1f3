package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// groupLister shows pages of members by group and link, and counts how often it
// is asked.
type groupLister struct {
	pages map[string][]string // ids, by group and link
	links map[string]string   // to the next page, by the same
	asked int
	log   []string // the pages asked for, by the same
	err   error
	fail  string // the page that fails, by the same; "" for any
	block time.Duration
}

func (l *groupLister) GroupMembers(ctx context.Context, group, next string) ([]string, string, error) {
	l.asked++
	l.log = append(l.log, group+next)
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
				if l.fails != (leaktest.Seen(t, err) != nil) || l.fails && !errors.Is(err, l.err) {
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
	if want := "excluded group g has more than 1000 pages of members"; leaktest.Seen(t, err) == nil || err.Error() != want {
		t.Errorf("At = %d members, %v, want the error %q", len(members), err, want)
	}
	if lister.asked != 1000 {
		t.Errorf("Graph was asked %d times, want 1000", lister.asked)
	}
}

// The bound is that of one group.
func TestGroupCacheBoundsEachGroup(t *testing.T) {
	t.Parallel()
	lister := &groupLister{links: make(map[string]string)}
	groups := []string{"a", "b"}
	for _, group := range groups {
		page := group
		for n := range 700 {
			next := fmt.Sprint("/", n)
			lister.links[page] = next
			page = group + next
		}
	}
	cache := revocation.NewGroupCache(lister, groups, groupSettings)
	if _, err := cache.At(t.Context(), time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)); err != nil || lister.asked != 2*701 {
		t.Errorf("At = %v after %d pages, want no error after 1402", err, lister.asked)
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
			case errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded):
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

// A large group is read in parts, over as many calls as it takes. Until it is
// whole, it excludes nobody and lets nobody pass.
func TestGroupCacheReadsOn(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	gone := graphError(http.StatusGone)
	type look struct {
		after time.Duration
		fail  string // the page that fails
		err   error
		asked string // the pages asked for
		known bool
	}
	const all = "a a/2 a/3 b b/2"
	tests := []struct {
		name  string
		looks []look
	}{
		{"goes on at the page that failed", []look{
			{0, "a/3", errDown, "a a/2 a/3", false}, {time.Minute, "a/3", errDown, "a/3", false}, {2 * time.Minute, "", nil, "a/3 b b/2", true},
		}},
		{"goes on in the second group", []look{{0, "b", errDown, "a a/2 a/3 b", false}, {time.Minute, "", nil, "b b/2", true}}},
		{"keeps what it has when it is throttled", []look{{0, "b/2", graphError(429), all, false}, {time.Minute, "", nil, "b/2", true}}},
		{"begins anew when its link is refused", []look{{0, "a/3", gone, "a a/2 a/3", false}, {time.Minute, "", nil, all, true}}},
		{"goes on where a group is not found", []look{{0, "b", graphError(404), "a a/2 a/3 b", false}, {time.Minute, "", nil, "b b/2", true}}},
		{"begins anew when it has taken too long", []look{
			{0, "b", errDown, "a a/2 a/3 b", false}, {time.Hour - time.Second, "b", errDown, "b", false}, {time.Hour, "", nil, all, true},
		}},
		{"is as old as its beginning", []look{
			{0, "b", errDown, "a a/2 a/3 b", false}, {10 * time.Minute, "", nil, "b b/2", true},
			{14 * time.Minute, "", nil, "", true}, {15 * time.Minute, "", nil, all, true},
		}},
		{"the old list serves meanwhile", []look{
			{0, "", nil, all, true}, {20 * time.Minute, "a/3", errDown, "a a/2 a/3", true}, {21 * time.Minute, "b", errDown, "a/3 b", true},
			{time.Hour, "b", errDown, "b", false}, {time.Hour, "", nil, "b b/2", true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
			lister := &groupLister{
				pages: map[string][]string{"a": {userID(1)}, "a/2": {userID(2)}, "a/3": {userID(3)}, "b": {userID(4)}, "b/2": {userID(5)}},
				links: map[string]string{"a": "/2", "a/2": "/3", "b": "/2"},
			}
			cache := revocation.NewGroupCache(lister, []string{"a", "b"}, groupSettings)
			for i, l := range tt.looks {
				lister.err, lister.fail, lister.log = l.err, l.fail, nil
				members, err := cache.At(t.Context(), start.Add(l.after))
				if (leaktest.Seen(t, err) == nil) != l.known || err != nil && !errors.Is(err, l.err) || l.known != (len(members) == 5) || !l.known && members != nil {
					t.Errorf("look %d: members %v, error %v; want them known: %t", i, members, err, l.known)
				}
				if diff := cmp.Diff(l.asked, strings.Join(lister.log, " ")); diff != "" {
					t.Errorf("look %d: pages asked for (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// A group that takes longer than an invocation costs no dead letter: each
// invocation puts its requests back in time, and the next one of the same process
// reads on.
func TestGroupLargerThanAnInvocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const pages = 30
		w.groups = map[string][]string{excludedGroup: nil}
		for n := range pages {
			w.groups[excludedGroup] = append(w.groups[excludedGroup], userID(100+n))
		}
		w.steps.hook = func(ctx context.Context, s step) error {
			if s.call != "Groups.GroupMembers" || s.after {
				return nil
			}
			select {
			case <-time.After(7 * time.Second):
			case <-ctx.Done():
			}
			return ctx.Err()
		}
		w.user(1)
		process := w.newRevoker()
		invoke := func() {
			ctx, cancel := context.WithTimeout(t.Context(), functionTimeout)
			defer cancel()
			if err := process.Handle(ctx, []revocation.Request{w.request(1, 0)})[0]; err != nil {
				t.Errorf("Handle: %v", err)
			}
			if ctx.Err() != nil {
				t.Error("the invocation was stopped")
			}
		}
		for range 3 {
			invoke()
		}
		if diff := cmp.Diff([]string{"later exclusions_unavailable", "done revoked"}, w.outcomes(userID(1))); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		// Of each invocation that was too short one page was asked for in vain.
		if got := w.steps.calls("Groups.GroupMembers"); got != pages+2 {
			t.Errorf("%d pages were asked for, want %d", got, pages+2)
		}
	})
}

// A list that has just been read is never an empty one, whatever the settings are.
func TestGroupCacheServesWhatItHasRead(t *testing.T) {
	t.Parallel()
	lister := &groupLister{pages: map[string][]string{"g": {userID(1)}}}
	for _, settings := range []revocation.GroupSettings{{}, {Refresh: time.Hour, Stale: -1}} {
		cache := revocation.NewGroupCache(lister, []string{"g"}, settings)
		if members, err := cache.At(t.Context(), time.Now()); err != nil || !members[userID(1)] {
			t.Errorf("%+v: At = %v, %v, want the member", settings, members, err)
		}
	}
}

// While an old list serves, reading a new one leaves an invocation the time to
// revoke.
func TestGroupCacheReadingLeavesTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const pages = 60
		w.groups = map[string][]string{excludedGroup: nil}
		for n := range pages {
			w.groups[excludedGroup] = append(w.groups[excludedGroup], userID(100+n))
		}
		process := w.newRevoker()
		invoke := func(n int) {
			ctx, cancel := context.WithTimeout(t.Context(), functionTimeout)
			defer cancel()
			if err := process.Handle(ctx, []revocation.Request{w.request(n, time.Since(w.start))})[0]; err != nil {
				t.Errorf("Handle: %v", err)
			}
		}
		w.user(1)
		invoke(1)
		w.steps.hook = func(ctx context.Context, s step) error {
			takes := map[string]time.Duration{"Groups.GroupMembers": 7 * time.Second, "Quota.Reserve": time.Millisecond}[s.call]
			if takes == 0 || s.after {
				return nil
			}
			select {
			case <-time.After(takes):
			case <-ctx.Done():
			}
			return ctx.Err()
		}
		time.Sleep(revocation.DefaultGroupSettings.Refresh)
		for n := 2; n < 12; n++ {
			w.user(n)
			invoke(n)
			if diff := cmp.Diff([]string{"done revoked"}, w.outcomes(userID(n))); diff != "" {
				t.Errorf("user %d (-want +got):\n%s", n, diff)
			}
		}
		// The new list came together meanwhile: nobody asks for it any more.
		if got := w.steps.calls("Groups.GroupMembers"); got < 2*pages || got > 2*pages+10 {
			t.Errorf("%d pages were asked for, want the whole list twice", got)
		}
	})
}
