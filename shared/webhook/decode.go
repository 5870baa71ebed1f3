package webhook

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const (
	// maxItems is the largest number of elements in a body. The shortest documented item
	// is twice as long as what it leaves to each, so it only stops bodies made to cost
	// memory, such as [0,0,0,…].
	maxItems = MaxBytes / 128
	// itemBytes is about how long an item for a user is.
	itemBytes = 560
)

// An item is one element of a [changeNotificationCollection], as far as the handler
// needs it.
//
// [changeNotificationCollection]: https://learn.microsoft.com/graph/api/resources/changenotificationcollection
type item struct {
	// clientState is the only proof that the item is Graph's; ours is set where it fits.
	clientState string
	ours        bool
	changeType  string
	// tenant is a lower-case GUID: tenantId, or organizationId where Graph sends that.
	tenant string
	// user is a lower-case GUID: resourceData.id, or else the id in resource. It is empty
	// if something other than a user changed.
	user string
	// lifecycle tells that the item is about the subscription itself.
	lifecycle bool
	// unreadable tells that the item is none, or one that Graph can't have meant.
	unreadable bool
}

// decode reads one POST of Graph. An element that is not a notification is unreadable
// and does not touch the others. It is not ok if the body exceeds MaxBytes or maxItems,
// is not JSON, or has no array named value: then there are no items.
func decode(body string) (items []item, ok bool) {
	if len(body) > MaxBytes {
		return nil, false
	}
	// Some .NET libraries write a byte order mark before the JSON.
	s := scanner{in: strings.TrimPrefix(body, "\ufeff")}
	s.object(func(name string) {
		if name == "value" && s.peek() == '[' {
			items = s.items()
			return
		}
		s.value()
	})
	if s.peek(); s.failed || s.pos < len(s.in) || items == nil {
		return nil, false
	}
	return items, true
}

func (s *scanner) items() []item {
	items := make([]item, 0, len(s.in)/itemBytes+1)
	s.list('[', ']', func() {
		items = append(items, s.item())
		if len(items) > maxItems {
			s.fail()
		}
	})
	return items
}

// item reads the documented and the observed fields. Of a doubled name the last counts.
func (s *scanner) item() item {
	var i item
	if s.peek() != '{' {
		s.value()
		i.unreadable = true
		return i
	}
	var resource, id string
	s.object(func(name string) {
		switch name {
		case "changeType":
			i.changeType = i.text(s.value())
		case "clientState":
			i.clientState = i.text(s.value())
		case "lifecycleEvent":
			i.lifecycle = i.text(s.value()) != ""
		case "tenantId", "organizationId":
			i.agree(&i.tenant, i.text(s.value()))
		case "resource":
			resource = i.text(s.value())
		case "resourceData":
			id = s.resourceData(&i)
		default:
			s.value()
		}
	})
	if !i.lifecycle {
		i.changed(resource, id)
	}
	i.unreadable = i.unreadable || i.tenant == ""
	return i
}

// resourceData reads an open type, which may be null, and returns the id in it.
func (s *scanner) resourceData(i *item) (id string) {
	if s.peek() != '{' {
		i.unreadable = s.value() != "null" || i.unreadable
		return ""
	}
	s.object(func(name string) {
		switch name {
		case "id":
			id = i.text(s.value())
		case "organizationId":
			i.agree(&i.tenant, i.text(s.value()))
		default:
			s.value()
		}
	})
	return id
}

// text reads a string, or null as an empty one.
func (i *item) text(raw string) string {
	text, ok := unquote(raw)
	i.unreadable = i.unreadable || !ok && raw != "null"
	return text
}

// changed sets the user, unless something else changed: then id is not the id of a user.
func (i *item) changed(resource, id string) {
	kind, user := splitResource(resource)
	if kind == "" || strings.EqualFold(kind, "users") {
		i.agree(&i.user, user)
		i.agree(&i.user, id)
		i.unreadable = i.unreadable || i.user == ""
	}
}

// splitResource reads "Users/{id}", "/users/{id}" and OData's "Users('{id}')".
func splitResource(resource string) (kind, id string) {
	resource = strings.TrimPrefix(resource, "/")
	if kind, id, ok := strings.Cut(resource, "('"); ok && !strings.Contains(kind, "/") {
		return kind, strings.TrimSuffix(id, "')")
	}
	kind, id, _ = strings.Cut(resource, "/")
	return kind, id
}

// agree sets one id to another, if that is there. An item whose ids disagree was not
// written by Graph, and to believe either of them would be a guess.
func (i *item) agree(one *string, other string) {
	if other == "" || other == *one {
		return
	}
	other = strings.ToLower(other)
	if *one == "" && directory.IsID(other) {
		*one = other
	}
	i.unreadable = i.unreadable || *one != other
}
