package msgraphtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	outer = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f01"
	inner = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
)

// nested is a group that holds a user and a group, which holds two users and
// the first group.
func nested(t *testing.T, o Options) *directory {
	d := newDirectoryTest(t, o)
	d.federatedUsers(hanako, taro, jiro)
	d.tenant.AddGroup(outer, hanako, inner)
	d.tenant.AddGroup(inner, taro, jiro, hanako, outer)
	d.roles = []string{"GroupMember.Read.All", "User.Read.All"}
	return d
}

func TestGetGroup(t *testing.T) {
	t.Parallel()
	d := nested(t, Options{})
	got := d.want(d.get("/groups/"+outer+"?$select=id,securityEnabled"), http.StatusOK, "")
	want := map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups/$entity", "id": outer, "securityEnabled": true}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
}

func TestCheckMemberGroups(t *testing.T) {
	t.Parallel()
	none := []any{}
	ask := func(ids ...string) string { return `{"groupIds":["` + strings.Join(ids, `","`) + `"]}` }
	tests := map[string]struct {
		user, body string
		roles      []string
		want       []any // nil: refused
		status     int
		code       string
	}{
		"in one directly, in one through it": {user: taro, body: ask(outer, inner), want: []any{outer, inner}},
		"a group that does not exist":        {user: taro, body: ask(testTenant), want: none},
		"unknown user":                       {user: testTenant, body: ask(outer), status: 404, code: "Request_ResourceNotFound"},
		"no id":                              {user: taro, body: ask("x"), status: 400, code: "Request_BadRequest"},
		"too many":                           {user: taro, body: ask(slices.Repeat([]string{outer}, 21)...), status: 400, code: "Request_BadRequest"},
		"none":                               {user: taro, body: `{}`, status: 400, code: "Request_BadRequest"},
		"no permission":                      {user: taro, body: ask(outer), roles: []string{"User.Read.All"}, status: 403, code: "Authorization_RequestDenied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := nested(t, Options{})
			if test.roles != nil {
				d.roles = test.roles
			}
			status := max(test.status, http.StatusOK)
			got := d.want(d.do("POST", "/users/"+test.user+"/checkMemberGroups", test.body), status, test.code)
			if test.want != nil && !cmp.Equal(test.want, got.body["value"]) {
				t.Errorf("member of %v, want %v", got.body["value"], test.want)
			}
		})
	}
}
