package answer

import (
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Users reads a page of [List users]. It has no Delta.
//
// A user who cannot be read, or has no object id, is left out and counted as
// Unreadable. Were the page to fail instead, it would fail for ever, and nobody
// behind it would be heard of again. The sweep reports the count, and the next full
// round shows the user again. What is wrong with the page itself is a
// [*directory.Error].
//
// [List users]: https://learn.microsoft.com/graph/api/user-list
func (p Pages) Users(a Answer) (directory.UserPage, error) {
	page, err := p.userPage(a)
	page.Delta = "" // a list has none
	return page, err
}

// Delta reads a page of [user: delta]. Either Next or Delta is set. It treats users as
// [Pages.Users] does; the removed must have an object id as well.
//
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
func (p Pages) Delta(a Answer) (directory.UserPage, error) {
	page, err := p.userPage(a)
	if err != nil {
		return directory.UserPage{}, err
	}
	// With neither, the round would have no end; with both, which counts?
	if (page.Next == "") == (page.Delta == "") {
		return directory.UserPage{}, a.Distrust(ErrShape)
	}
	return page, nil
}

// LatestDelta reads the answer to [user: delta] with $deltatoken=latest: the address
// at which a round begins. Errors are [*directory.Error].
//
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
func (p Pages) LatestDelta(a Answer) (deltaLink string, err error) {
	page, err := p.collection(a.Body)
	// An address with users before it would pass them over.
	if err == nil && (page.Delta == "" || len(page.Value) > 0) {
		err = ErrShape
	}
	if err != nil {
		return "", a.Distrust(err)
	}
	return page.Delta, nil
}

// userPage reads a page of users, with the links that it has.
func (p Pages) userPage(a Answer) (directory.UserPage, error) {
	list, err := p.collection(a.Body)
	if err != nil {
		return directory.UserPage{}, a.Distrust(err)
	}
	page := directory.UserPage{
		Users: make([]directory.User, 0, len(list.Value)),
		Next:  list.Next, Delta: list.Delta,
	}
	for _, raw := range list.Value {
		switch user, removed, err := ReadUser(raw); {
		case err != nil:
			page.Unreadable++
		case removed:
			page.Removed = append(page.Removed, user.ID)
		default:
			page.Users = append(page.Users, user)
		}
	}
	return page, nil
}
