package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err               directory.Error
		expired, conflict bool
	}{
		{directory.Error{StatusCode: 410, Code: "resyncRequired"}, true, false},
		{directory.Error{StatusCode: 410}, true, false},
		{directory.Error{StatusCode: 400, Code: "syncStateNotFound"}, true, false},
		{directory.Error{StatusCode: 404, Code: "SyncStateNotFound"}, true, false},
		{directory.Error{StatusCode: 400, Code: "Directory_ExpiredPageToken"}, true, false},
		{directory.Error{StatusCode: 400, Code: "DirectoryPageTokenNotFoundException"}, true, false},
		{directory.Error{StatusCode: 404, Code: "Request_ResourceNotFound"}, false, false},
		{directory.Error{StatusCode: 400, Code: "Request_UnsupportedQuery"}, true, false},
		{directory.Error{StatusCode: 400, Code: "BadRequest"}, false, false},
		{directory.Error{StatusCode: 409, Code: "Conflict"}, false, true},
		{directory.Error{}, false, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.err.StatusCode, tt.err.Code), func(t *testing.T) {
			t.Parallel()
			if got := tt.err.Expired(); got != tt.expired {
				t.Errorf("Expired %t, want %t", got, tt.expired)
			}
			if got := tt.err.Conflict(); got != tt.conflict {
				t.Errorf("Conflict %t, want %t", got, tt.conflict)
			}
		})
	}
}

// Graph's text is for the administrator who asks for it, not for every log.
func TestErrorDoesNotTellTheMessage(t *testing.T) {
	t.Parallel()
	e := &directory.Error{Operation: "createSubscription", StatusCode: 400, Code: "ValidationError", Message: "a text"}
	if got, want := e.Error(), "createSubscription: status 400 ValidationError"; got != want || strings.Contains(got, e.Message) {
		t.Errorf("%q, want %q", got, want)
	}
}
