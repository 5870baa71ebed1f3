package msgraphtest

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func isRevoke(r Request) bool { return r.Method == "POST" && r.Path == revokePath }

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  Fault
		status int // 0: the connection breaks
		code   string
		writes int
	}{
		{"fails before", Fault{Status: 503, Code: "serviceNotAvailable"}, 503, "serviceNotAvailable", 0},
		{"fails after", Fault{Status: 503, Code: "x", After: true}, 503, "x", 1},
		{"resets before", Fault{Reset: true}, 0, "", 0},
		{"resets after", Fault{Reset: true, After: true}, 0, "", 1},
		{"ignored", Fault{Ignored: true}, 200, "", 0},
		{"of another call", Fault{Match: func(r Request) bool { return !isRevoke(r) }, Status: 503}, 200, "", 1},
		{"never by chance", Fault{Chance: 1e-300, Status: 503}, 200, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			req := w.request("POST", revokePath, "")
			w.Inject(test.fault)
			resp, err := w.RoundTrip(req)
			if test.status == 0 {
				if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("error %v, want ECONNRESET", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				w.want(readResponse(t, resp), test.status, test.code)
			}
			if n := w.Counts().Writes; n != test.writes {
				t.Errorf("%d writes, want %d", n, test.writes)
			}
			if user, _ := w.tenant.User(testUser); len(user.Revocations) != test.writes {
				t.Errorf("%d revocations, want %d", len(user.Revocations), test.writes)
			}
		})
	}
}

func TestFaultsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	get := w.request("GET", "/users/"+testUser, "")
	w.Inject(Fault{Times: 2, Status: 503, Code: "first", RetryAfter: 1500 * time.Millisecond})
	remove := w.Inject(Fault{Status: 500, Code: "second"})
	first := w.send(get)
	w.want(first, 503, "first")
	if got := first.Header.Get("Retry-After"); got != "1.5" {
		t.Errorf("Retry-After %q, want 1.5", got)
	}
	w.want(w.send(get), 503, "first")
	w.want(w.send(get), 500, "second")
	remove()
	remove()
	w.want(w.send(get), 200, "")
}

func TestIgnoredOnlyHitsRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.Inject(Fault{Ignored: true, Times: 1})
	if r := w.call("GET", "/users/"+testUser, ""); r.StatusCode != 200 {
		t.Errorf("answered %d", r.StatusCode)
	}
	w.app.permissions = []string{"User.Read.All"}
	w.want(w.call("POST", revokePath, ""), 403, "Authorization_RequestDenied")
}

func TestFaultOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.Inject(Fault{Match: func(r Request) bool { return r.Token && r.App == testApp && r.Tenant == testTenant },
		Status: 503, Code: "temporarily_unavailable"})
	r := w.postForm(tokenURL, secretForm())
	if r.StatusCode != 503 || trimmed(r.body) != `{"error":"temporarily_unavailable","error_description":"Service Unavailable"}` {
		t.Errorf("answered %d %s", r.StatusCode, r.body)
	}
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		req := w.request("POST", revokePath, "")
		w.Inject(Fault{Latency: time.Second})
		w.Inject(Fault{Latency: time.Minute, After: true})
		start := time.Now()
		w.want(w.send(req), 200, "")
		if took := time.Since(start); took != time.Minute+time.Second {
			t.Errorf("took %s", took)
		}
		if user, _ := w.tenant.User(testUser); !user.Stamp.Equal(start.Add(time.Second).Truncate(time.Second)) {
			t.Errorf("stamped %s after the call began", user.Stamp.Sub(start))
		}
	})
}

func TestGivingUpWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  Fault
		writes int
	}{
		"before": {Fault{Latency: time.Minute}, 0},
		"after":  {Fault{Latency: time.Minute, After: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var last Request
				w := newWorld(t, Options{Record: func(r Request) { last = r }})
				req := w.request("POST", revokePath, "")
				w.Inject(test.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := w.RoundTrip(req.WithContext(ctx))
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want DeadlineExceeded", err)
				}
				if n := w.Counts().Writes; n != test.writes {
					t.Errorf("%d writes, want %d", n, test.writes)
				}
				if last.Status != 0 || last.Path != revokePath {
					t.Errorf("recorded %+v", last)
				}
			})
		})
	}
}

func TestChanceIsRoughlyMet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Seed: 1})
	get := w.request("GET", "/users/"+testUser, "")
	w.Inject(Fault{Chance: 0.3, Status: http.StatusServiceUnavailable})
	failed := 0
	for range 1000 {
		if w.send(get).StatusCode == http.StatusServiceUnavailable {
			failed++
		}
	}
	if failed < 250 || failed > 350 {
		t.Errorf("%d of 1000 failed", failed)
	}
}
