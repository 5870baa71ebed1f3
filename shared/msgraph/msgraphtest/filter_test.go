package msgraphtest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// filterUsers are who the filters below choose from, by one letter.
func filterUsers(d *directory) map[string]string {
	yes, no := true, false
	users := map[string]NewUser{
		"m": {UPN: "m@example.co.jp", DisplayName: "O'Hara (m)", Created: at("2026-01-01T00:00:00Z")},
		"g": {UPN: "g@managed.example", UserType: "Guest", CreationType: "Invitation", ExternalUserState: "Accepted", Created: at("2026-02-01T00:00:00Z")},
		"s": {UPN: "s@example.co.jp", OnPremisesSyncEnabled: &yes, Disabled: true, Created: at("2026-03-01T00:00:00Z")},
		"f": {UPN: "f@sub.example.co.jp", OnPremisesSyncEnabled: &no, Created: at("2026-04-01T00:00:00Z")},
	}
	letters := make(map[string]string)
	for _, letter := range []string{"m", "g", "s", "f"} {
		letters[d.tenant.AddUser(users[letter])] = letter
	}
	return letters
}

func TestFilter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		filter, want string
		advanced     bool
	}{
		{"userPrincipalName eq 'M@EXAMPLE.co.jp'", "m", false},
		{"displayName eq 'o''hara (m)'", "m", false},
		{"startsWith(userPrincipalName,'s')", "s", false},
		{"startswith(userPrincipalName, 's')", "s", false},
		{"endsWith(userPrincipalName,'@example.co.jp')", "ms", true},
		{"userType eq 'Guest'", "g", false},
		{"userType in ('Member', 'Guest')", "mgsf", false},
		{"userType ne 'Guest'", "msf", true},
		{"not (userType eq 'Guest')", "msf", true},
		{"not startsWith(userPrincipalName,'s') and accountEnabled eq true", "mgf", true},
		{"accountEnabled eq false", "s", false},
		{"accountEnabled ne true", "s", true},
		{"onPremisesSyncEnabled eq true", "s", false},
		{"onPremisesSyncEnabled eq false", "f", false},
		{"onPremisesSyncEnabled eq null", "mg", true},
		{"onPremisesSyncEnabled ne null", "sf", true},
		{"creationType eq 'Invitation'", "g", false},
		{"creationType eq null", "msf", true},
		{"externalUserState eq 'Accepted'", "g", false},
		{"createdDateTime ge 2026-02-01T00:00:00Z", "gsf", false},
		{"createdDateTime le 2026-02-01T09:00:00+09:00", "mg", false},
		{"createdDateTime eq 2026-02-01T00:00:00Z", "g", false},
		{"createdDateTime ge 2026-02-01T00:00:00Z and createdDateTime le 2026-03-01T00:00:00Z", "gs", false},
		{"userType eq 'Guest' or accountEnabled eq false", "gs", false},
		{"(userType eq 'Guest' or accountEnabled eq false) and createdDateTime ge 2026-03-01T00:00:00Z", "s", false},
		{"userType eq 'Guest' or accountEnabled eq false and createdDateTime ge 2026-04-01T00:00:00Z", "g", false},
	}
	for _, test := range tests {
		t.Run(strings.ReplaceAll(test.filter, "@", " at "), func(t *testing.T) { // no test is called after a user
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			letters := filterUsers(d)
			target := "/users?$count=true&$select=id&$filter=" + strings.ReplaceAll(test.filter, "+", "%2B")
			if simple := d.get(target); test.advanced {
				d.want(simple, 400, "Request_UnsupportedQuery")
			} else {
				d.want(simple, 200, "")
			}
			got := ""
			for _, id := range d.want(d.get(target, eventual...), 200, "").ids() {
				got += letters[id]
			}
			if got != test.want {
				t.Errorf("chose %q, want %q", got, test.want)
			}
		})
	}
}

func TestFilterRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct{ filter, code string }{
		{"", "BadRequest"},
		{"userType", "BadRequest"},
		{"userType eq", "BadRequest"},
		{"userType eq 'Guest", "BadRequest"},
		{"userType eq Guest", "BadRequest"},
		{"userType is 'Guest'", "BadRequest"},
		{"userType eq 'Guest' 'x'", "BadRequest"},
		{"(userType eq 'Guest'", "BadRequest"},
		{"userType eq 'Guest')", "BadRequest"},
		{"userType in 'Guest'", "BadRequest"},
		{"userType in ('Guest'", "BadRequest"},
		{"'x' eq userType", "BadRequest"},
		{"nothing eq 'x'", "BadRequest"},
		{"usertype eq 'Guest'", "BadRequest"},
		{"accountEnabled eq 'true'", "BadRequest"},
		{"accountEnabled eq 1", "BadRequest"},
		{"createdDateTime ge '2026-02-01T00:00:00Z'", "BadRequest"},
		{"createdDateTime ge 2026-02-01", "BadRequest"},
		{"startsWith(userPrincipalName,null)", "BadRequest"},
		{"startsWith(userPrincipalName 'x')", "BadRequest"},
		{"startsWith(userPrincipalName,'x'", "BadRequest"},
		{"length(userPrincipalName,'x')", "BadRequest"},
		{strings.Repeat("(", 100) + "userType eq 'Guest'" + strings.Repeat(")", 100), "BadRequest"},
		{"contains(userPrincipalName,'x')", "Request_UnsupportedQuery"},
		{"createdDateTime gt 2026-02-01T00:00:00Z", "Request_UnsupportedQuery"},
		{"createdDateTime lt 2026-02-01T00:00:00Z", "Request_UnsupportedQuery"},
		{"externalUserState eq null", "Request_UnsupportedQuery"},
		{"startsWith(userType,'G')", "Request_UnsupportedQuery"},
		{"endsWith(displayName,'x')", "Request_UnsupportedQuery"},
		{"mobilePhone eq '1'", "Request_UnsupportedQuery"},
		{"businessPhones eq '1'", "Request_UnsupportedQuery"},
		{"lastPasswordChangeDateTime eq null", "Request_UnsupportedQuery"},
		{"signInSessionsValidFromDateTime ne null", "Request_UnsupportedQuery"},
		{"not (signInSessionsValidFromDateTime ge 2026-02-01T00:00:00Z)", "Request_UnsupportedQuery"},
	}
	for _, test := range tests {
		t.Run(test.filter, func(t *testing.T) {
			t.Parallel()
			_, err := parseFilter(test.filter)
			var no *refusal
			if !errors.As(leaktest.Seen(t, err), &no) || no.status != 400 || no.code != test.code {
				t.Errorf("got %v, want 400 %s", err, test.code)
			}
		})
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"userType eq 'Guest' or not (accountEnabled eq true)", "id in ('a','b''c')", "endsWith(mail,'x') and a",
		"createdDateTime ge 2026-02-01T00:00:00Z", "((((", "not not not", "'", "startsWith(businessPhones,'')",
		strings.Repeat("0", 200), // what prints a private key prints such numbers
	} {
		f.Add(seed)
	}
	u := &user{upn: "hanako@example.co.jp", created: time.Unix(1e9, 0).UnixNano(), state: active}
	u.setText(propertyNamed("businessPhones").index, "1\n2")
	f.Fuzz(func(t *testing.T, text string) {
		if _, shaped := leak.Find([]byte(text)); shaped {
			return // like a secret or a name, and a refusal says it again, as Graph does
		}
		filter, err := parseFilter(text)
		var no *refusal
		switch {
		case leaktest.Seen(t, err) == nil:
			filter.match(u)
			filter.match(new(user))
			if filter.uses == 0 {
				t.Errorf("%q compares nothing", text)
			}
		case !errors.As(leaktest.Seen(t, err), &no) || no.status != 400:
			t.Errorf("%q: %v is no refusal", text, err)
		}
	})
}

func TestPropertiesAreSorted(t *testing.T) {
	t.Parallel()
	byName := func(a, b property) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) }
	if !slices.IsSortedFunc(userProperties, byName) || len(userProperties) > unnumbered {
		t.Errorf("%d properties, sorted: %t", len(userProperties), slices.IsSortedFunc(userProperties, byName))
	}
	standard := 0
	for _, p := range userProperties {
		standard += btoi(p.standard)
	}
	if standard != 11 {
		t.Errorf("%d properties are returned without $select, want 11", standard)
	}
}
