package webhook

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const (
	// MaxItems is the largest number of elements in a body. The shortest documented item
	// is twice as long as what it leaves to each, so it only stops bodies made to cost
	// memory, such as [0,0,0,…].
	MaxItems = MaxBytes / 128
	// itemBytes is about how long an item for a user is.
	itemBytes = 560
	// maxClientState is the longest clientState, in characters. Microsoft's subscription
	// page says 128, its changeNotification page 255.
	maxClientState = 255
)

var (
	// errTooLarge tells that a body exceeds MaxBytes or MaxItems.
	errTooLarge = errors.New("body too large")
	// errMalformed tells that a body came whole but is no collection: it is not JSON, or
	// has no array named value.
	errMalformed = errors.New("malformed body")
)

// An item is one element of a [changeNotificationCollection], as far as the handler
// needs it.
//
// [changeNotificationCollection]: https://learn.microsoft.com/graph/api/resources/changenotificationcollection
type item struct {
	// clientState is the only proof that the item is Graph's; ours is set where it fits.
	clientState string
	ours        bool
	// changeType is in lower case.
	changeType string
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

// byteOrderMark stands before the JSON that some .NET libraries write.
var byteOrderMark = []byte("\ufeff")

// decode reads one POST of Graph. An element that is not a notification is unreadable
// and does not touch the others. The error, which leaves no items, is [errTooLarge] or
// [errMalformed].
func decode(body []byte) ([]item, error) {
	if len(body) > MaxBytes {
		return nil, errTooLarge
	}
	s := scanner{in: bytes.TrimPrefix(body, byteOrderMark)}
	items, lists := []item(nil), 0
	if s.peek() != '{' {
		return nil, errMalformed
	}
	for name := range s.members {
		if string(name) != "value" {
			s.skip()
			continue
		}
		if lists++; lists > 1 {
			s.fail()
		}
		items = s.items(items)
	}
	switch s.end(); {
	case len(items) > MaxItems:
		return nil, errTooLarge
	case s.failed || lists != 1:
		return nil, errMalformed
	}
	return items, nil
}

// items reads the array of them.
func (s *scanner) items(items []item) []item {
	if s.peek() != '[' {
		s.fail()
	}
	items = slices.Grow(items, len(s.in)/itemBytes+1)
	for range s.elements {
		items = append(items, s.item())
		if len(items) > MaxItems {
			s.fail()
		}
	}
	return items
}

// wire is an element of the body, in JSON: the documented and the observed fields, those
// of its resourceData included. Of a doubled name the last counts.
type wire struct {
	changeType, clientState, lifecycleEvent []byte
	tenantID, organizationID                []byte
	resource, resourceData                  []byte
	dataID, dataOrganizationID              []byte
}

func (s *scanner) item() item {
	if s.peek() != '{' {
		s.skip()
		return item{unreadable: true}
	}
	var w wire
	for name := range s.members {
		switch string(name) {
		case "changeType":
			w.changeType = s.skip()
		case "clientState":
			w.clientState = s.skip()
		case "lifecycleEvent":
			w.lifecycleEvent = s.skip()
		case "tenantId":
			w.tenantID = s.skip()
		case "organizationId":
			w.organizationID = s.skip()
		case "resource":
			w.resource = s.skip()
		case "resourceData":
			s.resourceData(&w)
		default:
			s.skip()
		}
	}
	return w.item(&s.reader)
}

// resourceData reads an open type, which may be null.
func (s *scanner) resourceData(w *wire) {
	w.resourceData, w.dataID, w.dataOrganizationID = nil, nil, nil
	if s.peek() != '{' {
		w.resourceData = s.skip()
		return
	}
	for name := range s.members {
		switch string(name) {
		case "id":
			w.dataID = s.skip()
		case "organizationId":
			w.dataOrganizationID = s.skip()
		default:
			s.skip()
		}
	}
}

// reader turns the fields of items into text and remembers whether one of an item could
// not be. Most texts are the same in all items of a body, so it keeps the last few.
type reader struct {
	failed bool
	kept   [4]string
	next   int
}

// text returns "" for what is absent or null.
func (r *reader) text(raw []byte) string {
	if absent(raw) {
		return ""
	}
	text, ok := unquote(raw)
	r.failed = r.failed || !ok
	return text
}

// common is text for a field that most items have in common. A text with a backslash in it
// is not kept, because its JSON differs from it.
func (r *reader) common(raw []byte) string {
	if len(raw) > 2 && raw[0] == '"' {
		for _, kept := range r.kept {
			if string(raw[1:len(raw)-1]) == kept {
				return kept
			}
		}
	}
	text := r.text(raw)
	if !strings.ContainsRune(text, '\\') {
		r.kept[r.next], r.next = text, (r.next+1)%len(r.kept)
	}
	return text
}

func (w *wire) item(r *reader) item {
	r.failed = false
	i := item{
		clientState: r.common(w.clientState),
		changeType:  strings.ToLower(r.common(w.changeType)),
		lifecycle:   r.text(w.lifecycleEvent) != "",
	}
	i.tenant = r.id(r.common(w.tenantID), r.common(w.organizationID), r.common(w.dataOrganizationID))
	if !i.lifecycle {
		i.user = w.user(r)
		r.failed = r.failed || i.changeType == ""
	}
	r.failed = r.failed || i.tenant == "" || !absent(w.resourceData)
	if utf8.RuneCountInString(i.clientState) > maxClientState {
		i.clientState, r.failed = "", true
	}
	i.unreadable = r.failed
	return i
}

func absent(raw []byte) bool { return raw == nil || string(raw) == "null" }

// user returns the id of the user that changed, or "" if something else did: then
// resourceData.id is not the id of a user.
func (w *wire) user(r *reader) string {
	kind, id := splitResource(r.text(w.resource))
	data := r.text(w.dataID)
	if kind != "" && !strings.EqualFold(kind, "users") {
		return ""
	}
	user := r.id(data, id)
	r.failed = r.failed || user == ""
	return user
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

// id returns the GUID that all of the ids spell which are there, in lower case, or "" if
// none is. An item whose ids disagree was not written by Graph, and to believe either of
// them would be a guess.
func (r *reader) id(ids ...string) string {
	one := ""
	for _, id := range ids {
		if id == "" || id == one {
			continue
		}
		if !directory.IsID(id) {
			id = strings.ToLower(id)
		}
		if !directory.IsID(id) || one != "" && one != id {
			r.failed = true
			return ""
		}
		one = id
	}
	return one
}
