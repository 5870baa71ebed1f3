package signal_test

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	const first, second = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	user := func(id, name string, vary ...func(*directory.User)) directory.User {
		u := directory.User{ID: id, UserPrincipalName: name, UserType: "Member"}
		for _, f := range vary {
			f(&u)
		}
		return u
	}
	bounds := signal.Bounds{
		Domains: []string{"Contoso.com", "managed.example"},
		Federated: stamp.FederatedAmong([]directory.Domain{
			{Name: "contoso.com", Federated: true, Verified: true}, {Name: "fabrikam.com", Federated: true, Verified: true},
			{Name: "managed.example", Verified: true},
		}),
	}
	guest := func(u *directory.User) { u.UserType = "Guest" }
	external := func(u *directory.User) { u.CreationType = "Invitation" }
	untyped := func(u *directory.User) { u.UserType = "" }
	robot := func(u *directory.User) { u.UserType = "Agent" }
	aiko := user(first, "aiko@contoso.com")
	for name, c := range map[string]struct {
		users []directory.User
		want  signal.Reason
	}{
		"one member":             {[]directory.User{aiko}, ""},
		"the domain in capitals": {[]directory.User{user(first, "aiko@CONTOSO.com")}, ""},
		"an old user":            {[]directory.User{user(first, "aiko@contoso.com", untyped)}, ""},
		"nobody":                 {nil, signal.SubjectUnknown},
		"two users":              {[]directory.User{aiko, user(second, "aiko@fabrikam.com")}, signal.SubjectAmbiguous},
		"a guest":                {[]directory.User{user(first, "aiko_fabrikam.com#EXT#@contoso.com", guest)}, signal.SubjectGuest},
		"a guest as a member":    {[]directory.User{user(first, "aiko@contoso.com", external)}, signal.SubjectGuest},
		"no member":              {[]directory.User{user(first, "aiko@contoso.com", robot)}, signal.SubjectNotMember},
		"another's domain":       {[]directory.User{user(first, "aiko@fabrikam.com")}, signal.SubjectForeignDomain},
		"a domain below":         {[]directory.User{user(first, "aiko@lab.contoso.com")}, signal.SubjectForeignDomain},
		"no domain":              {[]directory.User{user(first, "aiko")}, signal.SubjectForeignDomain},
		"a managed domain":       {[]directory.User{user(first, "aiko@managed.example")}, signal.SubjectNotFederated},
	} {
		id, reason := signal.Resolve(upn("aiko@contoso.com"), c.users, bounds)
		if reason != c.want || (id == first) != (c.want == "") {
			t.Errorf("%s: %q %q, want %q", name, id, reason, c.want)
		}
	}
	if _, reason := signal.Resolve(signal.Subject{}, []directory.User{aiko}, bounds); reason != signal.SubjectUnknown {
		t.Error("nobody was resolved")
	}
	bounds.Domains = nil
	if _, reason := signal.Resolve(opaque("x"), []directory.User{aiko}, bounds); reason != signal.SubjectForeignDomain {
		t.Error("a source without a domain speaks for somebody")
	}
}
