package msgraphtest

import (
	"net/http"
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

const cast = "/groups/" + outer + "/transitiveMembers/microsoft.graph.user?$count=true"

func TestTransitiveMembers(t *testing.T) {
	t.Parallel()
	d := nested(t, Options{})
	if diff := cmp.Diff([][]string{{hanako, taro, jiro, inner}}, d.pages("/groups/"+outer+"/transitiveMembers")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{hanako, taro}, {jiro}}, d.pages(cast+"&$select=id&$top=2", eventual...)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{hanako, taro, jiro}}, d.pages("/groups/"+inner+"/transitiveMembers/graph.user?$count=true", eventual...)); diff != "" {
		t.Errorf("users, as the SDK casts (-want +got):\n%s", diff)
	}
	if got := d.get(cast, eventual...); got.body["@odata.count"] != 3.0 {
		t.Errorf("count %v, want 3", got.body["@odata.count"])
	}
}

func TestMembersChangeBetweenPages(t *testing.T) {
	t.Parallel()
	d := nested(t, Options{})
	next := d.get("/groups/" + outer + "/transitiveMembers?$top=2").link("nextLink")
	d.tenant.DeleteUser(hanako)
	d.tenant.RemoveMembers(inner, taro)
	if diff := cmp.Diff([][]string{{jiro, inner}}, d.pages(next)); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{jiro, inner}}, d.pages("/groups/"+outer+"/transitiveMembers")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
}

func TestMembersPagesMayBeEmpty(t *testing.T) {
	t.Parallel()
	d := nested(t, Options{Paging: Paging{EmptyPageChance: 1}})
	if diff := cmp.Diff([][]string{{}, {hanako, taro}, {}, {jiro, inner}}, d.pages("/groups/"+outer+"/transitiveMembers?$top=2")); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestMembersAreHiddenFromThoseWhoMayNotReadThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		roles []string
		want  map[string]any
	}{
		{"users", []string{"GroupMember.Read.All", "User.Read.All"}, map[string]any{"userPrincipalName": hanako + "@example.co.jp", "userType": "Member"}},
		{"basic", []string{"GroupMember.Read.All", "User.ReadBasic.All"}, map[string]any{"userPrincipalName": hanako + "@example.co.jp", "userType": nil}},
		{"groups only", []string{"GroupMember.Read.All"}, map[string]any{"userPrincipalName": nil, "userType": nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := nested(t, Options{})
			d.roles = test.roles
			got := d.want(d.get(cast+"&$select=id,userPrincipalName,userType&$top=1", eventual...), http.StatusOK, "")
			test.want["id"], test.want["@odata.type"] = hanako, "#microsoft.graph.user"
			if diff := cmp.Diff(test.want, got.value()[0]); diff != "" {
				t.Errorf("member (-want +got):\n%s", diff)
			}
		})
	}
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

func TestGroupRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target string
		header       []string
		roles        []string
		status       int
		code         string
	}{
		{"unknown group", "/groups/" + hanako, nil, nil, 404, "Request_ResourceNotFound"},
		{"members of an unknown group", "/groups/" + hanako + "/transitiveMembers", nil, nil, 404, "Request_ResourceNotFound"},
		{"group by name", "/groups/Sales", nil, nil, 404, "Request_ResourceNotFound"},
		{"unknown property", "/groups/" + outer + "?$select=nothing", nil, nil, 400, "Request_BadRequest"},
		{"option of a list", "/groups/" + outer + "?$top=1", nil, nil, 400, "Request_BadRequest"},
		{"unknown property of members", "/groups/" + outer + "/transitiveMembers?$select=nothing", nil, nil, 400, "Request_BadRequest"},
		{"top over the maximum", "/groups/" + outer + "/transitiveMembers?$top=1000", nil, nil, 400, "Request_BadRequest"},
		{"count of another kind", "/groups/" + outer + "/transitiveMembers?$count=1", nil, nil, 400, "BadRequest"},
		{"filter", "/groups/" + outer + "/transitiveMembers?$filter=id eq 'x'", nil, nil, 400, "Request_BadRequest"},
		{"garbled token", "/groups/" + outer + "/transitiveMembers?$skiptoken=garbled", nil, nil, 400, "Directory_ExpiredPageToken"},
		{"cast without the header", cast, nil, nil, 400, "Request_UnsupportedQuery"},
		{"cast without the count", "/groups/" + outer + "/transitiveMembers/microsoft.graph.user", eventual, nil, 400, "Request_UnsupportedQuery"},
		{"may only read users", "/groups/" + outer, nil, []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
		{"may only read users, not members", cast, eventual, []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := nested(t, Options{})
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.get(test.target, test.header...), test.status, test.code)
		})
	}
}
