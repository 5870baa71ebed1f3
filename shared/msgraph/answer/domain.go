package answer

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// wireDomain is a [domain resource], as far as it is used.
//
// [domain resource]: https://learn.microsoft.com/graph/api/resources/domain
type wireDomain struct {
	ID                 string `json:"id"`
	AuthenticationType string `json:"authenticationType"`
	Verified           bool   `json:"isVerified"`
}

// Domains reads a page of [List domains] and the address of the next, which is empty
// after the last. A page without its list is not an empty page, and one domain that
// cannot be read fails the page: taken for none, it would say that its users are not
// federated. Errors are [*directory.Error].
//
// [List domains]: https://learn.microsoft.com/graph/api/domain-list
func (p Pages) Domains(a Answer) (page []directory.Domain, next string, err error) {
	list, err := readCollection[wireDomain](p, a.Body, "")
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	page, err = each(list, wireDomain.domain)
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	return page, list.Next, nil
}

// domain is what was read, or ErrShape.
func (w wireDomain) domain() (directory.Domain, error) {
	if w.ID == "" {
		return directory.Domain{}, ErrShape
	}
	return directory.Domain{
		Name:      strings.ToLower(w.ID),
		Federated: strings.EqualFold(w.AuthenticationType, "Federated"),
		Verified:  w.Verified,
	}, nil
}
