package msgraph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/domains"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// maxDomainPages bounds the pages followed. A tenant has at most 5,000 domains, and
// Graph's usual page has a hundred.
const maxDomainPages = 50

// Domains returns all domains of the tenant. Errors are *directory.Error.
//
// It needs the permission Domain.Read.All.
func (c *Client) Domains(ctx context.Context) ([]directory.Domain, error) {
	info, err := domains.NewDomainsRequestBuilderInternal(c.pathParameters(), c.adapter).ToGetRequestInformation(ctx, nil)
	if err != nil {
		return nil, unsent(opDomains, err)
	}
	return readAll(ctx, c, opDomains, info, maxDomainPages, c.pages.Domains)
}
