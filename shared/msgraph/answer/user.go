package answer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// wireUser is a [user resource], as far as it is asked for. The SDK's model takes
// some 19 kB for each, this 1 kB, and a page has a thousand. Nor does the model
// tell a stamp that is null from one that is missing.
//
// [user resource]: https://learn.microsoft.com/graph/api/resources/user
type wireUser struct {
	ID                string    `json:"id"`
	UserPrincipalName string    `json:"userPrincipalName"`
	UserType          string    `json:"userType"`
	CreationType      string    `json:"creationType"`
	ExternalUserState string    `json:"externalUserState"`
	Created           time.Time `json:"createdDateTime"`
	Stamp             shownTime `json:"signInSessionsValidFromDateTime"`
	// Removed is set where delta reports that the user was deleted.
	Removed *struct{} `json:"@removed"`
}

// shownTime is a time that tells null from missing.
type shownTime struct {
	time.Time

	shown bool
}

// UnmarshalJSON implements json.Unmarshaler. It is called only where there is the
// property, null included.
func (t *shownTime) UnmarshalJSON(b []byte) error {
	t.shown = true
	return t.Time.UnmarshalJSON(b)
}

// ReadUser reads a user, and whether it was deleted. The error is [ErrShape].
func ReadUser(body []byte) (user directory.User, removed bool, err error) {
	var w wireUser
	err = json.Unmarshal(body, &w)
	id := strings.ToLower(w.ID)
	if err != nil || !directory.IsID(id) {
		return directory.User{}, false, ErrShape
	}
	return directory.User{
		ID:                      id,
		UserPrincipalName:       w.UserPrincipalName,
		UserType:                w.UserType,
		CreationType:            w.CreationType,
		ExternalUserState:       w.ExternalUserState,
		Created:                 w.Created.UTC(),
		SignInSessionsValidFrom: w.Stamp.UTC(),
		StampKnown:              w.Stamp.shown,
	}, w.Removed != nil, nil
}

// User reads the user of that object id from the answer to [user: get]. Errors are
// [*directory.Error].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func User(a Answer, id string) (directory.User, error) {
	user, _, err := ReadUser(a.Body)
	if err == nil && user.ID != id {
		err = ErrOtherUser
	}
	if err != nil {
		return directory.User{}, a.Distrust(err)
	}
	return user, nil
}
