package subscription_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// plainGraph calls Graph over any transport with nothing but net/http, so that
// these tests link no SDK.
type plainGraph struct {
	transport          http.RoundTripper
	tenant, app, token string

	mu     sync.Mutex
	bearer string
	until  time.Time
}

// wireSubscription is a subscription in JSON.
type wireSubscription struct {
	ID              string    `json:"id,omitempty"`
	Resource        string    `json:"resource,omitempty"`
	ChangeType      string    `json:"changeType,omitempty"`
	NotificationURL string    `json:"notificationUrl,omitempty"`
	LifecycleURL    string    `json:"lifecycleNotificationUrl,omitempty"`
	ApplicationID   string    `json:"applicationId,omitempty"`
	LatestTLS       string    `json:"latestSupportedTlsVersion,omitempty"`
	Expires         time.Time `json:"expirationDateTime,omitzero"`
	ClientState     string    `json:"clientState,omitempty"`
}

func (w wireSubscription) plain() directory.Subscription {
	return directory.Subscription{
		ID: w.ID, Resource: w.Resource, ChangeType: w.ChangeType, NotificationURL: w.NotificationURL,
		LifecycleURL: w.LifecycleURL, ApplicationID: w.ApplicationID, LatestTLS: w.LatestTLS, Expires: w.Expires,
	}
}

func (g *plainGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	var page struct{ Value []wireSubscription }
	if err := g.call(ctx, "listSubscriptions", "GET", "/subscriptions", nil, &page); err != nil {
		return nil, err
	}
	var all []directory.Subscription
	for _, s := range page.Value {
		all = append(all, s.plain())
	}
	return all, nil
}

func (g *plainGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	var made wireSubscription
	err := g.call(ctx, "createSubscription", "POST", "/subscriptions", wireSubscription{
		Resource: s.Resource, ChangeType: s.ChangeType, NotificationURL: s.NotificationURL,
		LifecycleURL: s.LifecycleURL, LatestTLS: s.LatestTLS, Expires: s.Expires, ClientState: clientState,
	}, &made)
	return made.plain(), err
}

func (g *plainGraph) RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error) {
	var renewed wireSubscription
	err := g.call(ctx, "renewSubscription", "PATCH", "/subscriptions/"+id, wireSubscription{Expires: expires}, &renewed)
	return renewed.plain(), err
}

func (g *plainGraph) DeleteSubscription(ctx context.Context, id string) error {
	return g.call(ctx, "deleteSubscription", "DELETE", "/subscriptions/"+id, nil, nil)
}

// call makes one request. It returns nil or a *directory.Error.
func (g *plainGraph) call(ctx context.Context, operation, method, path string, body, into any) error {
	bearer, err := g.signIn(ctx)
	if err != nil {
		return err
	}
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://graph.microsoft.com/v1.0"+path, content)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return &directory.Error{Operation: operation, Err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return refusal(operation, resp)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func refusal(operation string, resp *http.Response) error {
	var body struct {
		Error struct{ Code, Message string }
	}
	_ = json.NewDecoder(resp.Body).Decode(&body)
	return &directory.Error{
		Operation: operation, StatusCode: resp.StatusCode, Code: body.Error.Code, Message: body.Error.Message,
		NotDone: resp.StatusCode < 500 && resp.StatusCode != 409,
	}
}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// signIn returns a token that is good for some time yet.
func (g *plainGraph) signIn(ctx context.Context) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Now().Before(g.until) {
		return g.bearer, nil
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"https://graph.microsoft.com/.default"},
		"client_id": {g.app}, "client_secret": {g.token},
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, "POST",
		"https://login.microsoftonline.com/"+g.tenant+"/oauth2/v2.0/token", strings.NewReader(form))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return "", &directory.Error{Operation: "token", NotDone: true, Err: err}
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
		Text  string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", &directory.Error{Operation: "token", StatusCode: resp.StatusCode, NotDone: true, Code: aadsts.FindString(answer.Text)}
	}
	g.bearer, g.until = answer.Token, time.Now().Add(30*time.Minute)
	return g.bearer, nil
}
