package census_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

var (
	tokyo = time.FixedZone("JST", 9*60*60)
	now   = time.Date(2026, 11, 29, 10, 0, 0, 0, tokyo)
)

const day = 24 * time.Hour

var domains = []directory.Domain{
	{Name: "example.com", Federated: true, Verified: true},
	{Name: "new.example", Federated: true},
	{Name: "example.onmicrosoft.com", Verified: true},
}

// member is one of a federated domain, with a stamp or without.
func member(id string, age time.Duration, stamped bool) directory.User {
	u := directory.User{ID: id, UserPrincipalName: id + "@Example.com", UserType: "Member", Created: now.Add(-age), StampKnown: true}
	if stamped {
		u.SignInSessionsValidFrom = u.Created
	}
	return u
}

func with(u directory.User, change func(*directory.User)) directory.User {
	change(&u)
	return u
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	managed := domains[2:]
	for name, c := range map[string]struct {
		domains []directory.Domain
		users   []directory.User
		want    census.Verdict
	}{
		"nothing at all":               {nil, nil, census.NotFederated},
		"no federated domain":          {managed, []directory.User{member("a", day, false)}, census.NotFederated},
		"an unverified one":            {domains[1:], nil, census.NotFederated},
		"nobody there":                 {domains, nil, census.Nobody},
		"a guest":                      {domains, []directory.User{with(member("a", day, false), func(u *directory.User) { u.UserType = "Guest" })}, census.Nobody},
		"new ones have none":           {domains, []directory.User{member("a", day, false), member("b", day, false)}, census.Needed},
		"one of the new has none":      {domains, []directory.User{member("a", day, false), member("b", day, true)}, census.Needed},
		"at the end of 30 days":        {domains, []directory.User{member("a", 30*day, false)}, census.Needed},
		"beyond":                       {domains, []directory.User{member("a", 30*day+1, false)}, census.Untold},
		"the old lack it":              {domains, []directory.User{member("a", 90*day, false), member("b", day, true)}, census.Once},
		"only old ones, who have it":   {domains, []directory.User{member("a", 90*day, true)}, census.NotNeeded},
		"all have it":                  {domains, []directory.User{member("a", 90*day, true), member("b", day, true)}, census.NotNeeded},
		"Graph does not say":           {domains, []directory.User{with(member("a", day, true), func(u *directory.User) { u.StampKnown = false })}, census.Untold},
		"created before June 2018":     {domains, []directory.User{with(member("a", 0, false), func(u *directory.User) { u.Created = time.Time{} })}, census.Untold},
		"by a clock ahead of ours":     {domains, []directory.User{member("a", -time.Minute, false)}, census.Needed},
		"a subdomain not listed":       {domains, []directory.User{with(member("a", day, false), func(u *directory.User) { u.UserPrincipalName = "a@sub.example.com" })}, census.Needed},
		"the user of a strange name":   {domains, []directory.User{with(member("a", day, false), func(u *directory.User) { u.UserPrincipalName = "a" })}, census.Nobody},
		"a guest by his invitation":    {domains, []directory.User{with(member("a", day, false), func(u *directory.User) { u.ExternalUserState = "Accepted" })}, census.Nobody},
		"an old member without a type": {domains, []directory.User{with(member("a", day, true), func(u *directory.User) { u.UserType = "" })}, census.NotNeeded},
	} {
		if got := census.Take(c.domains, c.users, now).Verdict(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	// In UTC the first is still of October.
	first := time.Date(2026, 10, 31, 15, 30, 0, 0, time.UTC)
	users := []directory.User{
		member("old", 90*day, true),
		with(member("first", 0, false), func(u *directory.User) { u.Created = first }),
		member("new", day, false),
		member("new", day, false), // a page may repeat the one before
		with(member("sub", day, false), func(u *directory.User) { u.UserPrincipalName = "sub@a.example.com" }),
		with(member("ancient", 0, true), func(u *directory.User) { u.Created = time.Time{} }),
		with(member("admin", day, false), func(u *directory.User) { u.UserPrincipalName = "admin@example.onmicrosoft.com" }),
		with(member("unknown", day, false), func(u *directory.User) { u.StampKnown = false }),
	}
	got := census.Take(domains, users, now)
	var unstamped []string
	for _, u := range got.Unstamped {
		unstamped = append(unstamped, u.ID)
	}
	if diff := cmp.Diff([]string{"new", "sub", "first"}, unstamped); diff != "" {
		t.Errorf("unstamped, the newest first: %s", diff)
	}
	got.Unstamped = nil
	want := census.Census{
		Federated: []string{"example.com"}, Managed: []string{"example.onmicrosoft.com"},
		Members: census.Counts{Without: 3, With: 2}, Recent: census.Counts{Without: 3},
		ByDomain: []census.Group{
			{Name: "example.com", Counts: census.Counts{Without: 2, With: 2}},
			{Name: "a.example.com", Counts: census.Counts{Without: 1}},
		},
		ByMonth: []census.Group{
			{Name: "", Counts: census.Counts{With: 1}},
			{Name: "2026-08", Counts: census.Counts{With: 1}},
			{Name: "2026-11", Counts: census.Counts{Without: 3}},
		},
		Unknown: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
