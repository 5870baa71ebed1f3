package directory_test

import (
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Graph's text is for the administrator who asks for it, not for every log.
func TestErrorDoesNotTellTheMessage(t *testing.T) {
	t.Parallel()
	e := &directory.Error{Operation: "createSubscription", StatusCode: 400, Code: "ValidationError", Message: "a text"}
	if got, want := e.Error(), "createSubscription: status 400 ValidationError"; got != want || strings.Contains(got, e.Message) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The id has the name under which it is found again: in Entra's sign-in log, or by
// Graph's support.
func TestIDs(t *testing.T) {
	t.Parallel()
	for want, operation := range map[string]string{
		"token: status 401 (correlation id c0rr-1)":       directory.Token,
		"certificate: status 401 (correlation id c0rr-1)": directory.Certificate,
		"listDomains: status 401 (request-id c0rr-1)":     "listDomains",
	} {
		e := &directory.Error{Operation: operation, StatusCode: 401, RequestID: "c0rr-1"}
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
