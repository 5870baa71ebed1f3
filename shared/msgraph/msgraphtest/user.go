package msgraphtest

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Canary is a word in the display name of every user, which nothing that tests
// print may hold.
const Canary = "canary-4711"

// NewUser describes a user who is put straight into the directory.
type NewUser struct {
	// ID is the object id, a GUID; made up where empty.
	ID string
	// UPN is the userPrincipalName. Its domain is taken as it is: a test may
	// need a user of a domain that isn't verified.
	UPN string
	// Name is displayName; made up, with the [Canary], where empty.
	Name string
	// Guest makes userType "Guest" instead of "Member".
	Guest bool
	// Created is now where zero. With NoCreated createdDateTime is null, as of
	// users from before June 2018.
	Created   time.Time
	NoCreated bool
	// Stamp is signInSessionsValidFromDateTime; nil is none.
	Stamp *time.Time
	// Notify tells the subscribers of the creation.
	Notify bool
}

// UserState is a user as the directory itself knows it, whatever a lagging
// replica says.
type UserState struct {
	ID, UPN string
	Created time.Time
	// Stamp is signInSessionsValidFromDateTime, zero for none.
	Stamp time.Time
	// Revocations are the times at which revokeSignInSessions took effect, and
	// Stamped the first of them or zero.
	Revocations []time.Time
	Stamped     time.Time
	// Deleted tells a user who was deleted, for good or not.
	Deleted bool
	// InScope tells a user whom the product may stamp: a member of a verified
	// federated domain who is neither deleted nor excluded.
	InScope bool
}

// user is kept small: a tenant may have a million. Times are Unix nanoseconds,
// and 0 is none.
type user struct {
	id      uuid.UUID
	pos     uint32      // in tenantDirectory.users
	ever    propertySet // properties that ever had a value
	state   lifeState
	guest   bool
	enabled bool
	marks   mark

	upn, displayName, mailNickname string

	created, stamp, passwordChange int64

	turn int64 // the call that worked and found no sufficient stamp; see judge

	revocations []int64
	texts       map[uint8]string // properties that few users have, by index in userProperties
}

// lifeState is where a user stands between creation and permanent deletion.
type lifeState uint8

const (
	absent lifeState = iota // not created yet, to a lagging replica
	active
	softDeleted
)

// mark is what a test says about a user that Graph knows nothing of.
type mark uint8

const (
	excluded  mark = 1 << iota // out of scope, as an administrator says
	protected                  // refuses revocation with 403
)

func (u *user) text(property uint8) string { return u.texts[property] }

// setText never changes the map in place: a lagging replica may still share it.
func (u *user) setText(property uint8, value string) {
	texts := maps.Clone(u.texts)
	if texts == nil {
		texts = make(map[uint8]string)
	}
	texts[property] = value
	u.texts = texts
}

func (u *user) domain() string { return domainPart(u.upn) }

// domainPart is what follows the last @, in lower case.
func domainPart(upn string) string {
	return strings.ToLower(upn[strings.LastIndexByte(upn, '@')+1:])
}

// localPart is what precedes the last @.
func localPart(upn string) string {
	return upn[:max(0, strings.LastIndexByte(upn, '@'))]
}

// AddUser puts a user straight into the directory and returns the object id. It
// panics where the id is no GUID, or the id or the UPN is taken: that is a
// mistake in the test.
func (t *Tenant) AddUser(n NewUser) string {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	u := t.newUser(n, now)
	if t.dir.byID[u.id] != nil || t.dir.byUPN[strings.ToLower(u.upn)] != nil {
		panic(fmt.Sprintf("msgraphtest: user %s or %s exists", u.id, u.upn))
	}
	t.insert(u, now, n.Notify)
	return u.id.String()
}

func (t *Tenant) newUser(n NewUser, now time.Time) *user {
	if n.ID == "" {
		n.ID = t.s.newID()
	}
	if n.Created.IsZero() && !n.NoCreated {
		n.Created = now
	}
	u := &user{
		id:           mustParse(n.ID),
		enabled:      true,
		guest:        n.Guest,
		upn:          n.UPN,
		displayName:  cmp.Or(n.Name, Canary+" "+localPart(n.UPN)),
		mailNickname: localPart(n.UPN),
		created:      unixNano(n.Created),
	}
	if n.Stamp != nil {
		u.stamp = n.Stamp.Truncate(time.Second).UnixNano()
	}
	return u
}

// insert makes a user known whose id and UPN are free.
func (t *Tenant) insert(u *user, now time.Time, notify bool) {
	before := *u
	u.state = active
	u.pos = uint32(len(t.dir.users))
	t.dir.users = append(t.dir.users, u)
	t.dir.byID[u.id] = u
	t.dir.byUPN[strings.ToLower(u.upn)] = u
	t.record(before, u, allProperties, now)
	if notify {
		t.s.changed(t, u.id.String(), bits.OnesCount32(uint32(u.ever)))
	}
}

// record keeps what delta and lagging replicas need to know of a change of
// properties that has just been made.
func (t *Tenant) record(before user, u *user, properties propertySet, now time.Time) {
	u.ever |= valued(u)
	t.dir.history.keep(before, u, len(t.dir.log), now, t.s.opts.Replica.Lag)
	t.dir.log = append(t.dir.log, change{user: u.pos, properties: properties})
}

// User returns what the directory itself knows of a user, deleted or not.
func (t *Tenant) User(id string) (UserState, bool) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.dir.find(id)
	if u == nil {
		return UserState{}, false
	}
	return t.stateOf(u), true
}

// Users returns what the directory itself knows of all users there ever were,
// in the order of their creation.
func (t *Tenant) Users() []UserState {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	states := make([]UserState, len(t.dir.users))
	for i, u := range t.dir.users {
		states[i] = t.stateOf(u)
	}
	return states
}

func (t *Tenant) stateOf(u *user) UserState {
	st := UserState{
		ID:      u.id.String(),
		UPN:     u.upn,
		Created: timeOf(u.created),
		Stamp:   timeOf(u.stamp),
		Deleted: u.state != active,
		InScope: t.outOfScope(u) == "",
	}
	for _, at := range u.revocations {
		st.Revocations = append(st.Revocations, timeOf(at))
	}
	if len(st.Revocations) > 0 {
		st.Stamped = st.Revocations[0]
	}
	return st
}

// unixNano and timeOf keep a time in eight bytes; the zero time is 0.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nano int64) time.Time {
	if nano == 0 {
		return time.Time{}
	}
	return time.Unix(0, nano).UTC()
}
