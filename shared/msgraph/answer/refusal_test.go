package answer_test

import (
	"errors"
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
			{`"1e3"`, 1000 * time.Second},
			{`"1.2.3"`, 0},
			{`"-7"`, 0},
			{`"7200"`, time.Hour},
			{`"99999999999999999999"`, time.Hour},
			{`"NaN"`, 0},
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
	for name, tt := range map[string]struct {
		body string
		want directory.Error
	}{
		"number": {
			`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.","correlation_id":"9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"}`,
			directory.Error{Code: "AADSTS7000215", RequestID: "9a3f0b1a-5a4b-4a39-9a3f-0b1a7de6c009"},
		},
		"no number":  {`{"error":"invalid_client"}`, directory.Error{Code: "invalid_client"}},
		"principals": {`{"error":"` + principal + `","error_description":"` + principal + `","correlation_id":"` + principal + `"}`, directory.Error{}},
		"HTML":       {`<html>` + principal, directory.Error{}},
	} {
		refusal := said(http.StatusBadRequest, tt.body)
		refusal.Header.Set("Retry-After", "3")
		tt.want.Operation, tt.want.StatusCode, tt.want.NotDone, tt.want.RetryAfter = "anyCall", 400, true, 3*time.Second
		if diff := cmp.Diff(tt.want, *discreet(t, refusal.TokenRefusal())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
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

// A tenant without a licence is told from an app without a right.
func TestNoLicence(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}`: true,
		`{"error":{"code":"Forbidden","message":"Your tenant is not licensed for this feature."}}`:                                                            true,
		`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`:                                     false,
		`<html>premium license</html>`: false,
	} {
		if got := errors.Is(said(http.StatusForbidden, body).Refusal(), directory.ErrNoLicence); got != want {
			t.Errorf("%s: no licence %t", body, got)
		}
		if e := said(http.StatusBadRequest, body).Refusal(); e.Err != nil {
			t.Errorf("%s: %v", body, e)
		}
	}
}
