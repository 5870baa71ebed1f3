package msgraphtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
		{name: "top of nothing", query: "$top=0", status: 400, code: "Request_UnsupportedQuery"},
		{name: "top over the maximum", query: "$top=1000", status: 400, code: "Request_UnsupportedQuery",
			message: "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive."},
		{name: "top is no number", query: "$top=many", status: 400, code: "BadRequest"},
		{name: "skip", query: "$skip=10", status: 400, code: "Request_BadRequest"},
		{name: "expand", query: "$expand=manager", status: 400, code: "Request_BadRequest"},
		{name: "garbled token", query: "$skiptoken=garbled", status: 400, code: "Directory_ExpiredPageToken"},
		{name: "empty token", query: "$skiptoken=", status: 400, code: "Directory_ExpiredPageToken"},
		{name: "basic permission", query: "$select=id", roles: []string{"User.ReadBasic.All"}, status: 403, code: "Authorization_RequestDenied"},
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
	d.delete(numbered(0))
	d.delete(numbered(3))
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
	next := d.get("/users?$select=id&$top=2").link("nextLink")
	const prefix = "https://graph.microsoft.com/v1.0/users?$select=id&$skiptoken="
	if !strings.HasPrefix(next, prefix) {
		t.Errorf("nextLink %s, want %s…", next, prefix)
	}
	d.want(d.get(strings.Replace(next, "$top=2", "$top=3", 1)), 400, "Directory_ExpiredPageToken")
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
