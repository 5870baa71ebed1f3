package msgraphtest

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMistakesOfTestsPanic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(d *directory)
	}{
		{"tenant id is no GUID", func(d *directory) { d.AddTenant(TenantOptions{ID: "contoso"}) }},
		{"tenant twice", func(d *directory) { d.AddTenant(TenantOptions{ID: testTenant}) }},
		{"domain twice", func(d *directory) {
			d.AddTenant(TenantOptions{Domains: []Domain{{Name: "a.example"}, {Name: "A.example"}}})
		}},
		{"no such domain", func(d *directory) { d.tenant.SetFederated("nothing.example", true) }},
		{"user id is no GUID", func(d *directory) { d.tenant.AddUser(NewUser{ID: "hanako", UPN: "h@example.co.jp"}) }},
		{"user id taken", func(d *directory) { d.tenant.AddUser(NewUser{ID: hanako, UPN: "h@example.co.jp"}) }},
		{"UPN taken", func(d *directory) { d.tenant.AddUser(NewUser{UPN: hanako + "@EXAMPLE.co.jp"}) }},
		{"no such user to exclude", func(d *directory) { d.tenant.Exclude(taro) }},
		{"member is no GUID", func(d *directory) { d.tenant.AddGroup(outer, "hanako") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			test.do(d)
		})
	}
}

func TestUsersInOrderOfCreation(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(taro, hanako)
	d.delete(taro)
	d.tenant.Exclude(hanako)
	var got []string
	for _, u := range d.tenant.Users() {
		got = append(got, fmt.Sprintf("%s deleted=%t inScope=%t", u.ID, u.Deleted, u.InScope))
	}
	want := []string{taro + " deleted=true inScope=false", hanako + " deleted=false inScope=false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if u, ok := d.tenant.User(hanako + "@example.co.jp"); !ok || u.ID != hanako {
		t.Errorf("by UPN: %v, %t", u, ok)
	}
	if _, ok := d.tenant.User(jiro); ok {
		t.Error("found a user who never was")
	}
}

func TestSameSeedSameIDs(t *testing.T) {
	t.Parallel()
	id := func(seed uint64) string {
		return newDirectoryTest(t, Options{Seed: seed}).tenant.AddUser(NewUser{UPN: "h@example.co.jp"})
	}
	if id(1) != id(1) || //nolint:staticcheck // two servers
		id(1) == id(2) {
		t.Error("ids don't depend on the seed alone")
	}
}

// A tenant of a million users must fit into about 1 GB. Not parallel: other
// tests would be measured too.
func TestUsersAreSmall(t *testing.T) {
	const users, most = 20_000, 1000
	d := newDirectoryTest(t, Options{})
	before := heapInUse()
	d.crowd(users)
	d.mu.Lock()
	for _, u := range d.tenant.dir.users {
		d.tenant.stamp(u, d.at)
	}
	d.mu.Unlock()
	each := (heapInUse() - before) / users
	t.Logf("a user takes %d bytes", each)
	if each > most {
		t.Errorf("that is more than %d", most)
	}
	runtime.KeepAlive(d)
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
