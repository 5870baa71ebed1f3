package answer

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// userODataType is the type of users.
const userODataType = "#microsoft.graph.user"

// member is a [directoryObject] of any type.
//
// [directoryObject]: https://learn.microsoft.com/graph/api/resources/directoryobject
type member struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
}

// Members reads a page of [List group transitive members], which was found at the
// address asked; that is empty for the first page. It returns the object ids of the
// users among the members, and the address of the next page, which is empty after
// the last. A member whose type Graph does not tell counts as a user.
//
// Unlike a page of users, one member who cannot be read, or has no object id, fails
// the page: a group is there to spare its members, and whoever is passed over would
// be signed out. Errors are [*directory.Error].
//
// [List group transitive members]: https://learn.microsoft.com/graph/api/group-list-transitivemembers
func (p Pages) Members(a Answer, asked string) (ids []string, next string, err error) {
	list, err := readCollection[member](p, a.Body, asked)
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	members, err := each(list, member.checked)
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	for _, m := range members {
		if m.Type == "" || strings.EqualFold(m.Type, userODataType) {
			ids = append(ids, m.ID)
		}
	}
	return ids, list.Next, nil
}

// checked is the member with its id in normal form, or ErrShape.
func (m member) checked() (member, error) {
	m.ID = strings.ToLower(m.ID)
	if !directory.IsID(m.ID) {
		return member{}, ErrShape
	}
	return m, nil
}
