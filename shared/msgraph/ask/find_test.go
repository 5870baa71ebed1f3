package ask_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// named are users whose names are hard to ask for.
func named(t *testing.T, o msgraphtest.Options) emulated {
	t.Helper()
	graph := emulate(t, 0, o, "Directory.Read.All", "GroupMember.Read.All")
	for i, upn := range []string{
		"hanako.o'hara@example.co.jp", "hanako_example.com#EXT#@example.co.jp", "hanako+a&b=c%20d?e/f@example.co.jp", "$hanako@example.co.jp", "花子@example.co.jp",
	} {
		graph.tenant.AddUser(msgraphtest.NewUser{ID: userID(i), UPN: upn})
	}
	graph.tenant.SetMail(userID(0), "hanako@mail.example", "SMTP:hanako@mail.example", "smtp:hana'ko@old.example", "SIP:hanako@sip.example")
	graph.tenant.SetMail(userID(1), "hanako@example.com", "smtp:both@mail.example")
	graph.tenant.SetMail(userID(2), "", "SMTP:both@mail.example", "smtp:$hanako@example.co.jp")
	return graph
}

// A name leads to one user, or to a clear refusal.
func TestFindUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := named(t, msgraphtest.Options{Paging: msgraphtest.Paging{EmptyPageChance: 1}})
		tests := []struct {
			name string
			want int // the user's number
			err  error
		}{
			{"hanako.o'hara@example.co.jp", 0, nil},
			{" HANAKO.O'Hara@Example.co.jp ", 0, nil},
			{"hanako@mail.example", 0, nil},
			{"hana'ko@old.example", 0, nil},
			{"hanako@sip.example", 0, directory.ErrNoUser},
			{"hanako_example.com#EXT#@example.co.jp", 1, nil},
			{"hanako@example.com", 1, nil},
			{"hanako+a&b=c%20d?e/f@example.co.jp", 2, nil},
			{"both@mail.example", 0, directory.ErrSeveralUsers},
			{"$hanako@example.co.jp", 0, directory.ErrSeveralUsers}, // one's name, another's address
			{"花子@example.co.jp", 4, nil},
			{strings.ToUpper(userID(3)), 3, nil},
			{userID(9), 0, directory.ErrNoUser},
			{"hanako", 0, directory.ErrNoName},
			{"", 0, directory.ErrNoName},
			{"' or mail eq 'hanako@example.com", 0, directory.ErrNoUser},
			{"han\nako@example.co.jp", 0, directory.ErrNoName},
		}
		names := make([]string, 0, 3*len(tests))
		for _, tt := range slices.Concat(tests, tests, tests) {
			names = append(names, tt.name)
		}
		got, err := graph.client.FindUsers(t.Context(), names)
		if err != nil || len(got) != len(names) {
			t.Fatalf("%d users, %v", len(got), err)
		}
		for i, tt := range slices.Concat(tests, tests, tests) {
			switch {
			case tt.err != nil:
				if graphError(t, got[i].Err); !errors.Is(got[i].Err, tt.err) || !cmp.Equal(got[i].User, directory.User{}) {
					t.Errorf("%q: %+v, want %v", tt.name, got[i], tt.err)
				}
			case got[i].Err != nil || got[i].User.ID != userID(tt.want) || !got[i].User.StampKnown:
				t.Errorf("%q: %+v, want user %d", tt.name, got[i], tt.want)
			}
		}
	})
}

// Parts that Graph throttles are asked for again, and no others. An error that stays is told
// of the names it is about.
func TestFindUsersAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := named(t, msgraphtest.Options{})
		second := func(r msgraphtest.Request) bool { return r.Part && strings.HasSuffix(r.Path, userID(1)) }
		graph.server.Inject(msgraphtest.Fault{Match: second, Status: http.StatusTooManyRequests, Times: 2})
		for i, r := range mustFind(t, graph, append(userIDs(3), userID(9))) {
			if (r.Err != nil) != (i == 3) {
				t.Errorf("user %d: %v", i, r.Err)
			}
		}
		if got := graph.server.Counts(); got.HTTP != 3 || got.Parts != 6 {
			t.Errorf("counts %+v, want 3 requests with 6 parts", got)
		}
		graph.server.Inject(msgraphtest.Fault{Match: second, Status: http.StatusServiceUnavailable})
		for i, r := range mustFind(t, graph, userIDs(3)) {
			if (r.Err != nil) != (i == 1) {
				t.Errorf("user %d: %v", i, r.Err)
			}
		}
	})
}

func mustFind(t *testing.T, graph emulated, names []string) []directory.Read {
	t.Helper()
	got, err := graph.client.FindUsers(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Names are shown by a thousand.
func TestNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := named(t, msgraphtest.Options{})
		got, err := graph.client.Names(t.Context(), append(userIDs(1500), userID(0)))
		if err != nil || len(got) != 5 || graph.server.Counts().HTTP != 2 {
			t.Fatalf("%d names, %v, %+v", len(got), err, graph.server.Counts())
		}
		if name := got[userID(1)]; name.ID != userID(1) || !strings.HasSuffix(name.DisplayName, "#EXT#") || !strings.Contains(name.UserPrincipalName, "#EXT#@") {
			t.Errorf("name %+v", name)
		}
	})
}

// Groups are found by name, and their users counted through other groups.
func TestFindGroups(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := named(t, msgraphtest.Options{Paging: msgraphtest.Paging{EmptyPageChance: 1}})
		inner, hidden := userID(0xff00), userID(0xff01)
		graph.tenant.AddGroup(groupID, userID(0), userID(1), inner)
		graph.tenant.AddGroup(inner, userID(2), userID(0), groupID)
		graph.tenant.AddGroup(hidden, userID(3))
		graph.tenant.SetGroup(groupID, "外部委託's", false)
		graph.tenant.SetGroup(hidden, "外部委託's", true)
		want := []directory.Group{{ID: hidden, DisplayName: "外部委託's", HiddenMembers: true}, {ID: groupID, DisplayName: "外部委託's"}}
		slices.SortFunc(want, func(a, b directory.Group) int { return strings.Compare(a.ID, b.ID) })
		got, err := graph.client.FindGroups(t.Context(), " 外部委託's ")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("groups (-want +got), %v:\n%s", err, diff)
		}
		for _, name := range []string{"nobody", userID(7), ""} {
			if got, err := graph.client.FindGroups(t.Context(), name); !errors.Is(err, directory.ErrNoGroup) || got != nil {
				t.Errorf("%q: %+v, %v", name, got, err)
			}
		}
		if ids := mustList(t, graph, groupID); !slices.Equal(ids, userIDs(3)) {
			t.Errorf("members %v", ids)
		}
		_, _, err = graph.client.TransitiveMembers(t.Context(), hidden, "")
		if e := graphError(t, err); !errors.Is(err, directory.ErrHiddenMembers) || !e.NotDone {
			t.Errorf("hidden: %v", err)
		}
	})
}

// mustList follows the pages of a group's members, and sorts them.
func mustList(t *testing.T, graph emulated, group string) (all []string) {
	t.Helper()
	for next := ""; ; {
		ids, after, err := graph.client.TransitiveMembers(t.Context(), group, next)
		if err != nil {
			t.Fatal(err)
		}
		if all, next = append(all, ids...), after; next == "" {
			slices.Sort(all)
			return all
		}
	}
}
