package answer

import (
	"encoding/json"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// FoundUsers reads a page of [List users] that was asked for by name, and the address of the
// next. Unlike [Pages.Users] it fails where one user cannot be read: taken for none, another
// would seem to be the only one of that name. Errors are [*directory.Error].
//
// [List users]: https://learn.microsoft.com/graph/api/user-list
func (p Pages) FoundUsers(a Answer) ([]directory.User, string, error) {
	return readAll(p, a, func(body []byte) (directory.User, error) {
		user, removed, err := readUser(body)
		if removed {
			err = ErrShape
		}
		return user, err
	})
}

// AnyUser reads the user from the answer to [user: get], whoever it is. Errors are
// [*directory.Error].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func AnyUser(a Answer) (directory.User, error) {
	user, _, err := readUser(a.Body)
	if err != nil {
		return directory.User{}, a.Distrust(err)
	}
	return user, nil
}

// Names reads the answer to [getByIds]. What cannot be read has no ID: it is for a screen,
// and spoils no other. Errors are [*directory.Error].
//
// [getByIds]: https://learn.microsoft.com/graph/api/directoryobject-getbyids
func (p Pages) Names(a Answer) ([]directory.Name, string, error) {
	return readAll(p, a, func(body []byte) (directory.Name, error) {
		o, _ := readObject(body)
		return directory.Name{ID: o.ID, DisplayName: OneLine(o.DisplayName), UserPrincipalName: OneLine(o.UserPrincipalName)}, nil
	})
}

// Groups reads a page of [List groups] and the address of the next. One group that cannot be
// read fails the page. Errors are [*directory.Error].
//
// [List groups]: https://learn.microsoft.com/graph/api/group-list
func (p Pages) Groups(a Answer) ([]directory.Group, string, error) {
	return readAll(p, a, readGroup)
}

// Group reads the group of that id from the answer to [Get group]. Errors are
// [*directory.Error].
//
// [Get group]: https://learn.microsoft.com/graph/api/group-get
func Group(a Answer, id string) (directory.Group, error) {
	group, err := readGroup(a.Body)
	if err != nil || group.ID != id {
		return directory.Group{}, a.Distrust(ErrShape)
	}
	return group, nil
}

func readGroup(body []byte) (directory.Group, error) {
	o, err := readObject(body)
	return directory.Group{
		ID: o.ID, DisplayName: OneLine(o.DisplayName), HiddenMembers: strings.EqualFold(o.Visibility, hiddenMembership),
	}, err
}

// MemberUsers reads a page of [List group transitive members], and the address of the next:
// the object ids of the users on it. One member that cannot be read fails the page. Errors
// are [*directory.Error].
//
// [List group transitive members]: https://learn.microsoft.com/graph/api/group-list-transitivemembers
func (p Pages) MemberUsers(a Answer) (ids []string, next string, err error) {
	all, next, err := readAll(p, a, func(body []byte) (object, error) {
		o, err := readObject(body)
		if o.Type == "" {
			err = ErrShape // it may be a user
		}
		return o, err
	})
	for _, o := range all {
		if strings.EqualFold(o.Type, "#microsoft.graph.user") {
			ids = append(ids, o.ID)
		}
	}
	return ids, next, err
}

// Organization reads the answer to [List organization], which has one. Errors are
// [*directory.Error].
//
// [List organization]: https://learn.microsoft.com/graph/api/organization-list
func Organization(a Answer) (directory.Organization, error) {
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(a.Body, &list) != nil || len(list.Value) != 1 {
		return directory.Organization{}, a.Distrust(ErrShape)
	}
	o, err := readObject(list.Value[0])
	if err != nil {
		return directory.Organization{}, a.Distrust(err)
	}
	return directory.Organization{ID: o.ID, DisplayName: OneLine(o.DisplayName)}, nil
}

// object is a [directoryObject] of any type, as far as a person knows it by that.
//
// [directoryObject]: https://learn.microsoft.com/graph/api/resources/directoryobject
type object struct {
	Type              string `json:"@odata.type"`
	ID                string `json:"id"`
	DisplayName       string `json:"displayName"`
	UserPrincipalName string `json:"userPrincipalName"`
	Visibility        string `json:"visibility"`
}

func readObject(body []byte) (object, error) {
	var o object
	err := json.Unmarshal(body, &o)
	if o.ID = strings.ToLower(o.ID); err != nil || !directory.IsID(o.ID) {
		return object{}, ErrShape
	}
	return o, nil
}
