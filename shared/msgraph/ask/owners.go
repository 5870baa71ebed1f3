package ask

import (
	"context"
	"slices"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// possession is something that has owners: its address, and the id in it.
type possession struct{ path, id string }

// possessions are the application and its service principal. Each has owners of its own.
func possessions(app directory.App) []possession {
	all := []possession{{"/applications/{id}/owners", app.ID}}
	if app.PrincipalID != "" {
		all = append(all, possession{"/servicePrincipals/{id}/owners", app.PrincipalID})
	}
	return all
}

// owners are those of all possessions, sorted. They are listed rather than expanded: $expand
// ends after [20 objects], and does not say so.
//
// [20 objects]: https://learn.microsoft.com/graph/query-parameters#expand
func (c *Client) owners(ctx context.Context, app directory.App) (all []string, _ error) {
	for _, p := range possessions(app) {
		some, err := c.ownersOf(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// ownersOf is https://learn.microsoft.com/graph/api/application-list-owners and
// https://learn.microsoft.com/graph/api/serviceprincipal-list-owners.
func (c *Client) ownersOf(ctx context.Context, p possession) ([]string, error) {
	got, err := c.get(ctx, opListOwners, p.path+"?$select=id", "id", p.id)
	return list(ctx, c, got, err, reply.OwnerID)
}

// Disown takes an owner, by object id, from the app and its service principal. One that is none
// is no error. Of app, ID and PrincipalID are needed. Errors are *directory.Error. See [Remove
// application owner] and [Remove servicePrincipal owner].
//
// [Remove application owner]: https://learn.microsoft.com/graph/api/application-delete-owners
// [Remove servicePrincipal owner]: https://learn.microsoft.com/graph/api/serviceprincipal-delete-owners
func (c *Client) Disown(ctx context.Context, app directory.App, owner string) error {
	for _, p := range possessions(app) {
		err := settle(ctx, func() error {
			owners, err := c.ownersOf(ctx, p)
			if err != nil || !slices.Contains(owners, owner) {
				return err
			}
			// Without $ref Graph would delete the user.
			_, err = c.write(ctx, opDisown, abstractions.DELETE, nil, p.path+"/{owner}/$ref", "id", p.id, "owner", owner)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
