package receiver_test

import (
	"net/http"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

// FuzzHandler sends whatever to any path: nobody without a proof has anything queued, and
// nobody is told of a fault of ours. What is signed by the source may hold whatever.
func FuzzHandler(f *testing.F) {
	w := atNoon(f)
	for source, body := range map[string]string{hook: w.said("user.disabled"), okta: `{"data":{"events":[]}}`, ssf: "eyJhbGciOiJub25lIn0.e30.", nowhere: ""} {
		f.Add(receiver.Path+source, "POST", "Authorization", secret(source, 2), body)
	}
	f.Add(receiver.Path+okta, "GET", "X-Okta-Verification-Challenge", "c", "")
	f.Fuzz(func(t *testing.T, path, method, name, value, body string) {
		w := atNoon(t)
		req := post("", body, nil)
		req.Method, req.URL.Path, req.Header = method, path, http.Header{name: {value}}
		if method != http.MethodGet && method != http.MethodPost {
			return
		}
		got := w.told(req)
		if len(w.queued) > 0 && value != secret(okta, 1) || w.last.Status >= http.StatusInternalServerError {
			t.Errorf("got %s", got)
		}
		if got := w.told(w.webhook(body, 1)); w.last.Status == http.StatusUnauthorized || w.last.Status >= http.StatusInternalServerError {
			t.Errorf("signed: got %s", got)
		}
	})
}
