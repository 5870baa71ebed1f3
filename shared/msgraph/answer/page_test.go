package answer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// pageRead is a way to read a page. It returns what was read and the link to follow.
type pageRead struct {
	name string
	read func(answer.Answer) (any, string, error)
}

func userReads() []pageRead {
	return []pageRead{
		{"users", func(a answer.Answer) (any, string, error) {
			page, err := pages.Users(a)
			return page, page.Next, err
		}},
		{"delta", func(a answer.Answer) (any, string, error) {
			page, err := pages.Delta(a)
			return page, page.Next + page.Delta, err
		}},
	}
}

// allReads are those of all pages. Of the others, each list is nil with an error.
func allReads() []pageRead {
	return append(userReads(),
		pageRead{"latest delta", func(a answer.Answer) (any, string, error) {
			link, err := pages.LatestDelta(a)
			return link, link, err
		}},
		pageRead{"domains", func(a answer.Answer) (any, string, error) {
			list, next, err := pages.Domains(a)
			return list, next, err
		}},
		pageRead{"subscriptions", func(a answer.Answer) (any, string, error) {
			list, next, err := pages.Subscriptions(a)
			return list, next, err
		}},
	)
}

// empty tells whether nothing came with an error.
func empty(got any) bool {
	text := fmt.Sprintf("%+v", got)
	return text == "" || text == "[]" || text == "{Users:[] Unreadable:0 Removed:[] Next: Delta:}"
}

func TestUserPages(t *testing.T) {
	t.Parallel()
	body := pageOf(thenNext,
		userJSON(strings.ToUpper(userID(0)), `"signInSessionsValidFromDateTime":"2026-05-24T22:24:33.5+09:00",`),
		userJSON(userID(1), `"signInSessionsValidFromDateTime":null,`),
		userJSON(userID(2), ``),
		`{"id":"`+strings.ToUpper(userID(3))+`","@removed":{"reason":"changed"}}`,
		`{"@removed":{"reason":"deleted"},"id":"`+userID(4)+`"}`,
		`{"id":"`+userID(5)+`","@removed":null,"userType":"Guest","creationType":"Invitation","externalUserState":"Accepted"}`,
	)
	user := func(n int) directory.User {
		return directory.User{ID: userID(n), UserPrincipalName: principal, UserType: "Member", Created: time.Date(2026, 5, 24, 22, 24, 30, 0, time.UTC)}
	}
	stamped, unstamped := user(0), user(1)
	stamped.SignInSessionsValidFrom, stamped.StampKnown = time.Date(2026, 5, 24, 13, 24, 33, 5e8, time.UTC), true
	unstamped.StampKnown = true
	want := directory.UserPage{
		Users: []directory.User{stamped, unstamped, user(2),
			{ID: userID(5), UserType: "Guest", CreationType: "Invitation", ExternalUserState: "Accepted"}},
		Removed: []string{userID(3), userID(4)},
		Next:    "https://graph.microsoft.com/v1.0/users?$skiptoken=three",
	}
	for _, tt := range userReads() {
		got, _, err := tt.read(said(http.StatusOK, body))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, page (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// unreadable are items that are not what Graph documents, of any kind.
func unreadable() map[string]string {
	return map[string]string{
		"null":            `null`,
		"text":            `"` + principal + `"`,
		"list":            `[{"id":"` + userID(1) + `"}]`,
		"empty":           `{}`,
		"no id":           `{"userPrincipalName":"` + principal + `"}`,
		"null as id":      `{"id":null}`,
		"principal as id": userJSON(principal, ""),
		"number as id":    `{"id":7}`,
		"long id":         userJSON(userID(1)+"0", ""),
		"removed no id":   `{"@removed":{"reason":"changed"}}`,
	}
}

// unreadableUsers are those that only users can be.
func unreadableUsers() map[string]string {
	users := unreadable()
	for name, property := range map[string]string{
		"principal as stamp":   `"signInSessionsValidFromDateTime":"` + principal + `"`,
		"number as stamp":      `"signInSessionsValidFromDateTime":7`,
		"principal as date":    `"createdDateTime":"` + principal + `"`,
		"number as type":       `"userType":7`,
		"text for removed":     `"@removed":"` + principal + `"`,
		"stamp without a zone": `"signInSessionsValidFromDateTime":"2026-05-24T22:24:33"`,
	} {
		users[name] = `{"id":"` + userID(1) + `",` + property + `}`
	}
	return users
}

// A user who cannot be read is counted, and nobody else is lost.
func TestUnreadableUsersAreCounted(t *testing.T) {
	t.Parallel()
	for name, item := range unreadableUsers() {
		for _, tt := range userReads() {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				t.Parallel()
				body := pageOf(thenNext, userJSON(userID(0), ""), item, item, `{"id":"`+userID(2)+`","@removed":{}}`, userJSON(userID(3), ""))
				got, _, err := tt.read(said(http.StatusOK, body))
				if err != nil {
					t.Fatal(err)
				}
				page, _ := got.(directory.UserPage)
				if page.Unreadable != 2 || len(page.Users) != 2 || page.Users[0].ID != userID(0) || page.Users[1].ID != userID(3) || !slices.Equal(page.Removed, []string{userID(2)}) {
					t.Errorf("page %+v", page)
				}
			})
		}
	}
}

// A page with anything odd about itself is no page at all.
func TestPagesAreDistrusted(t *testing.T) {
	t.Parallel()
	good := userJSON(userID(0), "")
	link := func(name, address string) string { return pageOf(`"@odata.` + name + `":"` + address + `",`) }
	bodies := map[string]string{
		"nothing":          ``,
		"null":             `null`,
		"text":             `"` + principal + `"`,
		"list":             `[` + good + `]`,
		"cut off":          `{"value":[` + good,
		"HTML":             `<html>` + principal,
		"no list":          `{` + strings.TrimSuffix(thenNext, ",") + `}`,
		"null list":        `{` + thenNext + `"value":null}`,
		"object for list":  `{` + thenNext + `"value":{}}`,
		"number as link":   `{"@odata.nextLink":7,"value":[]}`,
		"next elsewhere":   link("nextLink", "https://graph.microsoft.com.example/v1.0/users"),
		"next in beta":     link("nextLink", "https://graph.microsoft.com/beta/users"),
		"next climbing":    link("nextLink", "https://graph.microsoft.com/v1.0/../beta/users"),
		"next climbing %":  link("nextLink", "https://graph.microsoft.com/v1.0/%2e%2e/beta/users"),
		"next without TLS": link("nextLink", "http://graph.microsoft.com/v1.0/users"),
		"next at a port":   link("nextLink", "https://graph.microsoft.com:444/v1.0/users"),
		"next for a login": link("nextLink", "https://me@graph.microsoft.com/v1.0/users"),
		"next relative":    link("nextLink", "/v1.0/users"),
		"no address":       link("nextLink", "https://%zz"),
		"delta elsewhere":  link("deltaLink", "https://graph.microsoft.us/v1.0/users/delta?$deltatoken=a"),
	}
	for name, body := range bodies {
		for _, tt := range allReads() {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				t.Parallel()
				got, _, err := tt.read(said(http.StatusOK, body))
				if e := discreet(t, err); e.StatusCode != http.StatusOK || e.RequestID == "" || e.NotDone || !empty(got) {
					t.Errorf("error %+v came with %+v", e, got)
				}
			})
		}
	}
}

// What makes a delta page useless as a step of its round, or a list endless.
func TestPagesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	reads := allReads()
	delta, latest := reads[1].read, reads[2].read
	tests := []struct {
		name, body string
		read       func(answer.Answer) (any, string, error)
	}{
		{"delta without a link", pageOf(""), delta},
		{"delta with both links", pageOf(thenNext + thenDelta), delta},
		{"latest with a user", pageOf(thenDelta, userJSON(userID(0), "")), latest},
		{"latest with a removed user", pageOf(thenDelta, `{"id":"`+userID(0)+`","@removed":{}}`), latest},
		{"latest with an unreadable user", pageOf(thenDelta, `null`), latest},
		{"latest with more", pageOf(thenNext), latest},
		{"latest without a link", pageOf(""), latest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := tt.read(said(http.StatusOK, tt.body))
			if discreet(t, err); !empty(got) {
				t.Errorf("an error came with %+v", got)
			}
		})
	}
}

// A round of delta must not begin at what stands on a page of a list.
func TestListsHaveNoDelta(t *testing.T) {
	t.Parallel()
	page, err := pages.Users(said(http.StatusOK, pageOf(thenDelta, userJSON(userID(0), ""))))
	if err != nil || page.Delta != "" || len(page.Users) != 1 {
		t.Errorf("page %+v, %v", page, err)
	}
}

// fullPage is a page as large as they come.
func fullPage() string {
	var items []string
	for n := range 999 {
		items = append(items, userJSON(userID(n), `"signInSessionsValidFromDateTime":null,`))
	}
	return pageOf(thenNext, items...)
}

// The SDK's models take some 270 allocations for each user, and 19 MB for a page. Not
// parallel: it counts the allocations of the whole process.
func TestPagesAreReadSparingly(t *testing.T) {
	full := said(http.StatusOK, fullPage())
	allocations := testing.AllocsPerRun(5, func() {
		if page, err := pages.Users(full); err != nil || page.Unreadable > 0 {
			t.Fatal(err, page.Unreadable)
		}
	})
	if most := 10.0 * 999; allocations > most {
		t.Errorf("%.0f allocations for 999 users, want at most %.0f", allocations, most)
	}
}

// Whatever stands for a page of anything, it is read or refused whole; every link leads
// to our Graph, and every id is one.
func FuzzPages(f *testing.F) {
	f.Add(pageOf(thenNext, userJSON(userID(0), ""), `{"id":"`+userID(1)+`","@removed":{}}`))
	f.Add(pageOf(thenDelta, `null`))
	f.Add(pageOf(thenDelta))
	f.Add(pageOf("", `{"@odata.type":"#microsoft.graph.group","id":"`+userID(1)+`"}`))
	f.Add(pageOf("", `{"id":"A.example","authenticationType":"Federated","isVerified":true,"state":{"status":[]}}`))
	f.Add(pageOf("", subscriptionJSON(subscriptionID, grantedExpiry)))
	f.Add(`{"value":[null],"Value":[{"id":"` + userID(0) + `"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, tt := range allReads() {
			got, link, err := tt.read(said(http.StatusOK, body))
			if err != nil {
				if discreet(t, err); !empty(got) {
					t.Errorf("%s: an error came with %+v", tt.name, got)
				}
				continue
			}
			if link != "" && !pages.Serves(link) {
				t.Errorf("%s: a link elsewhere", tt.name)
			}
			checkRead(t, got)
		}
	})
}

// checkRead checks what holds for everything that was read of a page.
func checkRead(t *testing.T, got any) {
	t.Helper()
	switch got := got.(type) {
	case directory.UserPage:
		for _, u := range got.Users {
			if !directory.IsID(u.ID) || !u.StampKnown && !u.SignInSessionsValidFrom.IsZero() {
				t.Errorf("user %+v", u)
			}
		}
		checkIDs(t, got.Removed)
	case []string:
		checkIDs(t, got)
	case []directory.Domain:
		for _, d := range got {
			if d.Name == "" || d.Name != strings.ToLower(d.Name) {
				t.Errorf("domain %+v", d)
			}
		}
	case []directory.Subscription:
		for _, s := range got {
			checkSubscription(t, s)
		}
	}
}

func checkIDs(t *testing.T, ids []string) {
	t.Helper()
	for _, id := range ids {
		if !directory.IsID(id) {
			t.Errorf("id %q", id)
		}
	}
}

// Whatever one item of a page is, the users around it are read, and it is a user, a
// removed one, or counted. A member or a domain is read, or fails its page.
func FuzzItem(f *testing.F) {
	for _, item := range unreadableUsers() {
		f.Add(item)
	}
	f.Add(userJSON(userID(1), `"signInSessionsValidFromDateTime":null,`))
	f.Add(`{"id":"` + userID(1) + `","@removed":{"reason":"changed"}}`)
	f.Add(`{"id":"` + userID(1) + `","@odata.type":"#microsoft.graph.group"}`)
	f.Add(`{"id":"a.example","authenticationType":"Federated","isVerified":true}`)
	f.Fuzz(func(t *testing.T, item string) {
		if !json.Valid([]byte(item)) {
			return // a page that is no JSON has no items
		}
		page := said(http.StatusOK, pageOf(thenNext, userJSON(userID(0), ""), item, userJSON(userID(2), "")))
		checkUsersAround(t, page, item)
		if list, _, err := pages.Domains(page); err == nil && len(list) != 3 {
			t.Errorf("domains %v", list)
		}
	})
}

// checkUsersAround checks a page of users of whom the second is the item.
func checkUsersAround(t *testing.T, a answer.Answer, item string) {
	t.Helper()
	page, err := pages.Users(a)
	if err != nil {
		t.Fatalf("%q fails the page: %v", item, err)
	}
	if n := len(page.Users) + len(page.Removed) + page.Unreadable; n != 3 || len(page.Users) < 2 {
		t.Fatalf("%d of 3 users: %+v", n, page)
	}
	if page.Users[0].ID != userID(0) || page.Users[len(page.Users)-1].ID != userID(2) {
		t.Errorf("the users around are %+v", page.Users)
	}
	if len(page.Users) == 3 {
		checkUser(t, page.Users[1], item)
	}
}

// Whatever an address looks like, what Graph serves is on its host and below its
// version.
func FuzzServes(f *testing.F) {
	for _, address := range []string{
		"https://graph.microsoft.com/v1.0/users", "https://GRAPH.microsoft.com/v1.0/users?$skiptoken=a", "https:graph.microsoft.com/v1.0/users",
		"https://graph.microsoft.com/v1.0/%2E%2E/beta", "https://me@graph.microsoft.com/v1.0/users", "//graph.microsoft.com/v1.0/users", "https://%zz",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !pages.Serves(address) {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.User != nil || !strings.EqualFold(u.Host, pages.Host) {
			t.Fatalf("%q is served", address)
		}
		if climbed := u.JoinPath(); !strings.HasPrefix(climbed.Path, answer.Version) {
			t.Errorf("%q is served, and leads to %q", address, climbed.Path)
		}
	})
}
