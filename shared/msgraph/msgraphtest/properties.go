package msgraphtest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// property is one property of Graph's [user] resource.
//
// [user]: https://learn.microsoft.com/graph/api/resources/user
type property struct {
	index    uint8
	name     string
	standard bool // returned without $select
	readOnly bool
	// value is nil, a string, a bool or a time.Time.
	value func(*user) any
	// set is nil for a read-only property. Its argument is nil or a string, of
	// accountEnabled nil or a bool.
	set func(*user, any)
}

// propertySet has a bit for every property, by index.
type propertySet uint32

// allProperties marks a change that concerns the whole user: creation,
// deletion, restoration.
const allProperties propertySet = 1<<32 - 1

// unnumbered is a bit of allProperties that no property has, so that such a
// change is noticed whatever a delta query selects.
const unnumbered = 31

func (p *property) bit() propertySet { return 1 << p.index }

const (
	accountEnabled = "accountEnabled"
	// stampProperty is the property this project is about.
	stampProperty = "signInSessionsValidFromDateTime"

	immutableID        = "onPremisesImmutableId"
	samAccountName     = "onPremisesSamAccountName"
	securityIdentifier = "onPremisesSecurityIdentifier"
)

// userProperties are all that the emulator knows of the user resource: Graph's
// businessPhones, the one standard property missing, is a list. No one writes to
// it after initialization.
var userProperties = index([]property{
	{name: accountEnabled,
		value: func(u *user) any { return u.enabled },
		set:   func(u *user, v any) { u.enabled = v == true }},
	{name: "city"},
	{name: "createdDateTime",
		value: func(u *user) any { return timeValue(u.created) }},
	{name: "creationType", readOnly: true},
	{name: "department"},
	{name: "displayName", standard: true,
		value: func(u *user) any { return stringValue(u.displayName) },
		set:   func(u *user, v any) { u.displayName = stringOf(v) }},
	{name: "externalUserState", readOnly: true},
	{name: "givenName", standard: true},
	{name: "id", standard: true,
		value: func(u *user) any { return u.id.String() }},
	{name: "jobTitle", standard: true},
	{name: "lastPasswordChangeDateTime",
		value: func(u *user) any { return timeValue(u.passwordChange) }},
	{name: "mail", standard: true},
	{name: "mailNickname",
		value: func(u *user) any { return stringValue(u.mailNickname) },
		set:   func(u *user, v any) { u.mailNickname = stringOf(v) }},
	{name: "mobilePhone", standard: true},
	{name: "officeLocation", standard: true},
	{name: immutableID},
	{name: samAccountName, readOnly: true},
	{name: securityIdentifier, readOnly: true},
	{name: "preferredLanguage", standard: true},
	{name: stampProperty,
		value: func(u *user) any { return timeValue(u.stamp) }},
	{name: "surname", standard: true},
	{name: "userPrincipalName", standard: true,
		value: func(u *user) any { return u.shownUPN() },
		set:   func(u *user, v any) { u.upn = stringOf(v) }},
	{name: "userType",
		value: func(u *user) any { return u.userType() },
		set:   func(u *user, v any) { u.guest = stringOf(v) == "Guest" }},
})

// index numbers the properties and completes those that are kept as texts.
func index(properties []property) []property {
	for i := range properties {
		p := &properties[i]
		p.index = uint8(i)
		if p.value != nil {
			continue
		}
		p.value = func(u *user) any { return stringValue(u.text(p.index)) }
		if !p.readOnly {
			p.set = func(u *user, v any) { u.setText(p.index, stringOf(v)) }
		}
	}
	return properties
}

// propertyNamed returns the property of this name, whatever its case, or nil.
func propertyNamed(name string) *property {
	for i := range userProperties {
		if strings.EqualFold(userProperties[i].name, name) {
			return &userProperties[i]
		}
	}
	return nil
}

// valued is the set of properties that are not null.
func valued(u *user) propertySet {
	var set propertySet
	for i := range userProperties {
		if p := &userProperties[i]; p.value(u) != nil {
			set |= p.bit()
		}
	}
	return set
}

// differing is the set of properties in which two users differ.
func differing(a, b *user) propertySet {
	var set propertySet
	for i := range userProperties {
		if p := &userProperties[i]; p.value(a) != p.value(b) {
			set |= p.bit()
		}
	}
	return set
}

// decode reads a value of the property's type from JSON; nil is null.
func (p *property) decode(data json.RawMessage) (any, error) {
	switch {
	case string(data) == "null":
		return nil, nil
	case p.name == accountEnabled:
		return decodeAs[bool](data)
	}
	return decodeAs[string](data)
}

func decodeAs[T any](data json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(data, &v)
	return v, err
}

// appendJSON writes the property's value as Graph does: times in whole seconds.
func (p *property) appendJSON(b []byte, u *user) []byte {
	switch v := p.value(u).(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case time.Time:
		return v.AppendFormat(b, `"2006-01-02T15:04:05Z"`)
	case string:
		text, _ := json.Marshal(v) //nolint:errchkjson // strings always marshal
		return append(b, text...)
	}
	panic("msgraphtest: property " + p.name + " has a value of no kind")
}

// The following turn what a user holds into the value of a property.

func stringValue(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// timeValue is in whole seconds, as Entra keeps them.
func timeValue(nano int64) any {
	if nano == 0 {
		return nil
	}
	return timeOf(nano).Truncate(time.Second)
}

// stringOf is the text of a value that decode returned.
func stringOf(v any) string {
	text, _ := v.(string)
	return text
}

func (u *user) userType() any {
	if u.guest {
		return "Guest"
	}
	return "Member"
}

// shownUPN is the userPrincipalName. Entra prefixes that of a deleted user with
// the object id, so that the name is free for another user.
func (u *user) shownUPN() any {
	if u.state == softDeleted {
		return strings.ReplaceAll(u.id.String(), "-", "") + u.upn
	}
	return u.upn
}
