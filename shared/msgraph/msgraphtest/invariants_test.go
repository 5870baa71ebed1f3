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
		{name: "subdomain that the tenant doesn't list", user: NewUser{UPN: "h@sub.example.co.jp"}},
		{name: "stamped", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp},
			want: []string{"user " + hanako + " was stamped at 2026-05-01T00:00:00Z and revoked again at " + when}},
		{name: "guest", user: NewUser{UPN: "h@example.co.jp", UserType: "Guest"},
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: a guest"}},
		{name: "managed domain", user: NewUser{UPN: "h@managed.example"},
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "unverified domain", user: NewUser{UPN: "h@unproved.example"},
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "excluded", user: NewUser{UPN: "h@example.co.jp"}, setUp: func(t *Tenant) { t.Exclude(hanako) },
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: excluded"}},
		{name: "converted domain", user: NewUser{UPN: "h@example.co.jp"}, setUp: func(t *Tenant) { t.SetFederated("example.co.jp", false) },
			want: []string{"user " + hanako + " was revoked at " + when + " but is out of scope: not in a verified federated domain"}},
		{name: "allowed", user: NewUser{UPN: "h@example.co.jp", Stamp: &stamp}, setUp: func(t *Tenant) { t.AllowRevoke(hanako) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var told []string
			d := newDirectoryTest(t, Options{Violation: func(v string) { told = append(told, v) }})
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
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "h@example.co.jp", UserType: "Guest"})
	d.revoke(hanako)
	if u, _ := d.tenant.User(hanako); !u.Stamp.IsZero() || len(u.Revocations) != 0 || u.InScope {
		t.Errorf("the guest is %+v", u)
	}
}

func TestAStaleReplicaIsNoExcuse(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	d.SetReplica(Replica{Lag: time.Minute})
	d.revoke(hanako)
	d.revoke(hanako)
	if got := d.Violations(); len(got) != 1 {
		t.Errorf("violations: %q", got)
	}
	if u, _ := d.tenant.User(hanako); len(u.Revocations) != 2 {
		t.Errorf("revoked at %v", u.Revocations)
	}
}

func TestAllowRevokeIsForOnce(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	d.tenant.AllowRevoke(hanako)
	for range 3 {
		d.revoke(hanako)
	}
	if got := d.Violations(); len(got) != 2 {
		t.Errorf("violations: %q, want 2", got)
	}
}
