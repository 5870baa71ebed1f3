package receiver_test

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

func TestHTTPS(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 1<<20)
	other := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/jwks":
			_, _ = w.Write([]byte(r.Header.Get("Accept")))
		case "/far":
			http.Redirect(w, r, other.URL+"/jwks?secret=c4nary", http.StatusFound)
		case "/short":
			w.Header().Set("Content-Length", "99")
		case "/long":
			_, _ = w.Write(long)
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that the client gives up
	server.StartTLS()
	t.Cleanup(server.Close)
	tests := map[string]struct {
		uri, want, fault string
	}{
		"there":      {server.URL + "/jwks", "application/jwk-set+json, application/json", ""},
		"moved":      {server.URL + "/far", "", "status 302"},
		"breaks off": {server.URL + "/short", "", "broke off"},
		"too long":   {server.URL + "/long", string(long[:1<<16+1]), ""},
		"no answer":  {server.URL + "/nothing", "", "status 418"},
		"http":       {strings.Replace(server.URL, "https", "http", 1) + "/jwks", "", "begins with https"},
		"no host":    {"https:///jwks", "", "begins with https"},
		"no address": {"https://[", "", "begins with https"},
		"a file":     {"file:///etc/passwd", "", "begins with https"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := receiver.HTTPS(server.Client().Transport)(tt.uri).FetchKeys(t.Context())
			if (err != nil) != (tt.fault != "") || err != nil && (!strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), "c4nary")) ||
				string(got) != tt.want {
				t.Errorf("got %d bytes, %v; want %q", len(got), err, tt.fault)
			}
		})
	}
}
