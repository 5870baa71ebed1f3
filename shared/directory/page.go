package directory

// UserPage is one page of users, of a list or of a [delta query].
//
// [delta query]: https://learn.microsoft.com/graph/delta-query-overview
type UserPage struct {
	// Users are in Graph's order. Delta shows an unchanged property or leaves it
	// out, so StampKnown is set only for those whose object had the stamp in it,
	// be it null. Delta may also name one user on several pages.
	Users []User
	// Unreadable counts the users on the page who could not be read, or have no
	// object id. They are left out.
	Unreadable int
	// Removed are the ids of users that delta reports as deleted.
	Removed []string
	// Next is the address of the next page, to be called as it is; it is empty
	// on the last one.
	Next string
	// Delta is the address at which the next round of delta begins. Only the
	// last page of a round has one, and only delta has rounds.
	Delta string
}
