package msgraph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/domains"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Domains returns all domains of the tenant. Errors are *directory.Error.
//
// It needs the permission Domain.Read.All.
func (c *Client) Domains(ctx context.Context) ([]directory.Domain, error) {
	info, err := domains.NewDomainsRequestBuilderInternal(c.pathParameters(), c.adapter).ToGetRequestInformation(ctx, nil)
	first, err := c.Read(ctx, opDomains, info, err)
	return ReadAll(ctx, c, first, err, c.pages.Domains)
}
