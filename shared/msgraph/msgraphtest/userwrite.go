package msgraphtest

import (
	"encoding/json"
	"maps"
	"math/bits"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// requiredOnCreation are the properties that POST /users needs; see
// https://learn.microsoft.com/graph/api/user-post-users.
var requiredOnCreation = []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"}

// passwordProfile is set like a property but kept nowhere.
const passwordProfile = "passwordProfile"

// userBody is the body of a request that creates or updates a user.
type userBody map[string]json.RawMessage

func (c *call) userBody() (userBody, error) {
	var body userBody
	if err := json.Unmarshal(c.body, &body); err != nil || body == nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest",
			"Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return body, nil
}

func (b userBody) has(name string) bool {
	value, ok := b[name]
	return ok && string(value) != "null"
}

// text is a member that is a string, or "".
func (b userBody) text(name string) string {
	s, _ := decodeAs[string](b[name])
	return s
}

// apply sets the properties that the body names, and refuses it as a whole if
// one can't be set.
func (b userBody) apply(u *user, now time.Time) error {
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if strings.HasPrefix(name, "@odata.") {
			continue
		}
		if name == passwordProfile {
			u.passwordChange = now.Truncate(time.Second).UnixNano()
			continue
		}
		if err := applyProperty(u, name, b[name]); err != nil {
			return err
		}
	}
	return nil
}

func applyProperty(u *user, name string, data json.RawMessage) error {
	p := propertyNamed(name)
	if p == nil {
		return badRequest("One or more property values specified are invalid: the property '%s' does not exist on type 'microsoft.graph.user'.", name)
	}
	if p.set == nil {
		return badRequest("Property '%s' is read-only and cannot be set.", name)
	}
	value, err := p.decode(data)
	absent := value == nil && slices.Contains(requiredOnCreation, name)
	if err != nil || absent || name == "userType" && value != "Member" && value != "Guest" {
		return badRequest("Invalid value specified for property '%s' of resource 'User'.", name)
	}
	p.set(u, value)
	return nil
}

// createUser is https://learn.microsoft.com/graph/api/user-post-users.
func createUser(s *Server, c *call) (reply, error) {
	body, err := c.userBody()
	if err != nil {
		return reply{}, err
	}
	if err := c.tenant.checkNew(body); err != nil {
		return reply{}, err
	}
	u := &user{id: uuid.MustParse(s.newID()), created: c.now.UnixNano()}
	if err := body.apply(u, c.now); err != nil {
		return reply{}, err
	}
	if err := c.tenant.checkUPN(u); err != nil {
		return reply{}, err
	}
	if !c.tenant.dir.federated(u.domain()) {
		// That a federated user gets none is why this project exists.
		u.stamp = c.now.Truncate(time.Second).UnixNano()
	}
	c.tenant.insert(u, c.now, true)
	sel := standardSelection()
	return reply{
		status: http.StatusCreated,
		header: http.Header{"Location": {"https://" + c.host + "/v1.0/users/" + u.id.String()}},
		body:   c.entity(sel, u),
	}, nil
}

// checkNew refuses a new user without the required properties. In a federated
// domain that is onPremisesImmutableId instead of the password.
func (t *Tenant) checkNew(body userBody) error {
	federated := t.dir.federated(domainPart(body.text("userPrincipalName")))
	for _, name := range requiredOnCreation {
		if name == passwordProfile && federated {
			name = "onPremisesImmutableId"
		}
		if !body.has(name) {
			return badRequest("A value is required for property '%s' of resource 'User'.", name)
		}
	}
	return nil
}

// checkUPN refuses a userPrincipalName that the tenant can't give to the user.
func (t *Tenant) checkUPN(u *user) error {
	if localPart(u.upn) == "" {
		return badRequest("Invalid value specified for property 'userPrincipalName' of resource 'User'.")
	}
	if !t.dir.verified(u.domain()) {
		return badRequest("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
	}
	if other := t.dir.byUPN[strings.ToLower(u.upn)]; other != nil && other.id != u.id {
		return badRequest("Another object with the same value for property userPrincipalName already exists.")
	}
	return nil
}

// updateUser is https://learn.microsoft.com/graph/api/user-update.
func updateUser(_ *Server, c *call) (reply, error) {
	u, err := c.target()
	if err != nil {
		return reply{}, err
	}
	body, err := c.userBody()
	if err != nil {
		return reply{}, err
	}
	changed := *u
	if err := body.apply(&changed, c.now); err != nil {
		return reply{}, err
	}
	if changed.upn != u.upn {
		if err := c.tenant.checkUPN(&changed); err != nil {
			return reply{}, err
		}
	}
	c.tenant.replace(u, changed, c.now)
	return noContent()
}

// replace puts a changed user in the place of the former. A change of nothing
// tells nobody.
func (t *Tenant) replace(u *user, changed user, now time.Time) {
	properties := differing(u, &changed)
	if properties == 0 {
		return
	}
	before := *u
	*u = changed
	delete(t.dir.byUPN, strings.ToLower(before.upn))
	t.dir.byUPN[strings.ToLower(u.upn)] = u
	t.record(before, u, properties, now)
	t.s.changed(t, u.id.String(), bits.OnesCount32(uint32(properties)))
}

// deleteUser is https://learn.microsoft.com/graph/api/user-delete: the user
// rests in the bin, which the emulator never empties.
func deleteUser(_ *Server, c *call) (reply, error) {
	u, err := c.target()
	if err != nil {
		return reply{}, err
	}
	c.tenant.softDelete(u, c.now)
	return noContent()
}

// softDelete raises `updated`: `deleted` is for permanent deletion only.
func (t *Tenant) softDelete(u *user, now time.Time) {
	before := *u
	u.state = softDeleted
	delete(t.dir.byUPN, strings.ToLower(u.upn))
	t.record(before, u, allProperties, now)
	t.s.changed(t, u.id.String(), 1)
}
