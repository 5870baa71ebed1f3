package msgraph_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

const (
	groupID   = "3e5b1f0a-2f58-4c54-9c43-7d1c8d0b6a10"
	deltaLink = "https://graph.microsoft.com/v1.0/users/delta()?$deltatoken=hanako%2Bone"
	nextLink  = "https://graph.microsoft.com/v1.0/users?$skiptoken=hanako%2Btwo"
	selected  = "id,userPrincipalName,userType,creationType,externalUserState,createdDateTime,signInSessionsValidFromDateTime"
)

// pageCall is a call that reads a page.
type pageCall struct {
	name, operation, url string
	call                 func(context.Context, *msgraph.Client) (any, error)
}

func pageCalls() []pageCall {
	const root = "https://graph.microsoft.com/v1.0/"
	page := func(p directory.UserPage, err error) (any, error) { return p, err }
	return []pageCall{
		{"latest delta", "usersDelta", root + "users/delta()?$deltatoken=latest&$select=" + selected,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return c.LatestDelta(ctx) }},
		{"delta", "usersDelta", deltaLink,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.DeltaPage(ctx, deltaLink)) }},
		{"first users", "listUsers", root + "users?$select=" + selected + "&$top=999",
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.UserPage(ctx, "")) }},
		{"more users", "listUsers", nextLink,
			func(ctx context.Context, c *msgraph.Client) (any, error) { return page(c.UserPage(ctx, nextLink)) }},
	}
}

// One call is one request, to exactly the address that was given or is documented.
func TestPageRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range pageCalls() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusForbidden, `{}`)
			_, err := tt.call(t.Context(), clientOf(t, graph))
			if e := graphError(t, err); e.Operation != tt.operation || e.StatusCode != 403 {
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
}

// A checkpoint is read from a store. What is in it is called only on our Graph; package
// answer tells what that is.
func TestLinksAreCheckedFirst(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, pageOf(""))
	c := clientOf(t, graph)
	for _, link := range []string{"hanako", "https://%zz", "https://hanako.example/v1.0/users"} {
		_, deltaErr := c.DeltaPage(t.Context(), link)
		_, listErr := c.UserPage(t.Context(), link)
		_, emptyErr := c.DeltaPage(t.Context(), "")
		for _, err := range []error{deltaErr, listErr, emptyErr} {
			if e := graphError(t, err); !e.NotDone || e.StatusCode != 0 || strings.Contains(e.Error(), "https") {
				t.Errorf("error %+v", e)
			}
		}
	}
	if n := graph.requests(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// Errors that say nothing of the answer must not quote the address either.
func TestLostPagesNameNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, tt := range pageCalls() {
			_, err := tt.call(t.Context(), clientOf(t, fails(http.ErrServerClosed)))
			if e := graphError(t, err); e.StatusCode != 0 || strings.Contains(e.Error(), "https") {
				t.Errorf("%s: error %+v", tt.name, e)
			}
		}
	})
}
