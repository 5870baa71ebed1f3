package answer

import (
	"encoding/json"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// HiddenMembership is the visibility of a group whose members only members see.
const HiddenMembership = "HiddenMembership"

// MemberGroups reads the answer to [checkMemberGroups]: the object ids of those groups
// that were asked for and have the user as a member. One id that cannot be read fails the
// answer, because a group is there to spare its members. Errors are [*directory.Error].
//
// [checkMemberGroups]: https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
func MemberGroups(a Answer) ([]string, error) {
	var list struct {
		Value []string `json:"value"`
	}
	if json.Unmarshal(a.Body, &list) != nil || list.Value == nil {
		return nil, a.Distrust(ErrShape)
	}
	for i, id := range list.Value {
		list.Value[i] = strings.ToLower(id)
		if !directory.IsID(list.Value[i]) {
			return nil, a.Distrust(ErrShape)
		}
	}
	return list.Value, nil
}

// HidesMembers reads from the answer to [Get group] whether the group of that id hides
// its members. Errors are [*directory.Error].
//
// [Get group]: https://learn.microsoft.com/graph/api/group-get
func HidesMembers(a Answer, id string) (bool, error) {
	var group struct {
		ID         string `json:"id"`
		Visibility string `json:"visibility"`
	}
	if json.Unmarshal(a.Body, &group) != nil || !strings.EqualFold(group.ID, id) {
		return false, a.Distrust(ErrShape)
	}
	return strings.EqualFold(group.Visibility, HiddenMembership), nil
}
