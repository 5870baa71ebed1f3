package msgraphtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMeterIsExact(t *testing.T) {
	t.Parallel()
	quota := Quota{Count: 3, Per: 10 * time.Second}
	start := newClock().at
	var m meter
	for _, step := range []struct {
		at   time.Duration
		wait time.Duration
	}{
		{0, 0}, {4 * time.Second, 0}, {4 * time.Second, 0},
		{4 * time.Second, 6 * time.Second},
		{10*time.Second - 1, 1},
		{10 * time.Second, 0},
		{10 * time.Second, 4 * time.Second},
		{14 * time.Second, 0}, {14 * time.Second, 0},
		{14 * time.Second, 6 * time.Second},
	} {
		now := start.Add(step.at)
		if got := m.wait(now, quota, 1); got != step.wait {
			t.Errorf("after %s: wait %s, want %s", step.at, got, step.wait)
		} else if got == 0 {
			m.add(now, 1)
		}
	}
	if got := m.wait(start, quota, 4); got != quota.Per {
		t.Errorf("more than the quota: wait %s, want %s", got, quota.Per)
	}
}

func TestDefaultsFillWhatIsZero(t *testing.T) {
	t.Parallel()
	got := Limits{Writes: Quota{1, time.Second}}.orDefault()
	want := DefaultLimits()
	want.Writes = Quota{1, time.Second}
	want.ResourceUnits = Quota{} // goes by the tenant's size
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{} {
		c := &call{query: mustQuery(t, query), route: &compiledRoute{route: route{units: 3}}}
		if got := c.units(); got != want {
			t.Errorf("%q: %d units, want %d", query, got, want)
		}
	}
	if got := (&call{query: mustQuery(t, "$select=id"), route: &compiledRoute{}}).units(); got != 1 {
		t.Errorf("at least one unit, got %d", got)
	}
}

func TestUnitsOfSmallTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, test := range []struct{ users, want int }{{49, 3_500}, {50, 5_000}, {500, 5_000}, {501, 8_000}} {
		for n := len(w.tenant.Users()); n < test.users; n++ {
			w.tenant.AddUser(NewUser{UPN: fmt.Sprintf("u%d@example.co.jp", n)})
		}
		w.mu.Lock()
		got := w.unitsOf(w.tenant)
		w.mu.Unlock()
		if got.Count != test.want {
			t.Errorf("%d users: %d units, want %d", test.users, got.Count, test.want)
		}
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	const both = "Tenant_Application/ReadWrite/" + testApp + "/" + testTenant
	tests := []struct {
		name                string
		limits              Limits
		method, path, query string
		allowed             int
		scope, information  string
	}{
		{"writes", Limits{Writes: Quota{3, 150 * time.Second}}, "POST", revokePath, "", 3, both, "WriteLimitExceeded"},
		{"writes of the tenant", Limits{TenantWrites: Quota{2, 150 * time.Second}}, "POST", revokePath, "", 2, "Tenant/ReadWrite/" + testTenant, "WriteLimitExceeded"},
		{"units", Limits{ResourceUnits: Quota{4, 150 * time.Second}}, "GET", "/users", "", 2, both, "ResourceUnitLimitExceeded"},
		{"units with $select", Limits{ResourceUnits: Quota{4, 150 * time.Second}}, "GET", "/users", "?$select=id", 4, both, "ResourceUnitLimitExceeded"},
		{"requests", Limits{AppRequests: Quota{2, 150 * time.Second}}, "GET", "/users/" + testUser, "", 2, "", ""},
		{"subscription list", Limits{SubscriptionList: Quota{2, 150 * time.Second}}, "GET", "/subscriptions", "", 2, "", ""},
		{"subscription", Limits{SubscriptionGet: Quota{2, 150 * time.Second}}, "GET", "/subscriptions/x", "", 2, "", ""},
		{"subscription write", Limits{Subscriptions: Quota{2, 150 * time.Second}}, "DELETE", "/subscriptions/x", "", 2, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := newClock()
			w := newWorld(t, Options{Now: at.now, Limits: test.limits})
			token := w.token()
			try := func() response { return w.send(w.requestAs(token, test.method, test.path+test.query, "")) }
			for range test.allowed {
				if r := try(); r.StatusCode == http.StatusTooManyRequests {
					t.Fatalf("throttled too early: %s", r.body)
				}
			}
			at.advance(1500 * time.Millisecond)
			r := try()
			w.want(r, 429, "TooManyRequests")
			if test.information == "WriteLimitExceeded" && r.Header.Get("Retry-After") != "149" {
				t.Errorf("Retry-After %q, want 149", r.Header.Get("Retry-After"))
			}
			if got := r.Header.Get("x-ms-throttle-scope"); got != test.scope {
				t.Errorf("scope %q, want %q", got, test.scope)
			}
			if got := r.Header.Get("x-ms-throttle-information"); got != test.information {
				t.Errorf("information %q, want %q", got, test.information)
			}
			if n := w.Counts().Throttled; n != 1 {
				t.Errorf("counted %d throttled, want 1", n)
			}
		})
	}
}

// throttledWorld is a world on a clock of its own where one user may be revoked
// again and again.
type throttledWorld struct {
	*world
	at *clock
}

func newThrottledWorld(t *testing.T, limits Limits) throttledWorld {
	t.Helper()
	at := newClock()
	w := newWorld(t, Options{Now: at.now, Limits: limits})
	return throttledWorld{w, at}
}

// revoke tries, with a fresh token, and returns the Retry-After of a refusal; 0
// for success.
func (w throttledWorld) revoke() time.Duration {
	w.t.Helper()
	r := w.call("POST", revokePath, "")
	if r.StatusCode == http.StatusOK {
		return 0
	}
	w.want(r, http.StatusTooManyRequests, "TooManyRequests")
	return seconds(w.t, r.Header.Get("Retry-After"))
}

func seconds(t *testing.T, header string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(header + "s")
	if err != nil || d <= 0 {
		t.Fatalf("Retry-After %q", header)
	}
	return d
}

func TestRefusedWritesCount(t *testing.T) {
	t.Parallel()
	for free, want := range map[bool]time.Duration{false: 150 * time.Second, true: time.Second} {
		w := newThrottledWorld(t, Limits{Writes: Quota{1, 150 * time.Second}, RefusedWritesFree: free})
		w.revoke()
		w.at.advance(149 * time.Second)
		if got := w.revoke(); got != want {
			t.Errorf("RefusedWritesFree %v: Retry-After %s, want %s", free, got, want)
		}
		w.at.advance(want)
		if got := w.revoke(); got != 0 {
			t.Errorf("RefusedWritesFree %v: refused after Retry-After for %s more", free, got)
		}
	}
}

// TestRefusalFillsAnotherQuota shows that Retry-After tells of all quotas, not only
// of the one that was full.
func TestRefusalFillsAnotherQuota(t *testing.T) {
	t.Parallel()
	w := newThrottledWorld(t, Limits{Writes: Quota{1, 150 * time.Second}, TenantWrites: Quota{2, 300 * time.Second}})
	w.revoke()
	if got := w.revoke(); got != 300*time.Second {
		t.Errorf("Retry-After %s, want 5m", got)
	}
}

// TestObeyingGetsThrough shows that Retry-After is true for a client that is alone.
func TestObeyingGetsThrough(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := newThrottledWorld(t, Limits{
			Writes: Quota{3, 150 * time.Second}, TenantWrites: Quota{9, 10 * time.Minute},
			ResourceUnits: Quota{2, 10 * time.Second}, RefusedWritesFree: seed%2 == 1,
		})
		refused := 0
		for range 200 {
			w.at.advance(time.Duration(random.Int64N(int64(2 * time.Minute))))
			wait := w.revoke()
			if wait == 0 {
				continue
			}
			refused++
			w.at.advance(wait)
			if more := w.revoke(); more != 0 {
				t.Fatalf("seed %d: refused again after %s, for %s", seed, wait, more)
			}
		}
		if refused == 0 {
			t.Errorf("seed %d: never refused", seed)
		}
	}
}

// TestObeyingABatchGetsThrough does the same for parts, which are refused side by
// side: who waits for the longest Retry-After gets as many through as there may be.
func TestObeyingABatchGetsThrough(t *testing.T) {
	t.Parallel()
	w := newThrottledWorld(t, Limits{Writes: Quota{2, 150 * time.Second}})
	w.revoke()
	w.at.advance(100 * time.Second)
	two := []string{revokePart("1", testUser), revokePart("2", testUser)}
	got, _ := w.answers(batchOf(append(two, revokePart("3", testUser), revokePart("4", testUser))...))
	var wait time.Duration
	for id, p := range got {
		if id != "1" {
			wait = max(wait, seconds(t, p.Headers["retry-after"]))
		}
	}
	if got["1"].Status != 200 || wait != 150*time.Second {
		t.Fatalf("part 1 answered %d, the others are to wait for %s", got["1"].Status, wait)
	}
	w.at.advance(wait)
	for id, p := range first(w.answers(batchOf(two...))) {
		if p.Status != 200 {
			t.Errorf("part %s answered %d afterwards", id, p.Status)
		}
	}
}

func first[T, U any](v T, _ U) T { return v }

// TestHammeringDoesNotRecover shows that refused calls keep the quota full until
// they stop, unless they are free.
func TestHammeringDoesNotRecover(t *testing.T) {
	t.Parallel()
	for free, want := range map[bool]int{false: 2, true: 24} {
		w := newThrottledWorld(t, Limits{Writes: Quota{2, 150 * time.Second}, RefusedWritesFree: free})
		done, wait := 0, time.Duration(0)
		for range 30 * 6 { // half an hour
			if wait = w.revoke(); wait == 0 {
				done++
			}
			w.at.advance(10 * time.Second)
		}
		if done != want {
			t.Errorf("RefusedWritesFree %v: %d got through, want %d", free, done, want)
		}
		w.at.advance(wait)
		if more := w.revoke(); more != 0 {
			t.Errorf("RefusedWritesFree %v: still refused after it stopped, for %s", free, more)
		}
	}
}

func TestRefusedUnitsCount(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newWorld(t, Options{Now: at.now, Limits: Limits{ResourceUnits: Quota{2, 10 * time.Second}}})
	token := w.token()
	list := func() response { return w.send(w.requestAs(token, "GET", "/users", "")) }
	w.want(list(), 200, "")
	at.advance(9 * time.Second)
	r := list()
	w.want(r, 429, "TooManyRequests")
	if got := r.Header.Get("Retry-After"); got != "10" {
		t.Errorf("Retry-After %q, want 10: the refused call consumes, too", got)
	}
	at.advance(time.Second)
	w.want(list(), 429, "TooManyRequests")
	at.advance(10 * time.Second)
	w.want(list(), 200, "")
}

func TestSuccessTellsHowItStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Limits: Limits{Writes: Quota{10, time.Hour}, ResourceUnits: Quota{-1, 0}}})
	token := w.token()
	for n := 1; n <= 10; n++ {
		r := w.send(w.requestAs(token, "POST", revokePath, ""))
		want := ""
		if n > 8 {
			want = fmt.Sprintf("%.2f", float64(n)/10)
		}
		if got := r.Header.Get("x-ms-throttle-limit-percentage"); got != want {
			t.Errorf("write %d: percentage %q, want %q", n, got, want)
		}
		if got := r.Header.Get("x-ms-resource-unit"); got != "1" {
			t.Errorf("write %d: %q units, want 1", n, got)
		}
	}
}

func TestQuotasOfTwoTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Limits: Limits{Writes: Quota{1, time.Hour}}})
	other := w.AddTenant(TenantOptions{ID: "11111111-6d4d-4958-8b9f-9d6445542f95",
		Domains: []Domain{{Name: "example.com", Federated: true}}})
	other.AddApp(AppOptions{ID: testApp, Secrets: []Secret{{Text: testSecret}}, Permissions: []string{"User.RevokeSessions.All"}})
	id := other.AddUser(NewUser{UPN: "taro@example.com"})
	token := w.tokenFrom(w.postForm("https://login.microsoftonline.com/"+other.ID()+"/oauth2/v2.0/token", secretForm()))
	w.want(w.call("POST", revokePath, ""), 200, "")
	w.want(w.call("POST", revokePath, ""), 429, "TooManyRequests")
	there := "/users/" + id + "/revokeSignInSessions"
	w.want(w.send(w.requestAs(token, "POST", there, "")), 200, "")
	r := w.send(w.requestAs(token, "POST", there, ""))
	w.want(r, 429, "TooManyRequests")
}
