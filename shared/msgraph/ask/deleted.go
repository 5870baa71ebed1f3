package ask

import (
	"context"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// Deleted tells whether an app of that client id was deleted and can be restored, which Entra
// allows for 30 days. Errors are *directory.Error. See [List deletedItems]: it needs [ReadApps].
//
// [List deletedItems]: https://learn.microsoft.com/graph/api/directory-deleteditems-list
func (c *Client) Deleted(ctx context.Context, clientID string) (bool, error) {
	got, err := c.get(ctx, opListDeleted, "/directory/deletedItems/microsoft.graph.application?$select=id,appId,displayName")
	apps, err := list(ctx, c, got, err, reply.App)
	return slices.ContainsFunc(apps, func(a directory.App) bool { return a.ClientID == clientID }), err
}
