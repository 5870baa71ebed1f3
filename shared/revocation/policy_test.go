package revocation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

func federated(names ...string) revocation.FederatedDomains {
	var list []directory.Domain
	for _, name := range names {
		list = append(list, directory.Domain{Name: name, Federated: true, Verified: true})
	}
	return revocation.NewFederatedDomains(list)
}

func TestPolicyDecide(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	policy := revocation.Policy{
		NewUserWindow: time.Hour,
		Exclusions: revocation.Exclusions{
			IDs:      []string{userID(7)},
			Patterns: []string{"svc-*@federated.example", "break?glass@*"},
		},
	}
	scope := revocation.Scope{Domains: federated("federated.example"), Excluded: map[string]bool{userID(0xa): true}}
	const soon = time.Minute
	tests := []struct {
		name   string
		change func(*directory.User)
		seen   time.Duration // after the creation
		want   revocation.Reason
	}{
		{"a new member", func(*directory.User) {}, soon, revocation.ReasonNewUser},
		{"types are compared without case", func(u *directory.User) { u.UserType = "member" }, soon, revocation.ReasonNewUser},
		{"names are compared without case", func(u *directory.User) { u.UserPrincipalName = "A@FEDERATED.example" }, soon, revocation.ReasonNewUser},
		{"a subdomain", func(u *directory.User) { u.UserPrincipalName = "a@eu.federated.example" }, soon, revocation.ReasonNewUser},
		{"a password change is no stamp", func(u *directory.User) { u.LastPasswordChange = created }, soon, revocation.ReasonNewUser},
		{"at the end of the window", func(*directory.User) {}, time.Hour, revocation.ReasonNewUser},
		{"seen before the creation, by clocks that differ", func(*directory.User) {}, -soon, revocation.ReasonNewUser},

		{"past the window", func(*directory.User) {}, time.Hour + time.Nanosecond, revocation.ReasonExistingUser},
		{"no time of creation", func(u *directory.User) { u.Created = time.Time{} }, soon, revocation.ReasonCreatedUnknown},
		{"a stamp", func(u *directory.User) { u.SignInSessionsValidFrom = created }, soon, revocation.ReasonStamped},
		{"a stamp that is not known", func(u *directory.User) { u.StampKnown = false }, soon, revocation.ReasonStampUnknown},
		{"a stamp that can't be", func(u *directory.User) { u.StampKnown, u.SignInSessionsValidFrom = false, created }, soon, revocation.ReasonStampUnknown},

		{"a guest", func(u *directory.User) { u.UserType = "Guest" }, soon, revocation.ReasonGuest},
		{"a guest in other letters", func(u *directory.User) { u.UserType = "guest" }, soon, revocation.ReasonGuest},
		{"an invited member", func(u *directory.User) { u.CreationType = "Invitation" }, soon, revocation.ReasonGuest},
		{"an invited member who has accepted", func(u *directory.User) { u.ExternalUserState = "Accepted" }, soon, revocation.ReasonGuest},
		{"an invited member who has not", func(u *directory.User) { u.ExternalUserState = "PendingAcceptance" }, soon, revocation.ReasonGuest},
		{"no type", func(u *directory.User) { u.UserType = "" }, soon, revocation.ReasonNotMember},
		{"a type of the future", func(u *directory.User) { u.UserType = "Agent" }, soon, revocation.ReasonNotMember},

		{"another domain", func(u *directory.User) { u.UserPrincipalName = "a@managed.example" }, soon, revocation.ReasonNotFederated},
		{"no domain", func(u *directory.User) { u.UserPrincipalName = "a" }, soon, revocation.ReasonNotFederated},
		{"an empty domain", func(u *directory.User) { u.UserPrincipalName = "a@" }, soon, revocation.ReasonNotFederated},
		{"no name", func(u *directory.User) { u.UserPrincipalName = "" }, soon, revocation.ReasonNotFederated},
		{"only the last @ counts", func(u *directory.User) { u.UserPrincipalName = "a@federated.example@managed.example" }, soon, revocation.ReasonNotFederated},

		{"an excluded id", func(u *directory.User) { u.ID = userID(7) }, soon, revocation.ReasonExcluded},
		{"an excluded id in capitals", func(u *directory.User) { u.ID = strings.ToUpper(userID(7)) }, soon, revocation.ReasonExcluded},
		{"a member of an excluded group", func(u *directory.User) { u.ID = userID(0xa) }, soon, revocation.ReasonExcluded},
		{"a member of an excluded group in capitals", func(u *directory.User) { u.ID = strings.ToUpper(userID(0xa)) }, soon, revocation.ReasonExcluded},
		{"an excluded name", func(u *directory.User) { u.UserPrincipalName = "svc-mail@federated.example" }, soon, revocation.ReasonExcluded},
		{"an excluded name in capitals", func(u *directory.User) { u.UserPrincipalName = "SVC-Mail@Federated.Example" }, soon, revocation.ReasonExcluded},
		{"one character by ?", func(u *directory.User) { u.UserPrincipalName = "break-glass@federated.example" }, soon, revocation.ReasonExcluded},
		{"a pattern covers the whole name", func(u *directory.User) { u.UserPrincipalName = "x-svc-mail@federated.example" }, soon, revocation.ReasonNewUser},
		{"a pattern ends with the name", func(u *directory.User) { u.UserPrincipalName = "svc-mail@eu.federated.example" }, soon, revocation.ReasonNewUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			user := directory.User{
				ID:                userID(1),
				UserPrincipalName: "a@federated.example",
				UserType:          "Member",
				Created:           created,
				StampKnown:        true,
			}
			tt.change(&user)
			if got := policy.Decide(user, scope, created.Add(tt.seen)); got != tt.want {
				t.Errorf("Decide = %q, want %q", got, tt.want)
			}
		})
	}
}

// What Graph did not say must never be read as leave to sign somebody out.
func TestDoubtNeverRevokes(t *testing.T) {
	t.Parallel()
	seen := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	full := directory.User{
		ID: userID(1), UserPrincipalName: "a@federated.example", UserType: "Member", Created: seen, StampKnown: true,
	}
	policy := revocation.Policy{NewUserWindow: time.Hour}
	if got := policy.Decide(full, revocation.Scope{Domains: federated("federated.example")}, seen); got != revocation.ReasonNewUser {
		t.Fatalf("Decide = %q for a full answer, want %q", got, revocation.ReasonNewUser)
	}
	tests := []struct {
		name    string
		change  func(*directory.User)
		domains revocation.FederatedDomains
		policy  revocation.Policy
	}{
		{"an empty answer", func(u *directory.User) { *u = directory.User{} }, federated("federated.example"), policy},
		{"no name", func(u *directory.User) { u.UserPrincipalName = "" }, federated("federated.example"), policy},
		{"no type", func(u *directory.User) { u.UserType = "" }, federated("federated.example"), policy},
		{"no creation", func(u *directory.User) { u.Created = time.Time{} }, federated("federated.example"), policy},
		{"no stamp's property", func(u *directory.User) { u.StampKnown = false }, federated("federated.example"), policy},
		{"no domains", func(*directory.User) {}, revocation.FederatedDomains{}, policy},
		{"an empty domain in the list", func(u *directory.User) { u.UserPrincipalName = "a@" }, federated(""), policy},
		{"a pattern that can't be read", func(*directory.User) {}, federated("federated.example"), revocation.Policy{
			NewUserWindow: time.Hour, Exclusions: revocation.Exclusions{Patterns: []string{"["}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			user := full
			tt.change(&user)
			if got := tt.policy.Decide(user, revocation.Scope{Domains: tt.domains}, seen); got == revocation.ReasonNewUser {
				t.Errorf("Decide = %q", got)
			}
		})
	}
}

func TestExclusionsValidate(t *testing.T) {
	t.Parallel()
	good := revocation.Exclusions{IDs: []string{userID(1)}, Patterns: []string{"svc-*", "a?@[bc].example"}}
	if err := good.Validate(); err != nil {
		t.Errorf("Validate = %v, want no fault", err)
	}
	bad := revocation.Exclusions{
		IDs:      []string{"alice", strings.ToUpper(userID(0xa)) + " "},
		Patterns: []string{"", "svc-[", "svc-[a", "bob"},
	}
	err := bad.Validate()
	if leaktest.Seen(t, err) == nil {
		t.Fatal("Validate found no fault")
	}
	for _, want := range []string{`"alice"`, `"` + strings.ToUpper(userID(0xa)) + ` "`, `""`, `"svc-["`, `"svc-[a"`, `"bob"`} {
		if !strings.Contains(leaktest.Seen(t, err).Error(), want) {
			t.Errorf("Validate does not name %s: %v", want, err)
		}
	}
}
