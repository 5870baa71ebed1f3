package msgraph

import (
	"context"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/domains"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/sessionstamp/sessionstamp/shared/directory"
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
	return nil, &directory.Error{Operation: opDomains, Err: errEndless}
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
	page, next, err = parseDomains(got.body)
	if err == nil && next != "" && !c.serves(next) {
		err = errNextLink
	}
	if err != nil {
		return nil, "", answerError(opDomains, got, err)
	}
	return page, next, nil
}

// parseDomains reads a page of [domain resources]. A page without its list is not
// an empty page: taken for one, it would say that nobody is federated.
//
// [domain resources]: https://learn.microsoft.com/graph/api/resources/domain
func parseDomains(body []byte) (page []directory.Domain, next string, err error) {
	parsed, err := parse[models.DomainCollectionResponseable](body, models.CreateDomainCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return nil, "", err
	}
	list := parsed.GetValue()
	if list == nil {
		return nil, "", errShape
	}
	for _, d := range list {
		if d == nil || value(d.GetId()) == "" {
			return nil, "", errShape
		}
		page = append(page, directory.Domain{
			Name:      strings.ToLower(value(d.GetId())),
			Federated: strings.EqualFold(value(d.GetAuthenticationType()), "Federated"),
			Verified:  value(d.GetIsVerified()),
		})
	}
	return page, value(parsed.GetOdataNextLink()), nil
}
