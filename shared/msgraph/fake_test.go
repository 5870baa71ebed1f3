package msgraph_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// principal is the user principal name of every user in these tests. It must not
// turn up in an error.
const principal = "hanako@example.co.jp"

// userID returns the object id of the nth user.
func userID(n int) string { return fmt.Sprintf("0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f%04x", n) }

// userIDs returns n object ids.
func userIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = userID(i)
	}
	return ids
}

// fake is a Graph that gives the answers it is told to. The emulator in msgraphtest
// is as correct as Graph; fake is as wrong as a test needs it.
type fake struct {
	answer func(*http.Request) (*http.Response, error)

	mu     sync.Mutex
	seen   []*http.Request
	bodies []string
}

// answers returns a fake that always answers status and body as JSON.
func answers(status int, body string) *fake {
	return &fake{answer: func(*http.Request) (*http.Response, error) { return response(status, body), nil }}
}

// fails returns a fake that never answers.
func fails(err error) *fake {
	return &fake{answer: func(*http.Request) (*http.Response, error) { return nil, err }}
}

// RoundTrip implements http.RoundTripper.
func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	f.mu.Lock()
	f.seen = append(f.seen, req)
	f.bodies = append(f.bodies, string(body))
	f.mu.Unlock()
	return f.answer(req)
}

// requests returns how many requests came.
func (f *fake) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

// response returns an answer as Graph's front door gives it.
func response(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Header: http.Header{
			"Content-Type": {"application/json"},
			"Request-Id":   {"2f6a1c3e-5a4b-4a39-9a3f-0b1a7de6cfff"},
		},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// batchOf returns the answer to a $batch with these parts.
func batchOf(parts ...string) string { return `{"responses":[` + strings.Join(parts, ",") + `]}` }

// partOf returns a part of a $batch.
func partOf(number, status int, body string) string {
	return fmt.Sprintf(`{"id":"%d","status":%d,"headers":{"Content-Type":"application/json"},"body":%s}`, number, status, body)
}

// cloudNamed returns the cloud of that name.
func cloudNamed(t testing.TB, name string) msgraph.Cloud {
	t.Helper()
	c, err := msgraph.CloudByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// both carries what goes to Entra, and what goes to Graph.
type both struct{ entra, graph http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b both) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.Host, "login.") {
		return b.entra.RoundTrip(req)
	}
	return b.graph.RoundTrip(req)
}

// clientOf returns a client of the global cloud whose requests go to transport.
func clientOf(t testing.TB, transport http.RoundTripper) *msgraph.Client {
	t.Helper()
	return signedInTo(t, &entra{}, transport, bySecret(secret))
}

// graphError returns err as a *directory.Error, and fails the test if it is none or
// names the user.
func graphError(t testing.TB, err error) *directory.Error {
	t.Helper()
	if strings.Contains(fmt.Sprint(err), "hanako") {
		t.Errorf("error %q names the user", err)
	}
	var e *directory.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *directory.Error", err, err)
	}
	return e
}
