package msgraph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
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

// The fixtures, and codes as only an attacker or a broken gateway sends them.
func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, code string }{
		{"403", file(t, "error-403.json"), "Authorization_RequestDenied"},
		{"404", file(t, "error-404.json"), "Request_ResourceNotFound"},
		{"429, whose inner code is the status", file(t, "error-429.json"), "TooManyRequests"},
		{"documented spelling", `{"error":{"code":"a","innererror":{"code":"b"}}}`, "b"},
		{"deeper", `{"error":{"code":"a","innererror":{"code":"b","innererror":{"code":"c"}}}}`, "c"},
		{"empty", `{"error":{"code":""}}`, ""},
		{"number", `{"error":{"code":7,"innererror":{"code":"b"}}}`, "b"},
		{"principal", `{"error":{"code":"` + principal + `","message":"` + principal + `"}}`, ""},
		{"long", `{"error":{"code":"` + strings.Repeat("a", 1000) + `"}}`, ""},
		{"text", `"` + principal + `"`, ""},
		{"HTML", `<html>` + principal + `</html>`, ""},
		{"nothing", ``, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := clientOf(t, answers(http.StatusForbidden, tt.body)).ReadUsers(t.Context(), userIDs(1))
			if e := graphError(t, err); e.Code != tt.code {
				t.Errorf("code %q, want %q", e.Code, tt.code)
			}
		})
	}
}

// Ids come from the headers of the answer, failing that from the error.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	graph := &fake{answer: func(*http.Request) (*http.Response, error) {
		resp := response(http.StatusForbidden, file(t, "error-403.json"))
		resp.Header.Del("Request-Id")
		resp.Header.Set("client-request-id", "of somebody else")
		return resp, nil
	}}
	_, err := clientOf(t, graph).ReadUsers(t.Context(), userIDs(1))
	e := graphError(t, err)
	if want := "2f6a1c3e-5a4b-4a39-9a3f-0b1a7de6c002"; e.RequestID != want {
		t.Errorf("request id %q, want %q", e.RequestID, want)
	}
	if want := graph.seen[0].Header.Get("client-request-id"); e.ClientRequestID != want || want == "" {
		t.Errorf("client request id %q, want %q", e.ClientRequestID, want)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		date := func(d time.Duration) string {
			return time.Now().Add(d).UTC().Format(http.TimeFormat)
		}
		tests := []struct {
			value string
			want  time.Duration
		}{
			{`"7"`, 7 * time.Second},
			{`" 7 "`, 7 * time.Second},
			{`7`, 7 * time.Second},
			{`"0"`, 0},
			{`"-7"`, 0},
			{`"7200"`, time.Hour},
			{`"99999999999999999999"`, 0},
			{`"soon"`, 0},
			{`null`, 0},
			{`{"a":7}`, 0},
			{`"` + date(90*time.Second) + `"`, 90 * time.Second},
			{`"` + date(-time.Hour) + `"`, 0},
			{`"` + date(48*time.Hour) + `"`, time.Hour},
		}
		for _, tt := range tests {
			for _, name := range []string{"Retry-After", "retry-after", "RETRY-AFTER"} {
				if got := partRetryAfter(t, name, tt.value); got.RetryAfter != tt.want || !got.Throttled() {
					t.Errorf("%s: %s is %v, want %v", name, tt.value, got.RetryAfter, tt.want)
				}
			}
		}
	})
}

// partRetryAfter returns the error of a part with that header.
func partRetryAfter(t *testing.T, name, value string) *directory.Error {
	t.Helper()
	part := `{"id":"1","status":429,"headers":{"` + name + `":` + value + `}}`
	errs, err := clientOf(t, answers(http.StatusOK, batchOf(part))).RevokeSignInSessions(t.Context(), userIDs(1))
	if err != nil {
		t.Fatal(err)
	}
	return graphError(t, errs[0])
}

// An envelope that is not the documented one fails the call, which may have been
// carried out.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null]`, `[]`, `"` + principal + `"`, `{"responses":{}}`, `{"responses":"x"}`, `<html>`} {
		_, err := clientOf(t, answers(http.StatusOK, body)).RevokeSignInSessions(t.Context(), userIDs(1))
		if e := graphError(t, err); e.NotDone || e.StatusCode != http.StatusOK {
			t.Errorf("%s: error %+v", body, e)
		}
	}
	for _, body := range []string{`{}`, `null`, `{"responses":null}`, `{"responses":[]}`} {
		errs, err := clientOf(t, answers(http.StatusOK, body)).RevokeSignInSessions(t.Context(), userIDs(1))
		if err != nil {
			t.Fatal(err)
		}
		if e := graphError(t, errs[0]); e.NotDone {
			t.Errorf("%s: error %+v", body, e)
		}
	}
}
