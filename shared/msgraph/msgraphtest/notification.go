package msgraphtest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"
)

// How Graph writes moments: the entity's and the newer notifications', and the
// older notifications'.
const (
	graphTime  = "2006-01-02T15:04:05.9999999Z"
	offsetTime = "2006-01-02T15:04:05.0000000+00:00"
)

// ticksAtUnixEpoch are the 100 ns since the year 1 of .NET's clock, in which
// the sequence numbers seen are written; today they are above 2^53.
const ticksAtUnixEpoch = 621_355_968_000_000_000

// notification tells one subscription of one change.
type notification struct {
	sub      *subscription
	user     string
	sequence int64
	modern   bool // written as [StringSequence]
	time     time.Time
}

// newNotification numbers a notification. s.mu is held.
func (s *Server) newNotification(sub *subscription, userID string, now time.Time) *notification {
	shape := s.opts.Delivery.Shape
	s.hub.sequence = max(s.hub.sequence+1, now.UnixNano()/100+ticksAtUnixEpoch)
	return &notification{
		sub: sub, user: userID, time: now, sequence: s.hub.sequence,
		modern: shape == StringSequence || shape == MixedSequence && s.chance(0.5),
	}
}

// changeCollection is the body of a POST to a notification URL:
// https://learn.microsoft.com/graph/api/resources/changenotificationcollection.
type changeCollection struct {
	Value []changeItem `json:"value"`
}

// changeItem is one change:
// https://learn.microsoft.com/graph/api/resources/changenotification.
type changeItem struct {
	ID           string       `json:"id,omitempty"`
	ChangeType   string       `json:"changeType"`
	ClientState  *string      `json:"clientState"`
	Resource     string       `json:"resource"`
	ResourceData resourceData `json:"resourceData"`
	Expiration   string       `json:"subscriptionExpirationDateTime"`
	Subscription string       `json:"subscriptionId"`
	Tenant       string       `json:"tenantId"`
}

// resourceData names the user. Its members are those of Event Grid's
// https://learn.microsoft.com/azure/event-grid/microsoft-entra-events.
type resourceData struct {
	Type         string `json:"@odata.type"`
	Reference    string `json:"@odata.id"`
	ID           string `json:"id"`
	Organization string `json:"organizationId"`
	EventTime    string `json:"eventTime"`
	Sequence     any    `json:"sequenceNumber"` // an int64 or a string of its digits
}

// item writes the notification in its form.
func (n *notification) item() changeItem {
	item := changeItem{
		ChangeType:  "updated",
		ClientState: orNull(n.sub.clientState),
		Resource:    "Users/" + n.user,
		ResourceData: resourceData{
			Type: "#Microsoft.Graph.User", Reference: "Users/" + n.user, ID: n.user,
			Organization: n.sub.tenant.id, EventTime: n.time.UTC().Format(graphTime), Sequence: n.sequence,
		},
		Expiration:   n.sub.expires.UTC().Format(offsetTime),
		Subscription: n.sub.id,
		Tenant:       n.sub.tenant.id,
	}
	if n.modern {
		n.modernize(&item)
	}
	return item
}

// modernize changes what the newer form writes differently.
func (n *notification) modernize(item *changeItem) {
	item.ID = base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(n.sequence))) + "AA"
	item.Resource = "users/" + n.user
	item.ResourceData.Type = "#microsoft.graph.user"
	item.ResourceData.Reference = item.Resource
	item.ResourceData.Sequence = strconv.FormatInt(n.sequence, 10)
	item.Expiration = n.sub.expires.UTC().Format(graphTime)
}

// render writes the parcel's body. s.mu is held.
func (p *parcel) render() []byte {
	collection := changeCollection{Value: make([]changeItem, len(p.notifications))}
	for i, n := range p.notifications {
		collection.Value[i] = n.item()
	}
	return mustJSON(collection)
}

// mustJSON writes what is made of strings and numbers only.
func mustJSON(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("msgraphtest: " + err.Error())
	}
	return body
}
