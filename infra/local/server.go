package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// A webServer is what API Gateway is in a deployment: the webhook's front door, real HTTP
// over TLS, on this machine only.
type webServer struct {
	url     string
	server  *httptest.Server
	client  *http.Client // reaches this server and no other
	handler http.Handler
}

// newWebServer opens the door. Serve comes before the first request.
func newWebServer() *webServer {
	s := new(webServer)
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(w, r)
	}))
	s.url, s.client = s.server.URL+"/notifications", s.server.Client()
	return s
}

func (s *webServer) serve(handler http.Handler) { s.handler = handler }

func (s *webServer) close() { s.server.Close() }

// forge posts what somebody would who has found the webhook's URL: a well-formed
// notification with a guessed clientState, or half a body.
func (d *demo) forge(ctx context.Context, n int, id string) error {
	item := fmt.Sprintf(`{"changeType":"updated","clientState":"guess %d","resource":"Users/%s",`+
		`"resourceData":{"id":%q},"subscriptionId":"00000000-0000-4000-8000-000000000000","tenantId":%q}`, n, id, id, d.tenant.ID())
	body := `{"value":[` + item + `]}`
	if n%30 == 20 {
		body = body[:len(body)/2]
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.server.url, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := d.server.client.Do(request)
	if err != nil {
		return fmt.Errorf("forge a notification: %w", err)
	}
	return response.Body.Close()
}
