package msgraphtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
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

// limited are the default limits with a change.
func limited(change func(*Limits)) Limits {
	l := DefaultLimits()
	change(&l)
	return l
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
		name               string
		limit              func(*Limits) *Quota
		count              int
		method, target     string
		allowed            int
		scope, information string
	}{
		{"writes", func(l *Limits) *Quota { return &l.Writes }, 3, "POST", revokePath, 3, both, "WriteLimitExceeded"},
		{"writes of the tenant", func(l *Limits) *Quota { return &l.TenantWrites }, 2, "POST", revokePath, 2, "Tenant/ReadWrite/" + testTenant, "WriteLimitExceeded"},
		{"units", func(l *Limits) *Quota { return &l.ResourceUnits }, 4, "GET", "/users", 2, both, "ResourceUnitLimitExceeded"},
		{"units with $select", func(l *Limits) *Quota { return &l.ResourceUnits }, 4, "GET", "/users?$select=id", 4, both, "ResourceUnitLimitExceeded"},
		{"units with both", func(l *Limits) *Quota { return &l.ResourceUnits }, 4, "GET", "/users?$select=id&$top=5", 4, both, "ResourceUnitLimitExceeded"},
		{"requests", func(l *Limits) *Quota { return &l.AppRequests }, 2, "GET", "/users/" + testUser, 2, "", ""},
		{"subscription list", func(l *Limits) *Quota { return &l.SubscriptionList }, 2, "GET", "/subscriptions", 2, "", ""},
		{"subscription write", func(l *Limits) *Quota { return &l.Subscriptions }, 2, "DELETE", "/subscriptions/x", 2, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := newClock()
			w := newWorld(t, Options{Now: at.now, Limits: limited(func(l *Limits) {
				*test.limit(l) = Quota{test.count, 150 * time.Second}
			})})
			token := w.token()
			try := func() response { return w.send(w.requestAs(token, test.method, test.target, "")) }
			for range test.allowed {
				if r := try(); r.StatusCode == http.StatusTooManyRequests {
					t.Fatalf("throttled too early: %s", r.body)
				}
			}
			at.advance(1500 * time.Millisecond)
			r := try()
			w.want(r, 429, "TooManyRequests")
			if after := r.Header.Get("Retry-After"); test.allowed > 1 && after == "" {
				t.Error("no Retry-After")
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

func newThrottledWorld(t *testing.T, change func(*Limits)) throttledWorld {
	t.Helper()
	at := newClock()
	w := newWorld(t, Options{Now: at.now, Limits: limited(change)})
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

// TestObeyingGetsThrough shows that Retry-After is true for a client that is alone.
func TestObeyingGetsThrough(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := newThrottledWorld(t, func(l *Limits) {
			l.Writes, l.TenantWrites = Quota{3, 150 * time.Second}, Quota{9, 10 * time.Minute}
			l.ResourceUnits = Quota{2, 10 * time.Second}
		})
		refused := 0
		for range 100 {
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
	w := newThrottledWorld(t, func(l *Limits) { l.Writes = Quota{2, 150 * time.Second} })
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
// they stop.
func TestHammeringDoesNotRecover(t *testing.T) {
	t.Parallel()
	w := newThrottledWorld(t, func(l *Limits) { l.Writes = Quota{2, 150 * time.Second} })
	done, wait := 0, time.Duration(0)
	for range 30 * 6 { // half an hour
		if wait = w.revoke(); wait == 0 {
			done++
		}
		w.at.advance(10 * time.Second)
	}
	if done != 2 {
		t.Errorf("%d got through, want 2", done)
	}
	w.at.advance(wait)
	if more := w.revoke(); more != 0 {
		t.Errorf("still refused after it stopped, for %s", more)
	}
}

func TestSuccessTellsHowItStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Limits: limited(func(l *Limits) { l.Writes = Quota{10, time.Hour} })})
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
	w := newWorld(t, Options{Limits: limited(func(l *Limits) { l.Writes = Quota{1, time.Hour} })})
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
