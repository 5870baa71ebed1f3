package msgraph_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// file returns the content of a file in testdata.
func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b))
}

// golden compares a body with the file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if diff := cmp.Diff(file(t, name), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func mustRead(t *testing.T, c *msgraph.Client, ids []string) []directory.Read {
	t.Helper()
	reads, err := c.ReadUsers(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return reads
}

func mustRevoke(t *testing.T, c *msgraph.Client, ids []string) []error {
	t.Helper()
	errs, err := c.RevokeSignInSessions(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return errs
}

// The exact bodies, because Graph is strict about them: relative addresses, a body
// with its type for every post, distinct ids.
func TestBatchBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		golden string
		call   func(*msgraph.Client) error
	}{
		{"batch-read.golden.json", func(c *msgraph.Client) error {
			_, err := c.ReadUsers(t.Context(), userIDs(2))
			return err
		}},
		{"batch-revoke.golden.json", func(c *msgraph.Client) error {
			_, err := c.RevokeSignInSessions(t.Context(), userIDs(2))
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusOK, batchOf(partOf(1, 404, `{}`), partOf(2, 404, `{}`)))
			if err := tt.call(clientOf(t, graph)); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.golden, graph.bodies[0])
			if got, want := graph.seen[0].URL.String(), "https://graph.microsoft.com/v1.0/$batch"; got != want {
				t.Errorf("sent to %s, want %s", got, want)
			}
		})
	}
}

// userJSON is a user as Graph answers, but for the stamp.
func userJSON(id, stamp string) string {
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users/$entity","id":"` + id + `",` +
		`"userPrincipalName":"` + principal + `","userType":"Member","creationType":null,"externalUserState":null,` +
		`"createdDateTime":"2026-05-25T07:24:30+09:00",` + stamp + `"displayName":null}`
}

func TestReadUsers(t *testing.T) {
	t.Parallel()
	ids := userIDs(msgraph.MaxBatch)
	var parts []string
	for i, id := range ids {
		parts = append(parts, partOf(i+1, http.StatusOK, userJSON(strings.ToUpper(id), "")))
	}
	slices.Reverse(parts) // Graph answers in any order.
	graph := answers(http.StatusOK, batchOf(parts...))
	reads, err := clientOf(t, graph).ReadUsers(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	var want []directory.Read
	for _, id := range ids {
		want = append(want, directory.Read{User: directory.User{
			ID:                id,
			UserPrincipalName: principal,
			UserType:          "Member",
			Created:           time.Date(2026, 5, 24, 22, 24, 30, 0, time.UTC),
		}})
	}
	if diff := cmp.Diff(want, reads); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	if n := graph.requests(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// The $batch of the documentation: unordered, with a part throttled and one unknown.
func TestRevokeSignInSessions(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, file(t, "../answer/testdata/batch-response.json"))
	errs, err := clientOf(t, graph).RevokeSignInSessions(t.Context(), userIDs(4))
	if err != nil {
		t.Fatal(err)
	}
	if errs[0] != nil {
		t.Errorf("the first user: %v", errs[0])
	}
	want := []*directory.Error{
		{Operation: "revokeSignInSessions", StatusCode: 404, Code: "Request_ResourceNotFound", NotDone: true},
		{Operation: "revokeSignInSessions", StatusCode: 429, Code: "TooManyRequests", RetryAfter: 7 * time.Second, NotDone: true},
		{Operation: "revokeSignInSessions"},
	}
	for i, w := range want {
		got := graphError(t, errs[i+1])
		w.RequestID = "2f6a1c3e-5a4b-4a39-9a3f-0b1a7de6cfff"
		w.ClientRequestID = graph.seen[0].Header.Get("client-request-id")
		if diff := cmp.Diff(w, got, cmpopts.IgnoreFields(directory.Error{}, "Err")); diff != "" {
			t.Errorf("user %d (-want +got):\n%s", i+1, diff)
		}
	}
}

func TestIDsAreCheckedFirst(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		ids  []string
	}{
		{"none", nil},
		{"too many", userIDs(msgraph.MaxBatch + 1)},
		{"principal", []string{userID(0), principal}},
		{"path", []string{"../domains"}},
		{"path in a GUID", []string{"0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f/../"}},
		{"query", []string{"0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0?=1"}},
		{"braces", []string{"{" + userID(0) + "}"}},
		{"empty", []string{""}},
		{"twice", []string{userID(0), userID(1), userID(0)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusOK, batchOf())
			client := clientOf(t, graph)
			_, readErr := client.ReadUsers(t.Context(), tt.ids)
			_, revokeErr := client.RevokeSignInSessions(t.Context(), tt.ids)
			for _, err := range []error{readErr, revokeErr} {
				if e := graphError(t, err); !e.NotDone {
					t.Errorf("%v: NotDone is not set", e)
				}
			}
			if n := graph.requests(); n != 0 {
				t.Errorf("%d requests, want none", n)
			}
		})
	}
}
