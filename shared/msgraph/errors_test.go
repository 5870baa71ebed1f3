package msgraph_test

import (
	"fmt"
	"net/http"
	"testing"
)

// NotDone must be set only for a refusal, both of a whole $batch and of a part:
// the revoker sends again what was not done.
func TestNotDone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{
		400: true, 401: true, 403: true, 404: true, 405: true, 411: true, 424: true, 429: true,
		301: false, 307: false, 408: false, 409: false, 410: false, 412: false, 418: false, 423: false,
		500: false, 501: false, 502: false, 503: false, 504: false, 507: false, 509: false,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			body := `{"error":{"code":"Some_Code","message":"` + principal + `"}}`
			whole := answers(status, body)
			_, err := clientOf(t, whole).RevokeSignInSessions(t.Context(), userIDs(2))
			checkNotDone(t, err, status, want)
			if n := whole.requests(); n != 1 {
				t.Errorf("the $batch was sent %d times", n)
			}
			parts := answers(http.StatusOK, batchOf(partOf(1, status, body)))
			errs, err := clientOf(t, parts).RevokeSignInSessions(t.Context(), userIDs(1))
			if err != nil {
				t.Fatal(err)
			}
			checkNotDone(t, errs[0], status, want)
		})
	}
}

func checkNotDone(t *testing.T, err error, status int, want bool) {
	t.Helper()
	e := graphError(t, err)
	if e.StatusCode != status || e.NotDone != want || e.Code != "Some_Code" {
		t.Errorf("error %+v, want status %d, NotDone %t", e, status, want)
	}
}

// What we called the request is more certain than what the answer repeats.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	graph := &fake{answer: func(*http.Request) (*http.Response, error) {
		resp := response(http.StatusForbidden, `{}`)
		resp.Header.Set("client-request-id", "of somebody else")
		return resp, nil
	}}
	_, err := clientOf(t, graph).ReadUsers(t.Context(), userIDs(1))
	e := graphError(t, err)
	if want := graph.seen[0].Header.Get("client-request-id"); e.ClientRequestID != want || want == "" || e.RequestID == "" {
		t.Errorf("ids %q and %q, want %q", e.RequestID, e.ClientRequestID, want)
	}
}
