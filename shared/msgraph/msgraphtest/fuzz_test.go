package msgraphtest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzRoundTrip looks for a request that the server doesn't answer.
func FuzzRoundTrip(f *testing.F) {
	f.Add("POST", "/v1.0/$batch", "", batchOf(revokePart("1", testUser)))
	f.Add("POST", "/v1.0"+revokePath, "", "")
	f.Add("GET", "/v1.0/users", "$top=5&$select=id", "")
	f.Add("GET", "/v1.0", "", "")
	f.Add("GET", "/v1.0/users", "$filter=mail eq 'x' or proxyAddresses/any(p:p eq 'y')", "")
	f.Add("POST", "/v1.0/directoryObjects/getByIds", "", `{"ids":["`+testUser+`"],"types":["user"]}`)
	f.Add("POST", "/v1.0/identity/conditionalAccess/evaluate", "", `{"signInIdentity":{},"signInConditions":{}}`)
	f.Add("GET", "/v1.0/users('')", "$filter=appId eq '", "")
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		w := newWorld(t, Options{})
		req := &http.Request{
			Method: method, Header: w.requestAs(w.token(), "GET", "/", "").Header,
			URL:  &url.URL{Scheme: "https", Host: "graph.microsoft.com", Path: path, RawQuery: query},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
		req.Header.Set("Content-Type", "application/json")
		if r := w.send(req); r.StatusCode < 200 || r.StatusCode >= 500 {
			t.Errorf("answered %d %s", r.StatusCode, r.body)
		}
	})
}
