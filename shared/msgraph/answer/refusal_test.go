package answer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// The fixtures, and codes as only an attacker or a broken gateway sends them.
func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, code string }{
		{"403", file(t, "error-403.json"), "Authorization_RequestDenied"},
		{"404", file(t, "error-404.json"), "Request_ResourceNotFound"},
		{"429, whose inner code is the status", file(t, "error-429.json"), "TooManyRequests"},
		{"documented spelling", `{"error":{"code":"a","innererror":{"code":"b"}}}`, "b"},
		{"in the inner error alone", `{"error":{"innerError":{"code":"syncStateNotFound"}}}`, "syncStateNotFound"},
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
			if e := discreet(t, said(http.StatusForbidden, tt.body).Refusal()); e.Code != tt.code || !e.NotDone {
				t.Errorf("error %+v, want code %q", e, tt.code)
			}
		})
	}
}

// The id in the error is the second choice.
func TestRequestID(t *testing.T) {
	t.Parallel()
	got := said(http.StatusForbidden, file(t, "error-403.json"))
	if id := discreet(t, got.Refusal()).RequestID; id != got.Header.Get(answer.RequestID) {
		t.Errorf("request id %q, want that of the header", id)
	}
	got.Header = nil
	if id, want := discreet(t, got.Refusal()).RequestID, "2f6a1c3e-5a4b-4a39-9a3f-0b1a7de6c002"; id != want {
		t.Errorf("request id %q, want %q", id, want)
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
			{`0.249`, time.Second},
			{`"2.128"`, 3 * time.Second},
			{`"119.5"`, 2 * time.Minute},
			{`"0,120"`, time.Second},
			{`"7.000"`, 7 * time.Second},
			{`"1e3"`, 0},
			{`"1.2.3"`, 0},
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
				part := `{"id":"1","status":429,"headers":{"` + name + `":` + tt.value + `}}`
				parts, err := answer.Parts(said(http.StatusOK, batchOf(part)), 1)
				if err != nil {
					t.Fatal(err)
				}
				if e := discreet(t, parts[0].Err); e.RetryAfter != tt.want || !e.Throttled() {
					t.Errorf("%s: %s is %v, want %v", name, tt.value, e.RetryAfter, tt.want)
				}
			}
		}
	})
}

// Graph's own text, whole, in one line, without the secret.
func TestMessages(t *testing.T) {
	t.Parallel()
	failed := "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
	tests := []struct{ name, body, want string }{
		{"outer", `{"error":{"code":"ValidationError","message":"` + failed + `","innerError":{"message":"inner"}}}`, failed},
		{"inner", `{"error":{"code":"","message":"","innerError":{"code":"ExtensionError","message":"Operation: Create; Exception: [Status Code: Forbidden]"}}}`,
			"Operation: Create; Exception: [Status Code: Forbidden]"},
		{"lines", `{"error":{"message":" a\r\n\tb\u001b[31m\u2028c "}}`, "a b [31m c"},
		{"clientState", `{"error":{"message":"'` + clientState + `' is not like ` + clientState + `"}}`, "'[clientState]' is not like [clientState]"},
		{"book", `{"error":{"message":"` + strings.Repeat("a", 3000) + clientState + `"}}`, ""},
		{"number", `{"error":{"message":7,"innerError":{"message":"inner"}}}`, "inner"},
		{"nothing", ``, ""},
		{"text", `"` + clientState + `"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := answer.Redact(said(http.StatusBadRequest, tt.body).Message(), clientState); got != tt.want {
				t.Errorf("message %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTokenRefusal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		status     int
		want       directory.Error
		// credential and federation are whether it is about one.
		credential, federation bool
	}{
		{
			name: "wrong secret", status: http.StatusUnauthorized,
			body:       `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.","correlation_id":"9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"}`,
			want:       directory.Error{Code: "AADSTS7000215", RequestID: "9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"},
			credential: true,
		},
		{
			name: "expired secret, status of another kind", status: http.StatusBadRequest,
			body:       `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}`,
			want:       directory.Error{Code: "AADSTS7000222"},
			credential: true,
		},
		{name: "no number", status: http.StatusBadRequest, body: `{"error":"invalid_client"}`, want: directory.Error{Code: "invalid_client"}, credential: true},
		{name: "unknown app", status: http.StatusBadRequest, body: `{"error":"unauthorized_client","error_description":"AADSTS700016: Application not found."}`, want: directory.Error{Code: "AADSTS700016"}},
		{
			name: "unknown certificate, status of another kind", status: http.StatusBadRequest,
			body: `{"error":"invalid_request","error_description":"AADSTS700027: The certificate is not registered."}`,
			want: directory.Error{Code: "AADSTS700027"}, credential: true,
		},
		{
			name: "no federated credential", status: http.StatusBadRequest,
			body: `{"error":"invalid_request","error_description":"AADSTS70021: No matching federated identity record found."}`,
			want: directory.Error{Code: "AADSTS70021"}, credential: true, federation: true,
		},
		{
			name: "case of the subject", status: http.StatusUnauthorized,
			body: `{"error":"invalid_client","error_description":"AADSTS7002138: No matching federated identity record found."}`,
			want: directory.Error{Code: "AADSTS7002138"}, credential: true, federation: true,
		},
		{
			name: "key that is not published", status: http.StatusUnauthorized,
			body: `{"error":"invalid_client","error_description":"AADSTS7000272: The certificate with identifier 0A could not be found in the metadata."}`,
			want: directory.Error{Code: "AADSTS7000272"}, credential: true, federation: true,
		},
		{name: "issuer out of reach", status: http.StatusBadRequest, body: `{"error_description":"AADSTS501661: Request to External OIDC endpoint failed."}`, want: directory.Error{Code: "AADSTS501661"}},
		{
			name: "certificate out of its time, status of another kind", status: http.StatusBadRequest,
			body: `{"error":"invalid_request","error_description":"AADSTS1000502: The certificate is not within its validity period."}`,
			want: directory.Error{Code: "AADSTS1000502"}, credential: true,
		},
		{name: "app disabled", status: http.StatusBadRequest, body: `{"error":"unauthorized_client","error_description":"AADSTS7000112: Application is disabled."}`, want: directory.Error{Code: "AADSTS7000112"}},
		{name: "principals", status: http.StatusBadRequest, body: `{"error":"` + principal + `","error_description":"` + principal + `","correlation_id":"` + principal + `"}`},
		{name: "HTML", status: http.StatusServiceUnavailable, body: `<html>` + principal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := discreet(t, said(tt.status, tt.body).TokenRefusal())
			tt.want.Operation, tt.want.StatusCode, tt.want.NotDone = "anyCall", tt.status, true
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if answer.CredentialRefused(got) != tt.credential {
				t.Errorf("credential refused: %t, want %t", !tt.credential, tt.credential)
			}
			if answer.FederationRefused(got) != tt.federation {
				t.Errorf("federation refused: %t, want %t", !tt.federation, tt.federation)
			}
		})
	}
}

// Whatever a refusal says, its error tells a code, ids and a bounded wait, and is
// certain only where Graph documents it. The text is one line without the secret.
func FuzzRefusal(f *testing.F) {
	f.Add(403, "", file(f, "error-403.json"))
	f.Add(404, "soon", file(f, "error-404.json"))
	f.Add(429, "7", file(f, "error-429.json"))
	f.Add(503, "Sun, 24 May 2026 22:24:33 GMT", `<html>`)
	f.Add(400, "-1", `{"error":{"message":"`+clientState+`","innerError":{"code":"a","innererror":{"code":"`+principal+`"}}}}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		got := said(status, body)
		got.Header.Set("Retry-After", retryAfter)
		e := discreet(t, got.Refusal())
		if e.StatusCode != status || e.NotDone && (status < 400 || status > 429) {
			t.Errorf("error %+v of the status %d", e, status)
		}
		message := answer.Redact(got.Message(), clientState)
		if strings.Contains(message, clientState) || strings.ContainsAny(message, "\r\n\t\x1b") || message != answer.OneLine(message) {
			t.Errorf("message %q", message)
		}
	})
}

// Whatever the token endpoint answers, its error tells a code and an id, and that
// nothing was done.
func FuzzTokenRefusal(f *testing.F) {
	f.Add(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid.","correlation_id":"9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"}`)
	f.Add(400, `{"error":7,"error_description":"AADSTS12345678901"}`)
	f.Add(503, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := discreet(t, said(status, body).TokenRefusal())
		if !e.NotDone || e.StatusCode != status {
			t.Errorf("error %+v", e)
		}
		if text := fmt.Sprint(e); strings.Contains(text, "\n") {
			t.Errorf("error of several lines: %q", text)
		}
	})
}
