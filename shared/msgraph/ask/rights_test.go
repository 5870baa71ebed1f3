package ask_test

import (
	"cmp"
	"context"
	"errors"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// firstOf is the error of a call, or of the only user it was about.
func firstOf(reads []directory.Read, err error) error {
	return cmp.Or(err, append(reads, directory.Read{})[0].Err)
}

// Whoever lacks a right is told which, and with no other the call succeeds.
func TestMissingRight(t *testing.T) {
	for name, tt := range map[string]struct {
		right string
		call  func(ctx context.Context, c *ask.Client) error
	}{
		"find by id": {"User.Read.All", func(ctx context.Context, c *ask.Client) error { return firstOf(c.FindUsers(ctx, userIDs(1))) }},
		"find by name": {"User.Read.All", func(ctx context.Context, c *ask.Client) error {
			return firstOf(c.FindUsers(ctx, []string{"hanako." + userID(0) + "@example.co.jp"}))
		}},
		"read":          {"User.Read.All", func(ctx context.Context, c *ask.Client) error { return firstOf(c.ReadUsers(ctx, userIDs(1))) }},
		"list":          {"User.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.UserPage(ctx, ""); return err }},
		"delta":         {"User.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.LatestDelta(ctx); return err }},
		"domains":       {"Domain.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.Domains(ctx); return err }},
		"group by id":   {"GroupMember.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.FindGroups(ctx, groupID); return err }},
		"group by name": {"GroupMember.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.FindGroups(ctx, "g"); return err }},
		"members": {"GroupMember.Read.All", func(ctx context.Context, c *ask.Client) error {
			_, _, err := c.TransitiveMembers(ctx, groupID, "")
			return err
		}},
		"member of": {"GroupMember.Read.All", func(ctx context.Context, c *ask.Client) error {
			got, err := c.MemberOf(ctx, userIDs(1), []string{groupID})
			return cmp.Or(err, append(got, directory.Membership{})[0].Err)
		}},
		"revoke": {"User.RevokeSessions.All", func(ctx context.Context, c *ask.Client) error {
			got, err := c.RevokeSignInSessions(ctx, userIDs(1))
			return cmp.Or(err, errors.Join(got...))
		}},
		"names":        {"Directory.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.Names(ctx, userIDs(1)); return err }},
		"organization": {"User.Read.All", func(ctx context.Context, c *ask.Client) error { _, err := c.Organization(ctx); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, "Any.Other")
				graph.tenant.AddGroup(groupID, userID(0))
				graph.tenant.SetGroup(groupID, "g", false)
				if err := tt.call(t.Context(), graph.client); ask.MissingRight(err) != tt.right {
					t.Errorf("%v: missing %q, want %q", err, ask.MissingRight(err), tt.right)
				}
				if err := tt.call(t.Context(), graph.app(t, userID(0xffff), tt.right)); err != nil {
					t.Errorf("with %s: %v", tt.right, err)
				}
			})
		})
	}
}

// Me is of a person alone.
func TestMissingRightOfMe(t *testing.T) {
	t.Parallel()
	for operation, tt := range map[string]struct {
		err  directory.Error
		want string
	}{
		"getMe":     {directory.Error{StatusCode: 403}, "User.Read"},
		"findUser":  {directory.Error{StatusCode: 403, Err: directory.ErrNoLicence}, ""},
		"findGroup": {directory.Error{StatusCode: 404}, ""},
		"anyOther":  {directory.Error{StatusCode: 403}, ""},
	} {
		tt.err.Operation = operation
		if got := ask.MissingRight(&tt.err); got != tt.want {
			t.Errorf("%s: missing %q, want %q", operation, got, tt.want)
		}
	}
	if got := ask.MissingRight(errDenied); got != "" {
		t.Errorf("missing %q", got)
	}
}
