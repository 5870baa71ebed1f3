package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// httpGraph talks to the emulator in plain HTTP, as package msgraph does with
// the SDK.
type httpGraph struct {
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	app    *msgraphtest.App
}

const (
	graphURL = "https://graph.microsoft.com/v1.0"
	selected = "id,userPrincipalName,userType,creationType,externalUserState,createdDateTime,signInSessionsValidFromDateTime"
)

func (g *httpGraph) LatestDelta(ctx context.Context) (string, error) {
	page, err := g.get(ctx, graphURL+"/users/delta?$deltatoken=latest&$select="+selected)
	return page.Delta, err
}

func (g *httpGraph) DeltaPage(ctx context.Context, link string) (directory.UserPage, error) {
	return g.get(ctx, link)
}

func (g *httpGraph) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	if next == "" {
		next = graphURL + "/users?$top=999&$select=" + selected
	}
	return g.get(ctx, next)
}

func (g *httpGraph) get(ctx context.Context, link string) (directory.UserPage, error) {
	token, err := g.token(ctx)
	if err != nil {
		return directory.UserPage{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		return directory.UserPage{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	var body struct {
		Value []map[string]any
		Next  string `json:"@odata.nextLink"`
		Delta string `json:"@odata.deltaLink"`
		Error struct{ Code string }
	}
	status, err := g.do(req, &body)
	if err != nil {
		return directory.UserPage{}, &directory.Error{Operation: "get", Err: err}
	}
	if status != http.StatusOK {
		return directory.UserPage{}, &directory.Error{Operation: "get", StatusCode: status, Code: body.Error.Code}
	}
	page := directory.UserPage{Next: body.Next, Delta: body.Delta}
	for _, item := range body.Value {
		u := readUser(item)
		if _, removed := item["@removed"]; removed {
			page.Removed = append(page.Removed, u.ID)
			continue
		}
		page.Users = append(page.Users, u)
	}
	return page, nil
}

func readUser(item map[string]any) directory.User {
	text := func(name string) string { s, _ := item[name].(string); return s }
	at := func(name string) time.Time { v, _ := time.Parse(time.RFC3339, text(name)); return v.UTC() }
	_, shown := item["signInSessionsValidFromDateTime"]
	u := directory.User{
		ID: text("id"), UserPrincipalName: text("userPrincipalName"), UserType: text("userType"),
		CreationType: text("creationType"), ExternalUserState: text("externalUserState"),
		Created: at("createdDateTime"), StampKnown: shown,
	}
	if text("signInSessionsValidFromDateTime") != "" {
		u.SignInSessionsValidFrom = at("signInSessionsValidFromDateTime")
	}
	return u
}

func (g *httpGraph) token(ctx context.Context) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {g.app.ID()}, "client_secret": {"swe8Q~ep"},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	target := "https://login.microsoftonline.com/" + g.tenant.ID() + "/oauth2/v2.0/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var body struct {
		Token string `json:"access_token"`
	}
	if status, err := g.do(req, &body); err != nil || status != http.StatusOK {
		return "", &directory.Error{Operation: "token", StatusCode: status, Err: err}
	}
	return body.Token, nil
}

func (g *httpGraph) do(req *http.Request, body any) (int, error) {
	resp, err := g.server.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(body)
}

// emulate puts the emulator in the place of the fake.
func emulate(t *testing.T, w *world, o msgraphtest.Options) *msgraphtest.Tenant {
	o.Now = w.clock
	server := msgraphtest.New(o)
	t.Cleanup(server.Close)
	directory := server.AddTenant(msgraphtest.TenantOptions{
		ID: tenant,
		Domains: []msgraphtest.Domain{
			{Name: "federated.example", Federated: true}, {Name: "managed.example"},
		},
	})
	app := directory.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.Read.All"}, Secrets: []msgraphtest.Secret{{Text: "swe8Q~ep"}},
	})
	w.config.Graph = &httpGraph{server, directory, app}
	return directory
}

// populate makes members old and new, stamped and not, and a guest.
func populate(w *world, d *msgraphtest.Tenant, n int) {
	for i := range n {
		u := msgraphtest.NewUser{
			UPN:     fmt.Sprintf("%s-%d@federated.example", canary, i),
			Created: w.clock().Add(-1000 * time.Hour),
		}
		switch i % 5 {
		case 1:
		case 2:
			u.UPN = fmt.Sprintf("%s-%d@managed.example", canary, i)
		case 3:
			u.UserType = "Guest"
		default:
			stamp := u.Created.Add(time.Minute)
			u.Stamp = &stamp
		}
		d.AddUser(u)
	}
}

func TestStoriesWithTheEmulator(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options msgraphtest.Options
	}{
		{"a Graph that is well", msgraphtest.Options{}},
		{"delta with all its oddities", msgraphtest.Options{Seed: 1, Delta: msgraphtest.Delta{
			PageSize: 3, ReplayChance: 1, RepeatChance: 0.5, EmptyPageChance: 0.5, Shuffle: true,
		}}},
		{"delta that does not know the stamp", msgraphtest.Options{Delta: msgraphtest.Delta{OmitStamp: true, IgnoreStamp: true}}},
		{"lists with empty pages", msgraphtest.Options{Seed: 2, Paging: msgraphtest.Paging{EmptyPageChance: 0.7}}},
		{"an expired token is not found", msgraphtest.Options{Delta: msgraphtest.Delta{ExpireStatus: http.StatusNotFound}}},
		{"an expired token is refused", msgraphtest.Options{Delta: msgraphtest.Delta{ExpireStatus: http.StatusBadRequest}}},
		{"a replica that lags behind, now and then", msgraphtest.Options{Seed: 3, Replica: msgraphtest.Replica{Lag: 4 * time.Minute, Share: 0.5}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := emulate(t, w, tt.options)
			populate(w, d, 40)
			tell(t, w, d)
		})
	}
}

// tell tells a story of a webhook that hears nothing.
func tell(t *testing.T, w *world, d *msgraphtest.Tenant) {
	t.Helper()
	w.advance(interval)
	report := w.run()
	if report.Full != sweep.CauseFirst || report.Members != 32 || report.Unstamped != 8 || report.Missed != 0 {
		t.Errorf("first round: %+v, want 8 of 32 members unstamped", report)
	}
	if got := w.queued(); len(got) != 8 {
		t.Errorf("%d existing users are queued, want 8", len(got))
	}
	w.advance(interval)
	w.run()
	w.queue.drain()

	join := func(n int) string {
		return d.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("%s-new-%d@federated.example", canary, n)})
	}
	first := join(1)
	d.DeleteUser(join(2))
	w.advance(interval)
	report = w.run()
	if diff := cmp.Diff([]string{first}, w.queued()); diff != "" || report.Full != "" {
		t.Errorf("an increment (full round: %q) queues (-want +got):\n%s", report.Full, diff)
	}
	// Eight days without a sweep: the link expires, and nobody gets old.
	second := join(3)
	w.advance(8 * 24 * time.Hour)
	report = w.run()
	if report.Full != sweep.CauseExpired || report.Expired != 1 || !slices.Contains(missed(w), second) {
		t.Errorf("after eight days: %+v, want a full round that finds %s", report, second)
	}
	third := join(4)
	w.advance(interval)
	if report = w.run(); report.Full != sweep.CauseConfirm || !slices.Contains(missed(w), third) {
		t.Errorf("then: %+v, want a confirming round", report)
	}
}

// missed are the users who were queued as missed.
func missed(w *world) []string {
	var ids []string
	for _, d := range w.queue.drain() {
		if d.Request.Missed {
			ids = append(ids, d.Request.User)
		}
	}
	return ids
}

func TestThrottledByTheEmulator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := emulate(t, w, msgraphtest.Options{})
	populate(w, d, 40)
	w.config.Graph.(*httpGraph).server.Inject(msgraphtest.Fault{
		Match:  func(r msgraphtest.Request) bool { return r.Path == "/users" },
		Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Minute, Times: 1,
	})
	report, err := w.try()
	if e, ok := errors.AsType[*directory.Error](err); !ok || !e.Throttled() || report.Stopped != sweep.StopFailed {
		t.Fatalf("Run = %+v, %v; want the throttling", report, err)
	}
	w.run()
	if got := w.queued(); len(got) != 8 {
		t.Errorf("%d users are queued, want 8", len(got))
	}
}
