package answer

import (
	"encoding/json"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Domains reads a page of [List domains] and the address of the next, which is empty
// after the last. One domain that cannot be read fails the page: taken for none, it would
// say that its users are not federated. Errors are [*directory.Error].
//
// [List domains]: https://learn.microsoft.com/graph/api/domain-list
func (p Pages) Domains(a Answer) (page []directory.Domain, next string, err error) {
	return ReadAll(p, a, readDomain)
}

// readDomain reads a [domain resource], as far as it is used.
//
// [domain resource]: https://learn.microsoft.com/graph/api/resources/domain
func readDomain(body []byte) (directory.Domain, error) {
	var w struct {
		ID                 string `json:"id"`
		AuthenticationType string `json:"authenticationType"`
		Verified           bool   `json:"isVerified"`
	}
	if json.Unmarshal(body, &w) != nil || w.ID == "" {
		return directory.Domain{}, ErrShape
	}
	return directory.Domain{
		Name:      strings.ToLower(w.ID),
		Federated: strings.EqualFold(w.AuthenticationType, "Federated"),
		Verified:  w.Verified,
	}, nil
}
