package resolver_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

type item = state.Item[signal.Registry]

func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t)) })
}

var longAgo = func(m *signal.Message) {
	m.Received = m.Received.Add(-time.Hour)
	m.Signal.At = m.Signal.At.Add(-time.Hour)
}

// Whom a signal means, and why nobody. One user is in the directory under several names.
func TestDecisions(t *testing.T) {
	const upn, mail = canary + "'o@contoso.com", canary + "+花子@alias.example"
	guest := canary + "_fabrikam.com#EXT#@contoso.com"
	long := strings.Repeat("é", 153) + "@contoso.com"
	for name, tt := range map[string]struct {
		format signal.Format
		value  string
		change func(*signal.Message)
		want   signal.Reason
		asked  int
	}{
		"principal name":       {signal.UPN, upn, nil, resolver.Queued, 1},
		"proxy address":        {signal.Email, mail, nil, resolver.Queued, 2},
		"mail":                 {signal.Email, canary + "@mail.example", nil, resolver.Queued, 3},
		"object id":            {signal.ObjectID, userID(1), nil, resolver.Queued, 1},
		"opaque id":            {signal.Opaque, "00u" + canary, nil, resolver.Queued, 1},
		"account name":         {signal.SAMAccountName, canary, nil, resolver.Queued, 1},
		"SID":                  {signal.SecurityIdentifier, "S-1-5-21-" + canary, nil, resolver.Queued, 1},
		"320 bytes":            {signal.UPN, long, nil, resolver.Queued, 1},
		"two have it":          {signal.SAMAccountName, canary + "-both", nil, signal.SubjectAmbiguous, 1},
		"guest":                {signal.UPN, guest, nil, signal.SubjectGuest, 1},
		"another's domain":     {signal.UPN, canary + "@fabrikam.com", nil, signal.SubjectForeignDomain, 1},
		"another's user":       {signal.Email, upn, func(m *signal.Message) { m.Source = other }, signal.SubjectForeignDomain, 1},
		"managed domain":       {signal.UPN, canary + "@managed.example", nil, signal.SubjectNotFederated, 1},
		"excluded":             {signal.UPN, "svc-" + canary + "@contoso.com", nil, resolver.Queued, 1}, // the stamper says so
		"unknown":              {signal.Email, canary + "@contoso.com", longAgo, signal.SubjectUnknown, 3},
		"unknown yet":          {signal.Email, canary + "@contoso.com", nil, resolver.NotFoundYet, 3},
		"nobody at all":        {"", canary, longAgo, signal.SubjectUnknown, 0},
		"injection":            {signal.SAMAccountName, canary + "' or '1' eq '1", longAgo, signal.SubjectUnknown, 1},
		"source removed":       {signal.UPN, upn, func(m *signal.Message) { m.Source = strings.Repeat("c", 32) }, signal.UnknownSource, 0},
		"log-out":              {signal.UPN, upn, func(m *signal.Message) { m.Signal.Kind = signal.SessionsRevoked }, signal.LogOut, 0},
		"log-out, asked for":   {signal.UPN, canary + "@fabrikam.com", func(m *signal.Message) { m.Source, m.Signal.Kind = other, signal.SessionsRevoked }, resolver.Queued, 1},
		"heard":                {"", "", func(m *signal.Message) { m.Signal = nil }, resolver.Heard, 0},
		"another tenant":       {signal.UPN, upn, func(m *signal.Message) { m.Tenant = userID(1) }, resolver.Invalid, 0},
		"a name as the source": {signal.UPN, upn, func(m *signal.Message) { m.Source = canary }, resolver.Invalid, 0},
		"another kind":         {signal.UPN, upn, func(m *signal.Message) { m.Signal.Kind = canary }, resolver.Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				for p, value := range map[directory.Property]string{
					directory.PropertyUPN: upn, directory.PropertyProxyAddresses: mail, directory.PropertyMail: canary + "@mail.example",
					directory.PropertyID: userID(1), directory.PropertyImmutableID: "00u" + canary,
					directory.PropertySAMAccountName: canary, directory.PropertySecurityIdentifier: "S-1-5-21-" + canary,
				} {
					w.user(1, p, value, upn)
				}
				w.user(1, directory.PropertyUPN, long, upn)
				w.user(1, directory.PropertySAMAccountName, canary+"-both", upn)
				w.user(2, directory.PropertySAMAccountName, canary+"-both", canary+"@fabrikam.com")
				w.user(1, directory.PropertyUPN, guest, guest, func(u *directory.User) { u.UserType = "Guest" })
				for _, upn := range []string{canary + "@fabrikam.com", canary + "@managed.example", "svc-" + canary + "@contoso.com"} {
					w.user(1, directory.PropertyUPN, upn, upn)
				}
				m := w.message(tt.format, tt.value)
				if tt.change != nil {
					tt.change(&m)
				}
				w.want(w.handle(w.t.Context(), m), tt.want)
				requests := w.queued()
				if (len(requests) == 1) != (tt.want == resolver.Queued) || len(w.lookedUp) != tt.asked {
					w.t.Errorf("%d requests, asked %d times", len(requests), len(w.lookedUp))
				}
				for _, r := range requests {
					if r.User != userID(1) || r.Provider != m.Source || r.Cause != string(m.Signal.Kind) || !r.Seen.Equal(m.Received) {
						w.t.Errorf("request %+v", r)
					}
				}
			})
		})
	}
}

// One message never spoils another.
func TestUnreadableMessages(t *testing.T) {
	bubble(t, func(w *world) {
		good := w.employee(1, false)
		w.want(w.handleBodies(w.t.Context(), []byte(`{"received":"`+canary+`"}`), []byte(canary), nil), resolver.Invalid, resolver.Invalid, resolver.Invalid)
		strange := w.message(signal.UPN, canary)
		strange.Tenant = canary
		w.want(w.handle(w.t.Context(), strange, good), resolver.Invalid, resolver.Queued)
	})
}

// An error of the directory is no answer: the message comes again, unless Graph will
// never take the question. Then the others are asked all the same.
func TestDirectoryFails(t *testing.T) {
	refused := func(status int) *directory.Error {
		return &directory.Error{Operation: "lookUpUsers", StatusCode: status}
	}
	for name, tt := range map[string]struct {
		err   error
		whole bool
		want  signal.Reason
	}{
		"throttled":          {refused(http.StatusTooManyRequests), false, resolver.GraphUnavailable},
		"forbidden":          {refused(http.StatusForbidden), false, resolver.GraphUnavailable},
		"unavailable":        {refused(http.StatusServiceUnavailable), false, resolver.GraphUnavailable},
		"no answer":          {refused(0), true, resolver.GraphUnavailable},
		"no sign-in":         {&directory.Error{Operation: directory.Token, StatusCode: http.StatusBadRequest}, true, resolver.GraphUnavailable},
		"refused":            {refused(http.StatusBadRequest), false, signal.SubjectUnknown},
		"refused as a whole": {refused(http.StatusBadRequest), true, signal.SubjectUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				bad, good := w.message(signal.Email, canary+"@contoso.com"), w.employee(1, false)
				longAgo(&bad)
				isBad := func(q directory.Question) bool {
					return q.Value == bad.Signal.Subject.Value && q.Property == directory.PropertyProxyAddresses
				}
				if tt.whole {
					w.spoil = func(questions []directory.Question) error {
						if slices.ContainsFunc(questions, isBad) {
							return tt.err
						}
						return nil
					}
				} else {
					w.fail = func(q directory.Question) error {
						if isBad(q) {
							return tt.err
						}
						return nil
					}
				}
				w.want(w.handle(w.t.Context(), bad, good), tt.want, resolver.Queued)
				last := w.lookedUp[len(w.lookedUp)-1].questions[0].Property
				if goesOn := last == directory.PropertyMail; goesOn != (tt.want == signal.SubjectUnknown) {
					w.t.Errorf("at last %s was asked for", last)
				}
				w.user(2, directory.PropertyMail, bad.Signal.Subject.Value, canary+"-2@contoso.com")
				w.fail, w.spoil = nil, nil
				w.want(w.handle(w.t.Context(), bad), resolver.Queued)
			})
		})
	}
}

// A question that spoils the whole call does so for nobody else.
func TestOneSpoilsNoOther(t *testing.T) {
	bubble(t, func(w *world) {
		bad := w.message(signal.ImmutableID, canary)
		longAgo(&bad)
		w.spoil = func(questions []directory.Question) error {
			if slices.ContainsFunc(questions, func(q directory.Question) bool { return q.Value == canary }) {
				return &directory.Error{Operation: "lookUpUsers", StatusCode: http.StatusBadRequest}
			}
			return nil
		}
		w.want(w.handle(w.t.Context(), w.employee(1, false), bad, w.employee(2, false)),
			resolver.Queued, signal.SubjectUnknown, resolver.Queued)
	})
}

// What else is not to be had leaves the messages to their queue.
func TestPartsFail(t *testing.T) {
	fault := errors.New("a fault")
	for name, tt := range map[string]struct {
		fail func(*world)
		want signal.Reason
	}{
		"registry": {func(w *world) { w.registry.load = fault }, resolver.RegistryUnavailable},
		"domains":  {func(w *world) { w.domains = fault }, resolver.DomainsUnavailable},
		"queue":    {func(w *world) { w.postpone = fault }, resolver.QueueUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				tt.fail(w)
				w.want(w.handle(w.t.Context(), w.employee(1, true), w.employee(2, false)), tt.want, tt.want)
			})
		})
	}
}

// Whoever was created a moment before the signal is found by one of the replicas later.
func TestNotFoundYet(t *testing.T) {
	bubble(t, func(w *world) {
		upn := canary + "-1@contoso.com"
		m := w.message(signal.UPN, upn)
		time.Sleep(stamp.DefaultPolicy.ReplicationLag - time.Second)
		w.want(w.handle(w.t.Context(), m), resolver.NotFoundYet)
		time.Sleep(time.Second)
		w.want(w.handle(w.t.Context(), m), signal.SubjectUnknown)
		w.user(1, directory.PropertyUPN, upn, upn)
		w.want(w.handle(w.t.Context(), m), resolver.Queued)
	})
}

// The stamp must be as new as the event, to the second; and the stamper gets no request of
// the future.
func TestRequestedStamp(t *testing.T) {
	bubble(t, func(w *world) {
		m := w.employee(1, false)
		m.Signal.At = m.Received.Truncate(time.Second)
		w.want(w.handle(w.t.Context(), m), resolver.Queued)
		if len(w.queued()) > 0 {
			w.t.Error("the request came before its time")
		}
		received, err := w.queue.Receive(w.t.Context(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		r, err := stamp.DecodeRequest(received[0].Body)
		if err != nil || r.NotBefore.After(time.Now()) || time.Since(w.start) > 10*time.Second {
			w.t.Errorf("request %+v, %v, after %s", r, err, time.Since(w.start))
		}
		policy := stamp.DefaultPolicy
		policy.EnforceSignals = true
		for age, want := range map[time.Duration]stamp.Reason{0: stamp.ReasonStamped, time.Second: stamp.ReasonSignal} {
			facts := stamp.Facts{Found: true, Federation: stamp.Federated, User: directory.User{
				ID: userID(1), UserType: "Member", StampKnown: true, SignInSessionsValidFrom: m.Signal.At.Add(-age),
			}}
			if d := stamp.Decide(stamp.Entry{}, facts, r, policy, time.Now()); d.Reason != want {
				w.t.Errorf("a stamp %s older than the event: %s, want %s", age, d.Reason, want)
			}
		}
	})
}

// A worker that dies, or is not answered, after it has queued the request has its message
// again. Both requests ask for the same.
func TestDoubles(t *testing.T) {
	bubble(t, func(w *world) {
		m := w.employee(1, true)
		w.postpone = errors.New("the answer is lost")
		w.want(w.handle(w.t.Context(), m), resolver.QueueUnavailable)
		w.postpone = nil
		time.Sleep(3 * time.Minute)
		w.want(w.handle(w.t.Context(), m, m), resolver.Queued, resolver.Queued)
		requests := w.queued()
		if len(requests) != 3 || cmp.Diff(requests[0], requests[1])+cmp.Diff(requests[0], requests[2]) != "" {
			w.t.Errorf("requests %+v", requests)
		}
	})
}

// Urgent signals are resolved at once, whatever else came, and the others five a second.
func TestPace(t *testing.T) {
	bubble(t, func(w *world) {
		var messages []signal.Message
		for n := range 23 {
			messages = append(messages, w.employee(n, false))
		}
		for n := range 30 {
			messages = append(messages, w.employee(100+n, true))
		}
		w.handle(w.t.Context(), messages...)
		var got []int
		var at []time.Duration
		for _, l := range w.lookedUp {
			got, at = append(got, len(l.questions)), append(at, l.at)
		}
		if want := []int{20, 10, 5, 5, 5, 5, 3}; !slices.Equal(got, want) {
			w.t.Errorf("asked %v, want %v", got, want)
		}
		if want := []time.Duration{0, 0, 0, 1e9, 2e9, 3e9, 3600e6}; !slices.Equal(at, want) {
			w.t.Errorf("asked at %v, want %v", at, want)
		}
		if !strings.Contains(w.lookedUp[1].questions[9].Value, "-129@") {
			w.t.Error("a signal that is not urgent went first")
		}
	})
}

// Who does not get a turn in time is left, and nobody is asked for.
func TestOutOfTime(t *testing.T) {
	bubble(t, func(w *world) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 1500*time.Millisecond)
		defer cancel()
		var messages []signal.Message
		for n := range 15 {
			messages = append(messages, w.employee(n, false))
		}
		reasons := w.handle(ctx, messages...)
		w.want(reasons[4:6], resolver.Queued, resolver.Queued)
		w.want(reasons[9:11], resolver.Queued, resolver.OutOfTime)
		if len(w.lookedUp) != 2 || time.Since(w.start) > time.Second {
			w.t.Errorf("asked %d times, until %s", len(w.lookedUp), time.Since(w.start))
		}
	})
}
