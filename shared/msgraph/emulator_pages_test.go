package msgraph_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// readers are the permissions that pages need.
var readers = []string{"User.Read.All", "User.RevokeSessions.All", "GroupMember.Read.All"}

// walk reads pages until there is no next one, and returns the ids of their users in
// order, those removed, and the delta link of the last page.
func walk(t *testing.T, start string, read func(link string) (directory.UserPage, error)) (users, removed []string, deltaLink string) {
	t.Helper()
	link := start
	for range 1000 {
		page, err := read(link)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			users = append(users, u.ID)
		}
		removed = append(removed, page.Removed...)
		if page.Next == "" {
			return users, removed, page.Delta
		}
		link = page.Next
	}
	t.Fatal("the pages do not end")
	return nil, nil, ""
}

// All users, over full pages and empty ones, with one request for each.
func TestEmulatorListsUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 2500, msgraphtest.Options{Seed: 7, Paging: msgraphtest.Paging{EmptyPageChance: 0.5}}, readers...)
		calls := 0
		users, removed, delta := walk(t, "", func(link string) (directory.UserPage, error) {
			calls++
			page, err := graph.client.UserPage(t.Context(), link)
			for _, u := range page.Users {
				if !u.StampKnown || !u.SignInSessionsValidFrom.IsZero() || u.Domain() != "example.co.jp" || u.UserType != "Member" || u.Created.IsZero() {
					t.Fatalf("user %+v", u)
				}
			}
			return page, err
		})
		slices.Sort(users)
		if !slices.Equal(users, userIDs(2500)) || removed != nil || delta != "" {
			t.Errorf("%d users, removed %v, delta %q", len(users), removed, delta)
		}
		if got := graph.server.Counts(); got.HTTP != calls || calls < 3 {
			t.Errorf("%d requests for %d calls", got.HTTP, calls)
		}
	})
}

// Whatever delta does to its pages, a round tells of everybody who changed.
func TestEmulatorTellsChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 300, msgraphtest.Options{Seed: 7, Delta: msgraphtest.Delta{
			PageSize: 20, ReplayChance: 0.5, RepeatChance: 0.2, EmptyPageChance: 0.3, Shuffle: true,
		}}, readers...)
		link, err := graph.client.LatestDelta(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		round := func() (users, removed []string) {
			t.Helper()
			users, removed, link = walk(t, link, func(link string) (directory.UserPage, error) {
				return graph.client.DeltaPage(t.Context(), link)
			})
			slices.Sort(users)
			return slices.Compact(users), removed
		}
		if users, removed := round(); users != nil || removed != nil {
			t.Errorf("before: %v, removed %v", users, removed)
		}
		mustRevoke(t, graph.client, userIDs(msgraph.MaxBatch))
		for n := 300; n < 350; n++ {
			graph.tenant.AddUser(msgraphtest.NewUser{ID: userID(n), UPN: "hanako." + userID(n) + "@example.co.jp"})
		}
		graph.tenant.DeleteUser(userID(299))
		users, removed := round()
		want := append(userIDs(msgraph.MaxBatch), userIDs(350)[300:]...)
		for _, id := range want {
			if !slices.Contains(users, id) {
				t.Errorf("the round does not tell of %s", id)
			}
		}
		if !slices.Contains(removed, userID(299)) {
			t.Errorf("removed %v", removed)
		}
	})
}

// The stamp is known only where the page has it, and delta leaves out what was
// never set.
func TestEmulatorDeltaOmitsTheStamp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{}, readers...)
		link, err := graph.client.LatestDelta(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stamp := time.Now().Add(-time.Hour).UTC()
		graph.tenant.AddUser(msgraphtest.NewUser{ID: userID(0), UPN: principal})
		graph.tenant.AddUser(msgraphtest.NewUser{ID: userID(1), UPN: "taro@example.co.jp", Stamp: &stamp})
		page, err := graph.client.DeltaPage(t.Context(), link)
		if err != nil || len(page.Users) != 2 {
			t.Fatalf("page %+v, %v", page, err)
		}
		for _, u := range page.Users {
			if set := u.ID == userID(1); u.StampKnown != set || u.SignInSessionsValidFrom.IsZero() == set {
				t.Errorf("user %+v", u)
			}
		}
	})
}

// Addresses expire, each in Graph's own way.
func TestEmulatorForgetsAddresses(t *testing.T) {
	for _, status := range []int{http.StatusGone, http.StatusBadRequest, http.StatusNotFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1000, msgraphtest.Options{
					Delta:  msgraphtest.Delta{ExpireStatus: status},
					Paging: msgraphtest.Paging{TokenLife: time.Hour},
				}, readers...)
				link, err := graph.client.LatestDelta(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				page, err := graph.client.UserPage(t.Context(), "")
				if err != nil || page.Next == "" || len(page.Users) != msgraph.MaxPage {
					t.Fatalf("%d users, next %q, %v", len(page.Users), page.Next, err)
				}
				time.Sleep(7*24*time.Hour + time.Second)
				_, err = graph.client.DeltaPage(t.Context(), link)
				if e := graphError(t, err); !e.Expired() || e.StatusCode != status {
					t.Errorf("delta: %+v", e)
				}
				_, err = graph.client.UserPage(t.Context(), page.Next)
				if e := graphError(t, err); !e.Expired() {
					t.Errorf("list: %+v", e)
				}
			})
		})
	}
}

func TestEmulatorListsMembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1200, msgraphtest.Options{Seed: 7, Paging: msgraphtest.Paging{EmptyPageChance: 0.5}}, readers...)
		inner := userID(0xff00)
		graph.tenant.AddGroup(inner, append(userIDs(1200)[100:], groupID)...)
		graph.tenant.AddGroup(groupID, append(userIDs(150), inner)...)
		ids, _, _ := walk(t, "", func(link string) (page directory.UserPage, err error) {
			ids, next, err := graph.client.GroupMembers(t.Context(), groupID, link)
			for _, id := range ids {
				page.Users = append(page.Users, directory.User{ID: id})
			}
			page.Next = next
			return page, err
		})
		slices.Sort(ids)
		if !slices.Equal(ids, userIDs(1200)) {
			t.Errorf("%d members, want 1200", len(ids))
		}
		_, _, err := graph.client.GroupMembers(t.Context(), userID(1), "")
		if e := graphError(t, err); !e.NotFound() {
			t.Errorf("no such group: %+v", e)
		}
	})
}

func TestEmulatorRefusesPages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, "Domain.Read.All")
		for _, tt := range pageCalls() {
			if tt.url == deltaLink || tt.url == nextLink || tt.url == membersLink {
				continue // invented
			}
			_, err := tt.call(t.Context(), graph.client)
			if e := graphError(t, err); !e.Forbidden() || !e.NotDone {
				t.Errorf("%s: %+v", tt.name, e)
			}
		}
	})
}
