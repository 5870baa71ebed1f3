package msgraph_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

const (
	groupID     = "3e5b1f0a-2f58-4c54-9c43-7d1c8d0b6a10"
	deltaLink   = "https://graph.microsoft.com/v1.0/users/delta()?$deltatoken=hanako%2Bone"
	nextLink    = "https://graph.microsoft.com/v1.0/users?$skiptoken=hanako%2Btwo"
	membersLink = "https://graph.microsoft.com/v1.0/groups/" + groupID + "/transitiveMembers?$skiptoken=two"
	selected    = "id,userPrincipalName,userType,creationType,externalUserState,createdDateTime,signInSessionsValidFromDateTime"
)

// pageCall is a call that reads a page.
type pageCall struct {
	name, operation, url string
	call                 func(context.Context, *msgraph.Client) (any, error)
}

func pageCalls() []pageCall {
	const root = "https://graph.microsoft.com/v1.0/"
	page := func(p directory.UserPage, err error) (any, error) { return p, err }
	members := func(ids []string, _ string, err error) (any, error) { return ids, err }
	return []pageCall{
		{"latest delta", "usersDelta", root + "users/delta()?$deltatoken=latest&$select=" + selected,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return c.LatestDelta(ctx) }},
		{"delta", "usersDelta", deltaLink,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.DeltaPage(ctx, deltaLink)) }},
		{"first users", "listUsers", root + "users?$select=" + selected + "&$top=999",
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.UserPage(ctx, "")) }},
		{"more users", "listUsers", nextLink,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.UserPage(ctx, nextLink)) }},
		{"first members", "listTransitiveMembers", root + "groups/" + groupID + "/transitiveMembers?$select=id&$top=999",
			func(ctx context.Context, c *msgraph.Client) (any, error) {
				return members(c.GroupMembers(ctx, groupID, ""))
			}},
		{"more members", "listTransitiveMembers", membersLink,
			func(ctx context.Context, c *msgraph.Client) (any, error) {
				return members(c.GroupMembers(ctx, groupID, membersLink))
			}},
	}
}

// One call is one request, to exactly the address that was given or is documented.
func TestPageRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range pageCalls() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusServiceUnavailable, `{}`)
			_, err := tt.call(t.Context(), clientOf(t, graph))
			if e := graphError(t, err); e.Operation != tt.operation || e.StatusCode != 503 {
				t.Errorf("error %+v", e)
			}
			if graph.requests() != 1 {
				t.Fatalf("%d requests, want 1", graph.requests())
			}
			req := graph.seen[0]
			if got := req.URL.String(); req.Method != "GET" || got != tt.url || graph.bodies[0] != "" {
				t.Errorf("sent %s %s, want GET %s", req.Method, got, tt.url)
			}
			if req.Header.Get("Accept") != "application/json" || !strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ") {
				t.Errorf("headers %v", req.Header)
			}
		})
	}
}

// pageOf is a page with these items, after which follows what the links say.
func pageOf(links string, items ...string) string {
	return `{"@odata.context":"c",` + links + `"value":[` + strings.Join(items, ",") + `]}`
}

const (
	thenNext  = `"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=three",`
	thenDelta = `"@odata.deltaLink":"https://graph.microsoft.com/v1.0/users/delta?$deltatoken=three",`
)

// How rounds and lists end.
func TestLastPages(t *testing.T) {
	t.Parallel()
	const three = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=three"
	delta := clientOf(t, answers(http.StatusOK, pageOf(thenDelta)))
	if got, err := delta.LatestDelta(t.Context()); err != nil || got != three {
		t.Errorf("latest delta %q, %v", got, err)
	}
	got, err := delta.DeltaPage(t.Context(), deltaLink)
	if diff := cmp.Diff(directory.UserPage{Users: []directory.User{}, Delta: three}, got); err != nil || diff != "" {
		t.Errorf("delta (-want +got), %v:\n%s", err, diff)
	}
	list := clientOf(t, answers(http.StatusOK, pageOf("")))
	got, err = list.UserPage(t.Context(), "")
	if diff := cmp.Diff(directory.UserPage{Users: []directory.User{}}, got); err != nil || diff != "" {
		t.Errorf("list (-want +got), %v:\n%s", err, diff)
	}
	if ids, next, err := list.GroupMembers(t.Context(), groupID, ""); err != nil || ids != nil || next != "" {
		t.Errorf("members %v, next %q, %v", ids, next, err)
	}
}

func TestGroupMembers(t *testing.T) {
	t.Parallel()
	typed := func(kind, id string) string { return `{"@odata.type":"` + kind + `","id":"` + id + `"}` }
	graph := answers(http.StatusOK, pageOf(`"@odata.nextLink":"`+membersLink+`",`,
		typed("#microsoft.graph.user", strings.ToUpper(userID(0))),
		typed("#microsoft.graph.group", userID(1)),
		typed("#Microsoft.Graph.User", userID(2)),
		typed("#microsoft.graph.device", userID(3)),
		`{"id":"`+userID(4)+`"}`,
	))
	ids, next, err := clientOf(t, graph).GroupMembers(t.Context(), groupID, "")
	if diff := cmp.Diff([]string{userID(0), userID(2), userID(4)}, ids); err != nil || next != membersLink || diff != "" {
		t.Errorf("next %q, error %v, members (-want +got):\n%s", next, err, diff)
	}
}

func checkDistrusted(t *testing.T, got any, err error) {
	t.Helper()
	if e := graphError(t, err); e.StatusCode != http.StatusOK || e.RequestID == "" {
		t.Errorf("error %+v", e)
	}
	if text := fmt.Sprintf("%+v", got); text != "" && text != "[]" && text != "{Users:[] Unreadable:0 Removed:[] Next: Delta:}" {
		t.Errorf("an error came with %s", text)
	}
}

// What makes a delta page useless as a step of its round, or a list endless.
func TestPagesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	delta := func(ctx context.Context, c *msgraph.Client) (any, error) { return c.DeltaPage(ctx, deltaLink) }
	latest := pageCalls()[0].call
	tests := []struct {
		name, body string
		call       func(context.Context, *msgraph.Client) (any, error)
	}{
		{"delta to itself", pageOf(`"@odata.nextLink":"` + deltaLink + `",`), delta},
		{"users to themselves", pageOf(`"@odata.nextLink":"` + nextLink + `",`), pageCalls()[3].call},
		{"members to themselves", pageOf(`"@odata.nextLink":"` + membersLink + `",`), pageCalls()[5].call},
		{"latest with a user", pageOf(thenDelta, userJSON(userID(0), "")), latest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.call(t.Context(), clientOf(t, answers(http.StatusOK, tt.body)))
			checkDistrusted(t, got, err)
		})
	}
}

// A checkpoint is read from a store. What is in it is called only on our Graph.
func TestLinksAreCheckedFirst(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"hanako", "/v1.0/users", "https://%zz", "//graph.microsoft.com/v1.0/users", "https:graph.microsoft.com/v1.0/users",
		"http://graph.microsoft.com/v1.0/users", "https://graph.microsoft.us/v1.0/users", "https://graph.microsoft.com:444/v1.0/users",
		"https://hanako@graph.microsoft.com/v1.0/users", "https://graph.microsoft.com/beta/users", "https://graph.microsoft.com/v1.0",
		"https://graph.microsoft.com/v1.0/../beta/users", "https://graph.microsoft.com/v1.0/%2E%2E/beta", "https://graph.microsoft.com/v1.01/users",
	} {
		t.Run(strings.ReplaceAll(link, "@", " at "), func(t *testing.T) { // no test is called after a user
			t.Parallel()
			graph := answers(http.StatusOK, pageOf(""))
			c := clientOf(t, graph)
			_, deltaErr := c.DeltaPage(t.Context(), link)
			_, listErr := c.UserPage(t.Context(), link)
			_, _, membersErr := c.GroupMembers(t.Context(), groupID, link)
			_, emptyErr := c.DeltaPage(t.Context(), "")
			_, _, groupErr := c.GroupMembers(t.Context(), link, "")
			for _, err := range []error{deltaErr, listErr, membersErr, emptyErr, groupErr} {
				if e := graphError(t, err); !e.NotDone || e.StatusCode != 0 || strings.Contains(leaktest.Seen(t, e).Error(), "https") {
					t.Errorf("error %+v", e)
				}
			}
			if n := graph.requests(); n != 0 {
				t.Errorf("%d requests, want none", n)
			}
		})
	}
}

// Errors that say nothing of the answer must not quote the address either.
func TestLostPagesNameNobody(t *testing.T) {
	t.Parallel()
	for _, tt := range pageCalls() {
		_, err := tt.call(t.Context(), clientOf(t, fails(http.ErrServerClosed)))
		if e := graphError(t, err); e.StatusCode != 0 || strings.Contains(leaktest.Seen(t, e).Error(), "https") {
			t.Errorf("%s: error %+v", tt.name, e)
		}
	}
}

func TestExpiredAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   bool
	}{
		{"410", 410, `{"error":{"code":"resyncRequired"}}`, true},
		{"410 in HTML", 410, `<html>`, true},
		{"code", 400, `{"error":{"code":"syncStateNotFound"}}`, true},
		{"code above another", 400, `{"error":{"code":"Directory_ExpiredPageToken","innererror":{"code":"somethingElse"}}}`, true},
		{"code below another", 400, `{"error":{"code":"badRequest","innerError":{"code":"DirectoryPageTokenNotFoundException","innerError":{"code":"deeper"}}}}`, true},
		{"another", 400, `{"error":{"code":"BadRequest","message":"syncStateNotFound"}}`, false},
		{"not found", 404, file(t, "../answer/testdata/error-404.json"), false},
	}
	for _, tt := range tests {
		for _, call := range pageCalls() {
			t.Run(tt.name+" "+call.name, func(t *testing.T) {
				t.Parallel()
				_, err := call.call(t.Context(), clientOf(t, answers(tt.status, tt.body)))
				if e := graphError(t, err); e.Expired() != tt.want || e.Operation != call.operation {
					t.Errorf("error %+v, want expired %t", e, tt.want)
				}
			})
		}
	}
}
