package answer_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// principal is the user principal name of every user in these tests, and
// clientState the secret of every subscription. They must not turn up in an error.
const (
	principal   = "hanako@example.co.jp"
	clientState = "a-secret-that-travels-alone"
)

// pages are those of the global cloud.
var pages = answer.Pages{Host: "graph.microsoft.com"}

// userID returns the object id of the nth user.
func userID(n int) string { return fmt.Sprintf("0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f%04x", n) }

// said is what Graph said to a call that the tests do not name.
func said(status int, body string) answer.Answer {
	return answer.Answer{
		Operation: "anyCall",
		Status:    status,
		Header: http.Header{
			answer.RequestID:       {"2f6a1c3e-5a4b-4a39-9a3f-0b1a7de6cfff"},
			answer.ClientRequestID: {"c5a4b1f3-0a37-4d14-8d4f-5a3a25c60b52"},
		},
		Body: []byte(body),
	}
}

// file returns the content of a file in testdata.
func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b))
}

// batchOf returns the answer to a $batch with these parts.
func batchOf(parts ...string) string { return `{"responses":[` + strings.Join(parts, ",") + `]}` }

// partOf returns a part of a $batch.
func partOf(number, status int, body string) string {
	return fmt.Sprintf(`{"id":"%d","status":%d,"headers":{"Content-Type":"application/json"},"body":%s}`, number, status, body)
}

// userJSON is a user as Graph answers, with further properties.
func userJSON(id, properties string) string {
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users/$entity","id":"` + id + `",` +
		`"userPrincipalName":"` + principal + `","userType":"Member","creationType":null,"externalUserState":null,` +
		`"createdDateTime":"2026-05-25T07:24:30+09:00",` + properties + `"displayName":null}`
}

// pageOf is a page with these items, after which follows what the links say.
func pageOf(links string, items ...string) string {
	return `{"@odata.context":"c",` + links + `"value":[` + strings.Join(items, ",") + `]}`
}

const (
	thenNext  = `"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=three",`
	thenDelta = `"@odata.deltaLink":"https://graph.microsoft.com/v1.0/users/delta?$deltatoken=three",`
)

// wrong are all that can be wrong with an answer of success.
var wrong = []error{
	answer.ErrShape, answer.ErrNoPart, answer.ErrTwoParts, answer.ErrOtherUser, answer.ErrAddress, answer.ErrEndless, directory.ErrNoLicence,
}

// discreet returns err as a *directory.Error. It fails the test if err is none, or
// tells more of an answer than its status and what looks like a code or an id.
func discreet(t testing.TB, err error) *directory.Error {
	t.Helper()
	var e *directory.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *directory.Error", err, err)
	}
	if e.Err != nil && !slices.Contains(wrong, e.Err) {
		t.Errorf("the cause %q is not one of the fixed texts", e.Err)
	}
	for _, told := range []string{e.Code, e.RequestID, e.ClientRequestID} {
		if strings.ContainsFunc(told, func(r rune) bool {
			return !strings.ContainsRune("-_.", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) || len(told) > 128 {
			t.Errorf("%q is neither a code nor an id", told)
		}
	}
	if e.Message != "" {
		t.Errorf("message %q", e.Message)
	}
	if e.RetryAfter < 0 || e.RetryAfter > answer.MaxRetryAfter {
		t.Errorf("retry after %s", e.RetryAfter)
	}
	return e
}
