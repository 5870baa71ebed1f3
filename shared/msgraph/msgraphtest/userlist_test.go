package msgraphtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// eventual are the headers of an advanced query.
var eventual = []string{"ConsistencyLevel", "eventual"}

// numbered is the id of the nth user of a crowd.
func numbered(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// crowd adds users 0 to n-1.
func (d *directory) crowd(n int) {
	for i := range n {
		d.tenant.AddUser(NewUser{ID: numbered(i), UPN: fmt.Sprintf("u%d@example.co.jp", i)})
	}
}

func TestListUsersRefusals(t *testing.T) {
	t.Parallel()
	const advanced = "Operator '%s' is not supported because the required parameters might be missing. " +
		"Try adding $count=true query parameter and ConsistencyLevel:eventual header. " +
		"Refer to https://aka.ms/graph-docs/advanced-queries for more information."
	tests := []struct {
		name, query string
		header      []string
		roles       []string
		status      int
		code        string
		message     string
	}{
		{name: "unknown property", query: "$select=id,nothing", status: 400, code: "Request_BadRequest",
			message: "Could not find a property named 'nothing' on type 'microsoft.graph.user'."},
		{name: "property of single users", query: "$select=id,aboutMe", status: 501, code: "NotImplemented"},
		{name: "top of nothing", query: "$top=0", status: 400, code: "Request_BadRequest"},
		{name: "top over the maximum", query: "$top=1000", status: 400, code: "Request_BadRequest",
			message: "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive."},
		{name: "top is no number", query: "$top=many", status: 400, code: "BadRequest"},
		{name: "skip", query: "$skip=10", status: 400, code: "Request_BadRequest"},
		{name: "expand", query: "$expand=manager", status: 400, code: "Request_BadRequest"},
		{name: "count of another kind", query: "$count=yes", status: 400, code: "BadRequest"},
		{name: "filter by the stamp", query: "$filter=signInSessionsValidFromDateTime eq null", status: 400, code: "Request_UnsupportedQuery",
			message: "Unsupported or invalid query filter clause specified for property 'signInSessionsValidFromDateTime' of resource 'User'."},
		{name: "filter by the stamp even as an advanced query", query: "$count=true&$filter=signInSessionsValidFromDateTime le 2026-01-01T00:00:00Z",
			header: eventual, status: 400, code: "Request_UnsupportedQuery"},
		{name: "endsWith without anything", query: "$filter=endsWith(userPrincipalName,'@example.co.jp')", status: 400,
			code: "Request_UnsupportedQuery", message: fmt.Sprintf(advanced, "endsWith")},
		{name: "endsWith without the header", query: "$count=true&$filter=endsWith(userPrincipalName,'@example.co.jp')", status: 400,
			code: "Request_UnsupportedQuery", message: fmt.Sprintf(advanced, "endsWith")},
		{name: "endsWith without the count", query: "$filter=endsWith(userPrincipalName,'@example.co.jp')", header: eventual,
			status: 400, code: "Request_UnsupportedQuery", message: fmt.Sprintf(advanced, "endsWith")},
		{name: "too many clauses", query: "$filter=id in (" + strings.Repeat("'x',", 15) + "'x')", status: 400, code: "Request_UnsupportedQuery"},
		{name: "order by a property that isn't sorted", query: "$orderby=createdDateTime", status: 400, code: "Request_UnsupportedQuery"},
		{name: "order by nothing known", query: "$orderby=nothing", status: 400, code: "Request_BadRequest"},
		{name: "order and filter", query: "$orderby=displayName&$filter=accountEnabled eq true", status: 400, code: "Request_UnsupportedQuery"},
		{name: "garbled token", query: "$skiptoken=garbled", status: 400, code: "Directory_ExpiredPageToken"},
		{name: "empty token", query: "$skiptoken=", status: 400, code: "Directory_ExpiredPageToken"},
		{name: "basic permission", query: "$select=id,userType", roles: []string{"User.ReadBasic.All"}, status: 403, code: "Authorization_RequestDenied"},
		{name: "basic permission and a telling filter", query: "$filter=accountEnabled eq true", roles: []string{"User.ReadBasic.All"},
			status: 403, code: "Authorization_RequestDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			if test.roles != nil {
				d.roles = test.roles
			}
			got := d.want(d.get("/users?"+test.query, test.header...), test.status, test.code)
			if test.message != "" && got.message() != test.message {
				t.Errorf("message %q, want %q", got.message(), test.message)
			}
		})
	}
}

func TestListUsersPages(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(250)
	sizes := func(target string) (sizes []int) {
		for _, page := range d.pages(target) {
			sizes = append(sizes, len(page))
		}
		return sizes
	}
	if diff := cmp.Diff([]int{100, 100, 50}, sizes("/users?$select=id")); diff != "" {
		t.Errorf("default pages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{125, 125}, sizes("/users?$select=id&$top=125")); diff != "" {
		t.Errorf("pages of 125 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{250}, sizes("/users?$select=id&$top=999")); diff != "" {
		t.Errorf("pages of 999 (-want +got):\n%s", diff)
	}
}

func TestPagesStayStable(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(6)
	first := d.get("/users?$select=id&$top=2")
	d.tenant.DeleteUser(numbered(0))
	d.tenant.DeleteUser(numbered(3))
	d.federatedUsers(hanako)
	got := d.pages(first.link("nextLink"))
	want := [][]string{{numbered(2), numbered(4)}, {numbered(5), hanako}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestNextLinkKeepsTheQuery(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(3)
	next := d.get("/users?$select=id&$top=2&$filter=startsWith(userPrincipalName,'u')").link("nextLink")
	const prefix = "https://graph.microsoft.com/v1.0/users?$filter=startsWith%28userPrincipalName%2C%27u%27%29&$select=id&$skiptoken="
	if !strings.HasPrefix(next, prefix) {
		t.Errorf("nextLink %s, want %s…", next, prefix)
	}
	d.want(d.get(strings.Replace(next, "$top=2", "$top=3", 1)), 400, "Directory_ExpiredPageToken")
}

func TestPageTokensExpire(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Paging: Paging{TokenLife: time.Hour}})
	d.crowd(3)
	next := d.get("/users?$top=2").link("nextLink")
	d.at = d.at.Add(time.Hour)
	d.want(d.get(next), http.StatusOK, "")
	d.at = d.at.Add(time.Second)
	d.want(d.get(next), 400, "Directory_ExpiredPageToken")
}

// TestRetriedPageLost shows that the link of a page that was asked for twice leads
// nowhere, that the one which came first goes on, and that a fresh start helps.
func TestRetriedPageLost(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"/users?$top=2", "/users?$top=2&$orderby=userPrincipalName", "/groups/" + testTenant + "/transitiveMembers?$top=2"} {
		d := newDirectoryTest(t, Options{Paging: Paging{RetriedPageLost: true}})
		d.crowd(6)
		for i := range 6 {
			d.tenant.AddGroup(testTenant, numbered(i))
		}
		next := func(link string) string {
			return d.want(d.get(link), http.StatusOK, "").link("nextLink")
		}
		second := next(list)
		next(list) // another list, begun at the same time
		third, retried := next(second), next(second)
		d.want(d.get(retried), http.StatusBadRequest, "DirectoryPageTokenNotFoundException")
		d.want(d.get(next(second)), http.StatusBadRequest, "DirectoryPageTokenNotFoundException")
		d.want(d.get(third), http.StatusOK, "")
		if got := len(d.pages(list)); got != 3 {
			t.Errorf("%s: %d pages from a fresh start, want 3", list, got)
		}
	}
}

func TestRetriedPagesAreFineByDefault(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(6)
	second := d.get("/users?$top=2").link("nextLink")
	d.get(second)
	if got := len(d.pages(second)); got != 2 {
		t.Errorf("%d pages after a retry, want 2", got)
	}
}

func TestEmptyPages(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Paging: Paging{EmptyPageChance: 1}})
	d.crowd(3)
	want := [][]string{{}, {numbered(0), numbered(1)}, {}, {numbered(2)}}
	if diff := cmp.Diff(want, d.pages("/users?$top=2")); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestAdvancedQueriesPerPage(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(3)
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@managed.example"})
	first := d.get("/users?$count=true&$select=id&$top=2&$filter=endsWith(userPrincipalName,'@EXAMPLE.co.jp')", eventual...)
	if got := first.body["@odata.count"]; got != 3.0 {
		t.Errorf("count %v, want 3", got)
	}
	d.want(d.get(first.link("nextLink")), 400, "Request_UnsupportedQuery")
	second := d.want(d.get(first.link("nextLink"), eventual...), http.StatusOK, "")
	if _, ok := second.body["@odata.count"]; ok || !slices.Equal(second.ids(), []string{numbered(2)}) {
		t.Errorf("second page %s", second.raw)
	}
}

func TestCountNeedsTheHeader(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.crowd(3)
	if got := d.want(d.get("/users?$count=true"), http.StatusOK, ""); got.body["@odata.count"] != nil {
		t.Errorf("counted without the header: %s", got.raw)
	}
	d.want(d.get("/users/$count"), 400, "Request_UnsupportedQuery")
	got := d.want(d.get("/users/$count?$filter=userType ne 'Guest'", eventual...), http.StatusOK, "")
	if got.raw != "3" || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %q of type %s", got.raw, got.header.Get("Content-Type"))
	}
}

func TestOrderBy(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	for i, name := range []string{"b", "A", "c", "a"} {
		d.tenant.AddUser(NewUser{ID: numbered(i), UPN: fmt.Sprintf("u%d@example.co.jp", i), DisplayName: name})
	}
	ascending := []string{numbered(1), numbered(3), numbered(0), numbered(2)}
	if diff := cmp.Diff([][]string{ascending[:3], ascending[3:]}, d.pages("/users?$orderby=displayName&$top=3")); diff != "" {
		t.Errorf("ascending (-want +got):\n%s", diff)
	}
	slices.Reverse(ascending)
	got := d.pages("/users?$count=true&$orderby=displayName desc&$top=3&$filter=accountEnabled eq true", eventual...)
	if diff := cmp.Diff([][]string{ascending[:3], ascending[3:]}, got); diff != "" {
		t.Errorf("descending (-want +got):\n%s", diff)
	}
}
