package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const graphURL = "https://graph.microsoft.com/v1.0"

// An admin is the tenant's provisioning system: an app of its own that makes and
// changes users through Graph's API, and knows nothing of sessionstamp.
type admin struct {
	tenant, client, secret string
	http                   *http.Client

	token   string
	expires time.Time
}

// signIn gets a token by the client credentials flow
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
func (a *admin) signIn(ctx context.Context) error {
	if time.Until(a.expires) > time.Minute {
		return nil
	}
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {a.client},
		"client_secret": {a.secret},
		"scope":         {"https://graph.microsoft.com/.default"},
	}
	endpoint := "https://login.microsoftonline.com/" + a.tenant + "/oauth2/v2.0/token"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := a.do(request, &answer); err != nil {
		return fmt.Errorf("sign the administrator in: %w", err)
	}
	a.token = answer.AccessToken
	a.expires = time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)
	return nil
}

// call makes one call of Graph and reads the answer into into, if that is not
// nil.
func (a *admin) call(ctx context.Context, method, path string, body, into any) error {
	if err := a.signIn(ctx); err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, graphURL+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	return a.do(request, into)
}

func (a *admin) do(request *http.Request, into any) error {
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, content)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(content, into)
}

// createUser creates a user, a federated one if immutableID is not empty, and
// returns the object id.
func (a *admin) createUser(ctx context.Context, u newUser) (string, error) {
	body := map[string]any{
		"accountEnabled":    true,
		"displayName":       u.name,
		"mailNickname":      u.name,
		"userPrincipalName": u.name + "@" + u.domain,
		"passwordProfile":   map[string]any{"password": "a-Password-nobody-uses-1"},
	}
	if u.federated {
		body["onPremisesImmutableId"] = "immutable-" + u.name
	}
	if u.guest {
		body["userType"] = "Guest"
	}
	var created struct {
		ID string `json:"id"`
	}
	err := a.call(ctx, http.MethodPost, "/users", body, &created)
	return created.ID, err
}

// newUser is a user to be created.
type newUser struct {
	name, domain     string
	federated, guest bool
	// grouped is a member of the excluded group.
	grouped bool
}

// inScope tells whether sessionstamp is to stamp the user.
func (u newUser) inScope() bool {
	return u.federated && !u.guest && !u.grouped && !strings.HasPrefix(u.name, excludedPrefix)
}

// touchUser makes an ordinary change, which raises a notification like any other.
func (a *admin) touchUser(ctx context.Context, id, department string) error {
	return a.call(ctx, http.MethodPatch, "/users/"+id, map[string]any{"department": department}, nil)
}

// deleteUser deletes a user, softly.
func (a *admin) deleteUser(ctx context.Context, id string) error {
	return a.call(ctx, http.MethodDelete, "/users/"+id, nil, nil)
}
