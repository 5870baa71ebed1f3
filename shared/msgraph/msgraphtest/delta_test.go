package msgraphtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// round follows a delta query to its deltaLink and returns what it showed.
func (d *directory) round(target string, header ...string) (items []map[string]any, deltaLink string) {
	d.t.Helper()
	for range 1000 {
		a := d.want(d.get(target, header...), http.StatusOK, "")
		items = append(items, a.value()...)
		if link := a.link("deltaLink"); link != "" {
			return items, link
		}
		target = a.link("nextLink")
	}
	d.t.Fatal("the round has no end")
	return nil, ""
}

func idsOf(items []map[string]any) []string {
	ids := []string{}
	for _, item := range items {
		ids = append(ids, item["id"].(string))
	}
	return ids
}

const stampSelection = "?$select=id,userPrincipalName,signInSessionsValidFromDateTime"

func (d *directory) delete(id string) {
	d.t.Helper()
	d.want(d.do("DELETE", "/users/"+id, ""), http.StatusNoContent, "")
}

func (d *directory) revoke(id string) {
	d.t.Helper()
	d.want(d.do("POST", "/users/"+id+"/revokeSignInSessions", ""), http.StatusOK, "")
}

func TestDeltaRounds(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako, taro, jiro)
	d.delete(jiro)
	first, link := d.round("/users/delta" + stampSelection)
	want := []map[string]any{
		{"id": hanako, "userPrincipalName": hanako + "@example.co.jp"},
		{"id": taro, "userPrincipalName": taro + "@example.co.jp"},
		{"id": jiro, "@removed": map[string]any{"reason": "changed"}},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first round (-want +got):\n%s", diff)
	}

	d.revoke(taro)
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":"Kyoto"}`), http.StatusNoContent, "")
	second, link := d.round(link)
	want = []map[string]any{
		{"id": taro, "userPrincipalName": taro + "@example.co.jp", stampProperty: "2026-05-24T22:24:30Z"},
	}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("second round (-want +got):\n%s", diff)
	}

	if last, _ := d.round(link); len(last) != 0 {
		t.Errorf("nothing has changed but %v appear", last)
	}
}

func TestDeltaShowsNullOnlyOfWhatWasSet(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako, taro)
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":"Kyoto"}`), http.StatusNoContent, "")
	_, link := d.round("/users/delta?$select=id,city,jobTitle,accountEnabled")
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":null}`), http.StatusNoContent, "")
	got, _ := d.round(link)
	want := []map[string]any{{"id": hanako, "city": nil, "accountEnabled": true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("round (-want +got):\n%s", diff)
	}
}

func TestDeltaLatest(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	none, link := d.round("/users/delta" + stampSelection + "&$deltatoken=latest")
	if len(none) != 0 {
		t.Errorf("latest showed %v", none)
	}
	d.federatedUsers(taro)
	got, _ := d.round(link)
	if diff := cmp.Diff([]string{taro}, idsOf(got)); diff != "" {
		t.Errorf("round (-want +got):\n%s", diff)
	}
}

func TestDeltaPagesLoseNothing(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Delta: Delta{PageSize: 2}})
	d.crowd(5)
	page := d.want(d.get("/users/delta"+stampSelection), http.StatusOK, "")
	d.revoke(numbered(0)) // already shown in this round
	d.revoke(numbered(4)) // not yet
	rest, link := d.round(page.link("nextLink"))
	if got := append(page.ids(), idsOf(rest)...); len(got) != 5 {
		t.Errorf("first round shows %v", got)
	}
	got, link := d.round(link)
	if diff := cmp.Diff([]string{numbered(0), numbered(4)}, idsOf(got)); diff != "" {
		t.Errorf("second round (-want +got):\n%s", diff)
	}
	for i := range 5 {
		d.want(d.do("PATCH", "/users/"+numbered(i), fmt.Sprintf(`{"userPrincipalName":"v%d@example.co.jp"}`, i)), 204, "")
		d.delete(numbered(i))
	}
	got, _ = d.round(link)
	if len(got) != 5 {
		t.Errorf("users changed twice appear %d times, want 5", len(got))
	}
}

func TestDeltaRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query string
		status      int
		code        string
	}{
		{"top", "$top=10", 400, "Request_BadRequest"},
		{"expand", "$expand=manager", 400, "Request_BadRequest"},
		{"orderby", "$orderby=displayName", 400, "Request_BadRequest"},
		{"count", "$count=true", 400, "Request_BadRequest"},
		{"unknown property", "$select=nothing", 400, "Request_BadRequest"},
		{"filter", "$filter=id eq 'x'", 400, "Request_BadRequest"},
		{"garbled deltatoken", "$deltatoken=garbled", 400, "BadRequest"},
		{"garbled skiptoken", "$skiptoken=garbled", 400, "BadRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.want(d.get("/users/delta?"+test.query), test.status, test.code)
		})
	}
}

func TestDeltaTokensAreForOneUse(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	_, link := d.round("/users/delta")
	d.want(d.get(link+"&$select=id"), 400, "Request_BadRequest")
	d.want(d.get(strings.Replace(link, "$deltatoken", "$skiptoken", 1)), 400, "BadRequest")
	d.tenant = d.AddTenant(TenantOptions{})
	d.want(d.get(link), 400, "BadRequest")
	d.roles = []string{"User.ReadBasic.All"}
	d.want(d.get("/users/delta"), 403, "Authorization_RequestDenied")
}

func TestDeltaTokensExpire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		status       int
		seed         uint64
		want         int
		code, inner  string
		startsAfresh bool
	}{
		{"by default", 0, 0, 410, errResync, "", true},
		{"gone", 410, 0, 410, errResync, "", true},
		{"bad request", 400, 1, 400, "Request_UnsupportedQuery", "", false},
		{"bad request, told inside", 400, 0, 400, "BadRequest", errSyncState, false},
		{"not found", 404, 0, 404, errSyncState, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{Seed: test.seed, Delta: Delta{ExpireStatus: test.status}})
			d.federatedUsers(hanako)
			_, link := d.round("/users/delta")
			d.at = d.at.Add(7 * 24 * time.Hour)
			_, _ = d.round(link)
			d.at = d.at.Add(time.Second)
			got := d.want(d.get(link), test.want, test.code)
			if inner, _ := got.body["error"].(map[string]any)["innerError"].(map[string]any)["code"].(string); inner != test.inner {
				t.Errorf("inner code %q, want %q", inner, test.inner)
			}
			if location := got.header.Get("Location"); test.startsAfresh {
				if again, _ := d.round(location); len(again) != 1 {
					t.Errorf("the new round at %s shows %v", location, again)
				}
			} else if location != "" {
				t.Errorf("Location %s", location)
			}
		})
	}
}

func TestDeltaOddities(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		delta Delta
		check func(d *directory, first, second []string)
	}{
		{"repeats", Delta{RepeatChance: 1}, func(d *directory, first, second []string) {
			if len(first) != 8 || len(second) != 2 {
				d.t.Errorf("%d and %d items, want 8 and 2", len(first), len(second))
			}
		}},
		{"replays", Delta{ReplayChance: 1}, func(d *directory, first, second []string) {
			if len(first) != 4 || len(second) < 2 || !slices.Contains(second, numbered(1)) {
				d.t.Errorf("%v then %v", first, second)
			}
		}},
		{"shuffled", Delta{Shuffle: true}, func(d *directory, first, second []string) {
			if len(first) != 4 || slices.IsSorted(first) {
				d.t.Errorf("%v is in order", first)
			}
		}},
		{"empty pages", Delta{EmptyPageChance: 1, PageSize: 1}, func(d *directory, first, second []string) {
			if len(first) != 4 || len(second) != 1 {
				d.t.Errorf("%v then %v", first, second)
			}
			if got := d.get("/users/delta"); len(got.value()) != 0 || got.link("nextLink") == "" {
				d.t.Errorf("the first page is %s", got.raw)
			}
		}},
		{"stamp not tracked", Delta{IgnoreStamp: true}, func(d *directory, first, second []string) {
			if len(second) != 0 {
				d.t.Errorf("%v appear", second)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{Delta: test.delta, Seed: 1})
			d.crowd(4)
			first, link := d.round("/users/delta" + stampSelection)
			d.revoke(numbered(1))
			second, _ := d.round(link)
			test.check(d, idsOf(first), idsOf(second))
		})
	}
}

func TestDeltaOmitsTheStamp(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{Delta: Delta{OmitStamp: true}})
	d.federatedUsers(hanako)
	_, link := d.round("/users/delta" + stampSelection)
	d.revoke(hanako)
	got, _ := d.round(link)
	want := []map[string]any{{"id": hanako, "userPrincipalName": hanako + "@example.co.jp"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("round (-want +got):\n%s", diff)
	}
}
