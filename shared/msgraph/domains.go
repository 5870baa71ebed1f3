package msgraph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/domains"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// maxDomainPages bounds the pages followed. A tenant has at most 5,000 domains, and
// Graph's usual page has a hundred.
const maxDomainPages = 50

// Domains returns all domains of the tenant. Errors are *directory.Error.
//
// It needs the permission Domain.Read.All.
func (c *Client) Domains(ctx context.Context) ([]directory.Domain, error) {
	var all []directory.Domain
	request := domains.NewDomainsRequestBuilderInternal(c.pathParameters(), c.adapter)
	for range maxDomainPages {
		page, next, err := c.domainPage(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" {
			return all, nil
		}
		request = request.WithUrl(next)
	}
	return nil, &directory.Error{Operation: opDomains, Err: answer.ErrEndless}
}

// domainPage reads a page of domains and the address of the next, if there is one.
func (c *Client) domainPage(ctx context.Context, request *domains.DomainsRequestBuilder) (page []directory.Domain, next string, err error) {
	info, err := request.ToGetRequestInformation(ctx, nil)
	if err != nil {
		return nil, "", &directory.Error{Operation: opDomains, NotDone: true, Err: err}
	}
	got, err := c.send(ctx, opDomains, info)
	if err != nil {
		return nil, "", err
	}
	return c.pages.Domains(got)
}
