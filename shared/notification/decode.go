package notification

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of what is read. Whatever exceeds one of the first two spoils the whole
// body, whatever exceeds one of the others only its item.
const (
	// MaxBytes is the length of the longest body that is read. Graph publishes
	// no limit; an item for a user has about 600 bytes.
	MaxBytes = 1 << 20
	// MaxItems is the largest number of elements in a body. The shortest
	// documented item is twice as long as what it leaves to each, so it only
	// stops bodies that were made to cost memory, such as [0,0,0,…].
	MaxItems = MaxBytes / 128
	// MaxClientState is the longest clientState, in characters. Microsoft's
	// subscription page says 128, its changeNotification page 255.
	MaxClientState = 255
	// MaxResource is the longest resource, in bytes.
	MaxResource = 1024
	// maxWord is the longest changeType and lifecycleEvent, in bytes.
	maxWord = 64
)

var (
	// ErrTooLarge tells that a body exceeds MaxBytes or MaxItems.
	ErrTooLarge = errors.New("notification: body too large")
	// ErrMalformed tells that a body came whole but is no collection: it is not
	// JSON, or has no array named value. Sending it again will not help.
	ErrMalformed = errors.New("notification: malformed body")
	// ErrBrokenOff tells that a body could not be read to its end. The reader's
	// error, such as io.ErrUnexpectedEOF, is wrapped as well. Nothing is wrong
	// with what was sent; it should be sent again.
	ErrBrokenOff = errors.New("notification: body broke off")
)

// Decode reads one POST of Graph to its end. An element that is not a
// notification goes to Collection.Bad and does not touch the others. The error,
// which leaves no Collection, wraps [ErrTooLarge], [ErrMalformed] or
// [ErrBrokenOff] and holds nothing of the body.
func Decode(r io.Reader) (Collection, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Collection{}, fmt.Errorf("%w: %w", ErrBrokenOff, err)
	}
	if len(body) > MaxBytes {
		return Collection{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	}
	d := decoder{json: json.NewDecoder(bytes.NewReader(body))}
	if err := d.body(); err != nil {
		return Collection{}, err
	}
	return d.out, nil
}

// decoder walks through a body token by token, so that each element is scanned
// once, stands for itself and needs no memory when it has been read.
type decoder struct {
	json *json.Decoder
	item wireItem // reused from element to element
	out  Collection
}

// body reads {"value":[…]} and skips what may stand beside the value, such as
// validationTokens.
func (d *decoder) body() error {
	if err := d.expect(json.Delim('{')); err != nil {
		return err
	}
	values := 0
	for d.json.More() {
		if err := d.member(&values); err != nil {
			return err
		}
	}
	if err := d.expect(json.Delim('}')); err != nil {
		return err
	}
	if _, err := d.json.Token(); values != 1 || !errors.Is(err, io.EOF) {
		return d.malformed()
	}
	return nil
}

// member reads one name of the outermost object with what belongs to it, and
// counts those named value.
func (d *decoder) member(values *int) error {
	name, err := d.json.Token()
	if err != nil {
		return d.malformed()
	}
	if name == "value" {
		*values++
		return d.items()
	}
	var skipped json.RawMessage
	if err := d.json.Decode(&skipped); err != nil {
		return d.malformed()
	}
	return nil
}

func (d *decoder) items() error {
	if err := d.expect(json.Delim('[')); err != nil {
		return err
	}
	for i := 0; d.json.More(); i++ {
		if i == MaxItems {
			return fmt.Errorf("%w: more than %d items", ErrTooLarge, MaxItems)
		}
		if err := d.element(i); err != nil {
			return err
		}
	}
	return d.expect(json.Delim(']'))
}

// element reads one element. Its error means that the body is not JSON;
// an element that is JSON but no notification is put among the bad ones.
func (d *decoder) element(index int) error {
	d.item = wireItem{}
	err := d.json.Decode(&d.item)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		d.out.Bad = append(d.out.Bad, ItemError{Index: index, Field: wrong.Field, Problem: "wrong JSON type"})
		return nil
	case err != nil:
		return d.malformed()
	}
	if err := d.item.addTo(&d.out); err != nil {
		d.out.Bad = append(d.out.Bad, ItemError{Index: index, Field: err.field, Problem: err.problem})
	}
	return nil
}

func (d *decoder) expect(want json.Delim) error {
	if got, err := d.json.Token(); err != nil || got != want {
		return d.malformed()
	}
	return nil
}

// malformed tells the place only: the errors of package json quote the body,
// and one of them is io.ErrUnexpectedEOF, which here would mean ErrBrokenOff.
func (d *decoder) malformed() error {
	return fmt.Errorf("%w: at byte %d", ErrMalformed, d.json.InputOffset())
}

// wireItem is an element of the body: the union of a change and a lifecycle
// notification, in the documented and in the observed shapes.
type wireItem struct {
	ChangeType     string   `json:"changeType"`
	ClientState    string   `json:"clientState"`
	Expires        instant  `json:"subscriptionExpirationDateTime"`
	LifecycleEvent string   `json:"lifecycleEvent"`
	OrganizationID string   `json:"organizationId"`
	Resource       string   `json:"resource"`
	ResourceData   wireData `json:"resourceData"`
	SubscriptionID string   `json:"subscriptionId"`
	TenantID       string   `json:"tenantId"`
}

// wireData is a change's resourceData, which Graph declares as an open type.
//
// Source: https://learn.microsoft.com/graph/api/resources/resourcedata and, for
// the three fields after ID, https://learn.microsoft.com/azure/event-grid/microsoft-entra-events
type wireData struct {
	ID             string   `json:"id"`
	OrganizationID string   `json:"organizationId"`
	EventTime      instant  `json:"eventTime"`
	SequenceNumber sequence `json:"sequenceNumber"`
}

// fault is an ItemError without its index.
type fault struct{ field, problem string }

// Problems of a field. They are constants because what the sender wrote must
// not appear in an error.
const (
	missing  = "missing"
	tooLong  = "too long"
	notGUID  = "not a GUID"
	disagree = "two ids that disagree"
)

// addTo appends the item to the slice it belongs to.
func (w *wireItem) addTo(c *Collection) *fault {
	if f := w.checkLengths(); f != nil {
		return f
	}
	subscription, f := oneGUID("subscriptionId", w.SubscriptionID)
	if f != nil {
		return f
	}
	tenant, f := oneGUID("tenantId", w.TenantID, w.OrganizationID, w.ResourceData.OrganizationID)
	switch {
	case f != nil:
		return f
	case tenant == "":
		return &fault{"tenantId", missing}
	case w.LifecycleEvent != "":
		return w.addLifecycle(c, subscription, tenant)
	default:
		return w.addChange(c, subscription, tenant)
	}
}

func (w *wireItem) checkLengths() *fault {
	switch {
	case utf8.RuneCountInString(w.ClientState) > MaxClientState:
		return &fault{"clientState", tooLong}
	case len(w.Resource) > MaxResource:
		return &fault{"resource", tooLong}
	case len(w.ChangeType) > maxWord:
		return &fault{"changeType", tooLong}
	case len(w.LifecycleEvent) > maxWord:
		return &fault{"lifecycleEvent", tooLong}
	}
	return nil
}

func (w *wireItem) addLifecycle(c *Collection, subscription, tenant string) *fault {
	if subscription == "" {
		return &fault{"subscriptionId", missing}
	}
	c.Lifecycles = append(c.Lifecycles, Lifecycle{
		SubscriptionID: subscription,
		ClientState:    NewClientState(w.ClientState),
		TenantID:       tenant,
		Event:          Event(w.LifecycleEvent),
		Expires:        w.Expires.Time,
	})
	return nil
}

func (w *wireItem) addChange(c *Collection, subscription, tenant string) *fault {
	if w.ChangeType == "" {
		return &fault{"changeType", missing}
	}
	user, f := w.user()
	if f != nil {
		return f
	}
	c.Changes = append(c.Changes, Change{
		SubscriptionID: subscription,
		ClientState:    NewClientState(w.ClientState),
		ChangeType:     ChangeType(strings.ToLower(w.ChangeType)),
		Resource:       w.Resource,
		TenantID:       tenant,
		UserID:         user,
		EventTime:      w.ResourceData.EventTime.Time,
		Sequence:       uint64(w.ResourceData.SequenceNumber),
		Expires:        w.Expires.Time,
	})
	return nil
}

// user returns the id of the user that changed, or "" if something else did: then
// resourceData.id is the id of that, not of a user.
func (w *wireItem) user() (string, *fault) {
	kind, id, _ := strings.Cut(strings.TrimPrefix(w.Resource, "/"), "/")
	if kind != "" && !strings.EqualFold(kind, "users") {
		return "", nil
	}
	user, f := oneGUID("resourceData.id", w.ResourceData.ID, id)
	if f == nil && user == "" {
		f = &fault{"resourceData.id", missing}
	}
	return user, f
}

// oneGUID returns the GUID that all of the ids spell which are there, in lower
// case, or "" if none is. An item whose ids disagree was not written by Graph,
// and to believe either of them would be a guess.
func oneGUID(field string, ids ...string) (string, *fault) {
	one := ""
	for _, id := range ids {
		if id == "" {
			continue
		}
		guid, ok := CanonicalGUID(id)
		switch {
		case !ok:
			return "", &fault{field, notGUID}
		case one != "" && one != guid:
			return "", &fault{field, disagree}
		}
		one = guid
	}
	return one, nil
}

// instant is a time that never fails to decode: nothing depends on it that is
// worth losing a notification for.
type instant struct{ time.Time }

// UnmarshalJSON reads RFC 3339 with any number of decimals (Graph sends seven)
// and any offset; whatever else there is becomes the zero Time.
func (t *instant) UnmarshalJSON(b []byte) error {
	t.Time = time.Time{}
	parsed, err := time.Parse(time.RFC3339, unquote(b))
	if err != nil {
		return nil //nolint:nilerr // see instant: the zero Time says it
	}
	// An offset can carry a time over either end of the years that RFC 3339 has.
	if utc := parsed.UTC(); utc.Year() >= 1 && utc.Year() <= 9999 {
		t.Time = utc
	}
	return nil
}

// sequence is a number that never fails to decode and never becomes a float64,
// which would lose its last digits.
type sequence uint64

// UnmarshalJSON reads digits, quoted or not; whatever else there is becomes 0.
func (s *sequence) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseUint(unquote(b), 10, 64)
	if err != nil {
		n = 0
	}
	*s = sequence(n)
	return nil
}

// unquote takes the quotes from a JSON string. It leaves escapes alone: a time
// or a number that needs them is not one that Graph wrote.
func unquote(b []byte) string {
	if len(b) >= 2 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	return string(b)
}
