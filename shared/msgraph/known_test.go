package msgraph_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// known passes requests on. It fails the test if it would not be noticed that what they
// sign in with stands in a log or an error.
type known struct {
	t    testing.TB
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (k known) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		leaktest.Known(k.t, token)
	}
	if r.Body == nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return k.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"client_secret", "client_assertion"} {
		if form.Has(name) {
			leaktest.Known(k.t, form.Get(name))
		}
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return k.next.RoundTrip(r)
}
