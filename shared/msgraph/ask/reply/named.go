package reply

import (
	"encoding/json"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// User reads a [user] who is there.
//
// [user]: https://learn.microsoft.com/graph/api/resources/user
func User(body []byte) (directory.User, error) {
	user, removed, err := answer.ReadUser(body)
	if err != nil || removed {
		return directory.User{}, answer.ErrShape
	}
	return user, nil
}

// Name reads the names of any [directoryObject]. What cannot be read has no ID, and is no
// error: it is for a screen, and spoils no other.
//
// [directoryObject]: https://learn.microsoft.com/graph/api/resources/directoryobject
func Name(body []byte) (directory.Name, error) {
	o, _ := readObject(body)
	return directory.Name{ID: o.ID, DisplayName: answer.OneLine(o.DisplayName), UserPrincipalName: answer.OneLine(o.UserPrincipalName)}, nil
}

// Group reads a [group].
//
// [group]: https://learn.microsoft.com/graph/api/resources/group
func Group(body []byte) (directory.Group, error) {
	o, err := readObject(body)
	return directory.Group{
		ID: o.ID, DisplayName: answer.OneLine(o.DisplayName), HiddenMembers: strings.EqualFold(o.Visibility, answer.HiddenMembership),
	}, err
}

// UserID reads the object id of a group's member, "" for one that is no user.
func UserID(body []byte) (string, error) {
	o, err := readObject(body)
	switch {
	case err != nil, o.Type == "": // it may be a user
		return "", answer.ErrShape
	case !strings.EqualFold(o.Type, "#microsoft.graph.user"):
		return "", nil
	}
	return o.ID, nil
}

// Organization reads an [organization].
//
// [organization]: https://learn.microsoft.com/graph/api/resources/organization
func Organization(body []byte) (directory.Organization, error) {
	o, err := readObject(body)
	return directory.Organization{ID: o.ID, DisplayName: answer.OneLine(o.DisplayName)}, err
}

// object is a directoryObject of any type, as far as a person knows it by that.
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
		return object{}, answer.ErrShape
	}
	return o, nil
}
