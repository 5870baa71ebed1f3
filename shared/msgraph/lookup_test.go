package msgraph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// The exact body: what looks like an address goes into a path only where it means nothing
// there, and what is in quotes can't end them.
func TestLookUpBody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := answers(http.StatusOK, batchOf())
		_, err := clientOf(t, graph).LookUp(t.Context(), []directory.Question{
			{Property: directory.PropertyID, Value: userID(1)},
			{Property: directory.PropertyUPN, Value: principal},
			{Property: directory.PropertyUPN, Value: "o'hara_fabrikam.com#EXT#@example.co.jp"},
			{Property: directory.PropertyUPN, Value: "$hanako/x@example.co.jp"},
			{Property: directory.PropertyProxyAddresses, Value: "o'hara+x&$top=9@example.co.jp"},
			{Property: directory.PropertyMail, Value: "花子@example.co.jp"},
			{Property: directory.PropertyImmutableID, Value: "hANako+/=="},
			{Property: directory.PropertySAMAccountName, Value: "hanako' or '1' eq '1"},
			{Property: directory.PropertySecurityIdentifier, Value: "S-1-5-21-1-2-3-1104"},
		})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "batch-lookup.golden.json", graph.bodies[0])
	})
}

// The emulator holds users who are meant by several names, and answers as Graph does.
func TestLookUp(t *testing.T) {
	one := []string{userID(1)}
	for name, tt := range map[string]struct {
		by    directory.Property
		value string
		want  []string // the first at least
		fails bool
	}{
		"object id":              {by: directory.PropertyID, value: userID(1), want: one},
		"no such id":             {by: directory.PropertyID, value: userID(9)},
		"principal name":         {by: directory.PropertyUPN, value: "O'Hara#EXT#@Example.co.jp", want: one},
		"an old principal name":  {by: directory.PropertyUPN, value: "$x/y@example.co.jp", want: []string{userID(2)}},
		"no such principal name": {by: directory.PropertyUPN, value: principal},
		"primary address":        {by: directory.PropertyProxyAddresses, value: "o'hara+main@example.co.jp", want: one},
		"another address":        {by: directory.PropertyProxyAddresses, value: "o'hara@alias.example", want: one},
		"mail":                   {by: directory.PropertyMail, value: "o'hara+main@example.co.jp", want: one},
		"immutable id":           {by: directory.PropertyImmutableID, value: "aB+/==", want: one},
		"account name":           {by: directory.PropertySAMAccountName, value: "ohara", want: one},
		"of two forests":         {by: directory.PropertySAMAccountName, value: "both", want: []string{userID(2), userID(3)}},
		"account name in quotes": {by: directory.PropertySAMAccountName, value: "x' or mail eq 'o'hara+main@example.co.jp"},
		"SID":                    {by: directory.PropertySecurityIdentifier, value: "S-1-5-21-1", want: one},
		"of 320 bytes":           {by: directory.PropertyUPN, value: strings.Repeat("é", 154) + "@example.com"},
		"by nothing we know":     {by: "displayName", value: "x", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 0, msgraphtest.Options{Paging: msgraphtest.Paging{EmptyPageChance: 0.3}}, "User.Read.All")
				for i, upn := range []string{1: "O'Hara#EXT#@example.co.jp", 2: "$x/y@example.co.jp", 3: "z@example.co.jp", 4: "u@example.co.jp"} {
					if upn != "" {
						graph.tenant.AddUser(msgraphtest.NewUser{ID: userID(i), UPN: upn})
						graph.tenant.SetOnPremises(userID(i), msgraphtest.OnPremises{SAMAccountName: "both"})
					}
				}
				graph.tenant.SetMail(userID(1), "o'hara+main@example.co.jp", "SMTP:o'hara+main@example.co.jp", "smtp:o'hara@alias.example")
				graph.tenant.SetOnPremises(userID(1), msgraphtest.OnPremises{ImmutableID: "aB+/==", SAMAccountName: "ohara", SecurityIdentifier: "S-1-5-21-1"})
				graph.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return r.Part }, Status: http.StatusServiceUnavailable, Times: 2})
				found, err := graph.client.LookUp(t.Context(), []directory.Question{{Property: tt.by, Value: tt.value}})
				if err != nil || tt.fails {
					if e := graphError(t, err); !tt.fails || !e.NotDone {
						t.Error(err)
					}
					return
				}
				var ids []string
				for _, u := range found[0].Users {
					ids = append(ids, u.ID)
					if u.UserPrincipalName == "" || u.UserType != "Member" {
						t.Errorf("user %s is not told whole", u.ID)
					}
				}
				if found[0].Err != nil || !slices.Equal(ids, tt.want) {
					t.Errorf("found %v, %v", ids, found[0].Err)
				}
			})
		})
	}
}

// What is no answer is never nobody.
func TestLookUpThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, part := range map[string]string{
			"refused":        partOf(1, 403, `{"error":{"code":"Authorization_RequestDenied"}}`),
			"bad request":    partOf(1, 400, `{"error":{"code":"Request_BadRequest","message":"hanako"}}`),
			"no part":        partOf(2, 200, `{"value":[]}`),
			"no list":        partOf(1, 200, `{}`),
			"no object id":   partOf(1, 200, `{"value":[{"userPrincipalName":"`+principal+`"}]}`),
			"a foreign page": partOf(1, 200, `{"value":[],"@odata.nextLink":"https://hanako.example/v1.0/users"}`),
		} {
			found, err := clientOf(t, answers(http.StatusOK, batchOf(part))).LookUp(t.Context(), []directory.Question{{Property: directory.PropertyMail, Value: principal}})
			if err != nil || found[0].Err == nil || found[0].Users != nil {
				t.Errorf("%s: %+v, %v", name, found, err)
				continue
			}
			graphError(t, found[0].Err)
		}
		for _, n := range []int{0, msgraph.MaxBatch + 1} {
			if _, err := clientOf(t, fails(fmt.Errorf("asked"))).LookUp(t.Context(), make([]directory.Question, n)); !graphError(t, err).NotDone {
				t.Errorf("%d questions were asked", n)
			}
		}
	})
}
