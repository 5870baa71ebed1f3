package msgraph_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// clientState is the secret of every subscription in these tests. It must not turn
// up in an error.
const clientState = "a-secret-that-travels-alone"

// subscriptionID is the id of the subscription in these tests.
const subscriptionID = "5f0e1c8e-3a1d-4a63-8a5b-6e6f1d2c9a01"

// wanted is a subscription as it is asked for.
func wanted() directory.Subscription {
	return directory.Subscription{
		Resource:        "users",
		ChangeType:      "updated",
		NotificationURL: "https://hook.example.com/notifications?a=b&c=d",
		LatestTLS:       "v1_2",
		Expires:         time.Date(2026, 12, 24, 7, 30, 0, 123, time.FixedZone("JST", 9*60*60)),
	}
}

// subscriptionJSON is the subscription as Graph answers, with that id.
func subscriptionJSON(id string) string {
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity","id":"` + id + `",` +
		`"resource":"users","applicationId":"24D3B144-21AE-4080-943F-7067B395B913","changeType":"updated",` +
		`"clientState":"` + clientState + `","notificationUrl":"https://hook.example.com/notifications?a=b&c=d",` +
		`"lifecycleNotificationUrl":null,"expirationDateTime":"2026-12-23T22:00:00.5Z",` +
		`"creatorId":"8ee44408-0679-472c-bc2a-692812af3437","latestSupportedTlsVersion":"v1_2","notificationContentType":null}`
}

// granted is what subscriptionJSON shows.
func granted() directory.Subscription {
	s := wanted()
	s.ID = subscriptionID
	s.ApplicationID = "24d3b144-21ae-4080-943f-7067b395b913"
	s.Expires = time.Date(2026, 12, 23, 22, 0, 0, 5e8, time.UTC)
	return s
}

// subscriptionCall is a call on subscriptions.
type subscriptionCall struct {
	name, operation string
	call            func(context.Context, *msgraph.Client) (any, error)
}

func subscriptionCalls() []subscriptionCall {
	return []subscriptionCall{
		{"list", "listSubscriptions", func(ctx context.Context, c *msgraph.Client) (any, error) { return c.Subscriptions(ctx) }},
		{"create", "createSubscription", func(ctx context.Context, c *msgraph.Client) (any, error) {
			return c.CreateSubscription(ctx, wanted(), clientState)
		}},
		{"renew", "updateSubscription", func(ctx context.Context, c *msgraph.Client) (any, error) {
			return c.RenewSubscription(ctx, subscriptionID, wanted().Expires)
		}},
		{"delete", "deleteSubscription", func(ctx context.Context, c *msgraph.Client) (any, error) {
			return nil, c.DeleteSubscription(ctx, subscriptionID)
		}},
	}
}

// discreet fails the test if the error repeats the clientState in any way.
func discreet(t testing.TB, err error) *directory.Error {
	t.Helper()
	e := graphError(t, err)
	if text := fmt.Sprintf("%v %+v", err, *e); strings.Contains(text, clientState) {
		t.Errorf("the error repeats the clientState: %s", text)
	}
	return e
}

// The exact requests, because Graph refuses a property that does not belong.
func TestSubscriptionRequests(t *testing.T) {
	t.Parallel()
	const all = "https://graph.microsoft.com/v1.0/subscriptions"
	tests := []struct {
		name, method, url, golden string
		call                      func(context.Context, *msgraph.Client) (any, error)
	}{
		{"list", "GET", all, "", subscriptionCalls()[0].call},
		{"create", "POST", all, "subscription-create.golden.json", subscriptionCalls()[1].call},
		{"renew", "PATCH", all + "/" + subscriptionID, "subscription-renew.golden.json", subscriptionCalls()[2].call},
		{"delete", "DELETE", all + "/" + subscriptionID, "", subscriptionCalls()[3].call},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusForbidden, file(t, "../answer/testdata/error-403.json"))
			_, err := tt.call(t.Context(), clientOf(t, graph))
			discreet(t, err)
			if graph.requests() != 1 {
				t.Fatalf("%d requests, want 1", graph.requests())
			}
			if got := graph.seen[0].Method + " " + graph.seen[0].URL.String(); got != tt.method+" "+tt.url {
				t.Errorf("sent %s, want %s %s", got, tt.method, tt.url)
			}
			if tt.golden == "" {
				if graph.bodies[0] != "" {
					t.Errorf("body %q, want none", graph.bodies[0])
				}
				return
			}
			golden(t, tt.golden, graph.bodies[0])
			if got := graph.seen[0].Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestSubscriptionsAreRead(t *testing.T) {
	t.Parallel()
	one := subscriptionJSON(strings.ToUpper(subscriptionID))
	bodies := map[string]string{
		"POST":  one,
		"PATCH": one,
		"GET":   `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=two","value":[` + one + `]}`,
	}
	graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
		if req.URL.RawQuery != "" {
			return response(http.StatusOK, `{"value":[`+one+`]}`), nil
		}
		return response(http.StatusOK, bodies[req.Method]), nil
	}}
	want := map[string]any{
		"list":   []directory.Subscription{granted(), granted()},
		"create": granted(),
		"renew":  granted(),
		"delete": nil,
	}
	for _, tt := range subscriptionCalls() {
		got, err := tt.call(t.Context(), clientOf(t, graph))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[tt.name], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Graph's own text reaches the administrator, without the secret. Package answer has
// more of these.
func TestSubscriptionMessages(t *testing.T) {
	t.Parallel()
	body := `{"error":{"message":"'` + clientState + `' is not like ` + clientState + `"}}`
	_, err := clientOf(t, answers(http.StatusBadRequest, body)).CreateSubscription(t.Context(), wanted(), clientState)
	if e := discreet(t, err); e.Message != "'[clientState]' is not like [clientState]" || !e.NotDone {
		t.Errorf("error %+v", e)
	}
}

// The texts of all other calls may name users.
func TestOtherCallsHaveNoMessage(t *testing.T) {
	t.Parallel()
	c := clientOf(t, answers(http.StatusBadRequest, `{"error":{"message":"`+principal+`"}}`))
	_, deltaErr := c.DeltaPage(t.Context(), deltaLink)
	_, latestErr := c.LatestDelta(t.Context())
	_, listErr := c.UserPage(t.Context(), "")
	_, membersErr := c.MemberOf(t.Context(), userIDs(1), []string{groupID})
	_, readErr := c.ReadUsers(t.Context(), userIDs(1))
	_, domainsErr := c.Domains(t.Context())
	for _, err := range []error{deltaErr, latestErr, listErr, membersErr, readErr, domainsErr} {
		if e := graphError(t, err); e.Message != "" {
			t.Errorf("%s: message %q", e.Operation, e.Message)
		}
	}
}

func TestSubscriptionsNotDone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{401: true, 403: true, 404: true, 409: false, 429: true, 503: false} {
		for _, tt := range subscriptionCalls()[1:] {
			t.Run(fmt.Sprint(tt.name, status), func(t *testing.T) {
				t.Parallel()
				graph := answers(status, `{"error":{"code":"Some_Code","message":"m"}}`)
				_, err := tt.call(t.Context(), clientOf(t, graph))
				e := discreet(t, err)
				if e.Operation != tt.operation || e.NotDone != want || e.Message != "m" || e.Conflict() != (status == 409) || graph.requests() != 1 {
					t.Errorf("error %+v after %d requests, want NotDone %t", e, graph.requests(), want)
				}
			})
		}
	}
}

// What stands for an id never leads elsewhere.
func TestSubscriptionPathIsEscaped(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusNotFound, `{}`)
	discreet(t, clientOf(t, graph).DeleteSubscription(t.Context(), "../users?a"))
	if got := graph.seen[0].URL.EscapedPath(); got != "/v1.0/subscriptions/..%2Fusers%3Fa" {
		t.Errorf("deleted %s", got)
	}
}
