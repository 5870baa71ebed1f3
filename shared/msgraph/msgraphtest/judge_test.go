package msgraphtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRevocationInvariants(t *testing.T) {
	t.Parallel()
	const when = "2026-05-24T22:24:30Z"
	stamp := at("2026-05-01T00:00:00Z")
	tests := []struct {
		name  string
		user  NewUser
		setUp func(*Tenant)
		want  []string
	}{
		{name: "in scope and without a stamp", user: NewUser{UPN: "h@example.co.jp"}},
		{name: "subdomain that the tenant doesn't list", user: NewUser{UPN: "h@hidden.example.co.jp"}},
		{name: "stamped", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			want: []string{"user " + hanako + " was stamped at 2026-05-01T00:00:00Z and revoked again at " + when}},
		{name: "guest", user: NewUser{UPN: "h@example.co.jp"}, setUp: func(t *Tenant) { t.mustFind(hanako).guest = true },
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: a guest"}},
		{name: "managed domain", user: NewUser{UPN: "h@managed.example"},
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "unverified domain", user: NewUser{UPN: "h@unproved.example"},
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "excluded", user: NewUser{UPN: "h@example.co.jp"}, setUp: func(t *Tenant) { t.Exclude(hanako) },
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: excluded"}},
		{name: "converted domain", user: NewUser{UPN: "h@example.co.jp"}, setUp: func(t *Tenant) { t.SetFederated("example.co.jp", false) },
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "stamp older than approved", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			setUp: func(t *Tenant) { t.Approve(hanako, stamp.Add(time.Second)) }},
		{name: "stamp not older than approved", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			setUp: func(t *Tenant) { t.Approve(hanako, stamp) },
			want:  []string{"user " + hanako + " was stamped at 2026-05-01T00:00:00Z and revoked again at " + when}},
		{name: "stamped, with an approval for none", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			setUp: func(t *Tenant) { t.Approve(hanako, time.Time{}) },
			want:  []string{"user " + hanako + " was stamped at 2026-05-01T00:00:00Z and revoked again at " + when}},
		{name: "existing", user: NewUser{UPN: "h@example.co.jp", Created: at("2026-05-21T22:22:29Z")},
			want: []string{"user " + hanako + ", who was created at 2026-05-21T22:22:29Z, was revoked at " + when + " without a person's approval"}},
		{name: "within the window at the decision", user: NewUser{UPN: "h@example.co.jp", Created: at("2026-05-21T22:22:31Z")}},
		{name: "existing, approved", user: NewUser{UPN: "h@example.co.jp", NoCreated: true},
			setUp: func(t *Tenant) { t.Approve(hanako, time.Time{}) }},
		{name: "existing, reported", user: NewUser{UPN: "h@example.co.jp", NoCreated: true, Stamp: &stamp},
			setUp: func(t *Tenant) { t.Report(hanako, stamp.Add(time.Second)); t.Report(hanako, stamp) }},
		{name: "reported before the stamp", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			setUp: func(t *Tenant) { t.Report(hanako, stamp) },
			want:  []string{"user " + hanako + " was stamped at 2026-05-01T00:00:00Z and revoked again at " + when}},
		{name: "of unknown age", user: NewUser{UPN: "h@example.co.jp", NoCreated: true},
			want: []string{"user " + hanako + ", who was created at 0001-01-01T00:00:00Z, was revoked at " + when + " without a person's approval"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var told []string
			d := newDirectoryTest(t, Options{NewUserWindow: 72 * time.Hour, Violation: func(v string) { told = append(told, v) }})
			test.user.ID = hanako
			d.tenant.AddUser(test.user)
			if test.setUp != nil {
				test.setUp(d.tenant)
			}
			d.revoke(hanako)
			if diff := cmp.Diff(test.want, d.Violations()); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, told); diff != "" {
				t.Errorf("violations told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAGuestIsNotStamped(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	d.want(d.do("PATCH", "/users/"+hanako, `{"userType":"Guest"}`), 204, "")
	d.revoke(hanako)
	if u, _ := d.tenant.User(hanako); !u.Stamp.IsZero() || len(u.Revocations) != 0 || u.InScope {
		t.Errorf("the guest is %+v", u)
	}
}

// Further calls within a minute of the first that worked sign nobody out again; a
// stale replica is no excuse for those that come later.
func TestOneMinuteForOneTurn(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Replica: Replica{Lag: time.Hour}})
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "h@example.co.jp", Created: d.at.Add(-time.Hour)})
	turn := func(name string, violations int) {
		t.Helper()
		d.revoke(hanako)
		if got := d.Violations(); len(got) != violations {
			t.Errorf("%s: violations %q, want %d", name, got, violations)
		}
	}
	turn("first", 0)
	d.at = d.at.Add(time.Minute)
	turn("within a minute", 0)
	d.at = d.at.Add(time.Second)
	turn("later", 1)
	d.at = d.at.Add(time.Hour)
	d.tenant.Approve(hanako, d.at)
	turn("approved", 1)
	d.at = d.at.Add(time.Minute)
	turn("within a minute of that", 1)
	d.at = d.at.Add(time.Second)
	turn("the approval is used up", 2)
	if u, _ := d.tenant.User(hanako); len(u.Revocations) != 6 {
		t.Errorf("revoked at %v", u.Revocations)
	}
}
