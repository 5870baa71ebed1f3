package msgraph_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// subscriber is an endpoint that answers handshakes with its status.
type subscriber struct{ status int }

// RoundTrip implements http.RoundTripper.
func (s subscriber) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status,
		Header:     http.Header{"Content-Type": {"text/plain"}},
		Body:       io.NopCloser(strings.NewReader(req.URL.Query().Get("validationToken"))),
		Request:    req,
	}, nil
}

// inAWeek is the wanted subscription, in the time of a bubble.
func inAWeek() directory.Subscription {
	s := wanted()
	s.Expires = time.Now().Add(7 * 24 * time.Hour).UTC()
	return s
}

// create creates the wanted subscription.
func (e emulated) create(t *testing.T) directory.Subscription {
	t.Helper()
	s, err := e.client.CreateSubscription(t.Context(), inAWeek(), clientState)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The life of a subscription, with one request for each step.
func TestEmulatorSubscription(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusOK}}, "User.Read.All")
		created := graph.create(t)
		want := inAWeek()
		want.ID, want.ApplicationID = created.ID, clientID
		if diff := cmp.Diff(want, created); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		if truth := graph.tenant.Subscriptions(); len(truth) != 1 || truth[0].ClientState != clientState || truth[0].ID != created.ID {
			t.Errorf("Graph has %+v", truth)
		}
		want.Expires = want.Expires.Add(24 * time.Hour)
		renewed, err := graph.client.RenewSubscription(t.Context(), created.ID, want.Expires)
		if diff := cmp.Diff(want, renewed); err != nil || diff != "" {
			t.Errorf("renewed (-want +got), %v:\n%s", err, diff)
		}
		all, err := graph.client.Subscriptions(t.Context())
		if diff := cmp.Diff([]directory.Subscription{want}, all); err != nil || diff != "" {
			t.Errorf("all (-want +got), %v:\n%s", err, diff)
		}
		if err := graph.client.DeleteSubscription(t.Context(), created.ID); err != nil {
			t.Error(err)
		}
		if e := discreet(t, graph.client.DeleteSubscription(t.Context(), created.ID)); !e.NotFound() || !e.NotDone {
			t.Errorf("deleted again: %+v", e)
		}
		if all, err := graph.client.Subscriptions(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("in the end: %+v, %v", all, err)
		}
		if got := graph.server.Counts(); got.HTTP != 6 {
			t.Errorf("%d requests for 6 calls", got.HTTP)
		}
	})
}

// Graph may grant less than it is asked for.
func TestEmulatorGrantsLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{
			Notify: subscriber{http.StatusOK}, Delivery: msgraphtest.Delivery{ShortenExpiry: true},
		}, "User.Read.All")
		greedy := inAWeek()
		greedy.Expires = time.Now().Add(365 * 24 * time.Hour)
		got, err := graph.client.CreateSubscription(t.Context(), greedy, clientState)
		if want := time.Now().Add(41_760 * time.Minute); err != nil || !got.Expires.Equal(want) {
			t.Errorf("expires %v, want %v; %v", got.Expires, want, err)
		}
	})
}

func TestEmulatorRefusesSubscriptions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusOK}}, "User.Read.All")
		created := graph.create(t)
		_, err := graph.client.CreateSubscription(t.Context(), inAWeek(), clientState)
		if e := discreet(t, err); !e.Conflict() || e.NotDone || !strings.Contains(e.Message, created.ID) {
			t.Errorf("twice: %+v", e)
		}
		over := inAWeek()
		over.ChangeType, over.Expires = "updated,deleted", time.Now().Add(365*24*time.Hour)
		_, err = graph.client.CreateSubscription(t.Context(), over, clientState)
		if e := discreet(t, err); e.Code != "ExtensionError" || !e.NotDone || !strings.Contains(e.Message, "41760 minutes") {
			t.Errorf("for too long: %+v", e)
		}
		time.Sleep(8 * 24 * time.Hour)
		_, err = graph.client.RenewSubscription(t.Context(), created.ID, time.Now().Add(time.Hour))
		if e := discreet(t, err); !e.NotFound() || !e.NotDone {
			t.Errorf("too late: %+v", e)
		}
	})
}

func TestEmulatorReachesNoSubscriber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusForbidden}}, "User.Read.All")
		_, err := graph.client.CreateSubscription(t.Context(), inAWeek(), clientState)
		e := discreet(t, err)
		if e.StatusCode != http.StatusBadRequest || e.Code == "" || !e.NotDone || !strings.Contains(e.Message, "validation request failed") {
			t.Errorf("error %+v", e)
		}
	})
}

func TestEmulatorRefusesSubscribers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusOK}}, "Domain.Read.All")
		_, err := graph.client.CreateSubscription(t.Context(), inAWeek(), clientState)
		if e := discreet(t, err); !e.Forbidden() || !e.NotDone || e.RequestID == "" {
			t.Errorf("error %+v", e)
		}
	})
}

// A connection that breaks once the subscription exists: it must not be taken for
// refused, and the next list tells of it.
func TestEmulatorLosesTheSubscription(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 0, msgraphtest.Options{Notify: subscriber{http.StatusOK}}, "User.Read.All")
		graph.server.Inject(msgraphtest.Fault{
			Match: func(r msgraphtest.Request) bool { return r.Method == http.MethodPost && !r.Token },
			After: true, Reset: true, Times: 1,
		})
		_, err := graph.client.CreateSubscription(t.Context(), inAWeek(), clientState)
		if e := discreet(t, err); e.NotDone || e.ClientRequestID == "" || !errors.Is(leaktest.Seen(t, err), syscall.ECONNRESET) {
			t.Errorf("error %+v", e)
		}
		if all, err := graph.client.Subscriptions(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("subscriptions %+v, %v", all, err)
		}
	})
}
