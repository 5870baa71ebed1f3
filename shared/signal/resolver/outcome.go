package resolver

import (
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// Why a message ended as it did, beside the reasons of package signal for a subject that is
// not resolved.
const (
	// Queued: the user's request is in the stamper's queue.
	Queued signal.Reason = "queued"
	// Heard: the source was only heard.
	Heard signal.Reason = "heard"
)

// Why a message is left to its queue.
const (
	Invalid             signal.Reason = "invalid"
	NotFoundYet         signal.Reason = "not_found_yet"
	Throttled           signal.Reason = "throttled"
	GraphForbidden      signal.Reason = "graph_forbidden"
	GraphUnavailable    signal.Reason = "graph_unavailable"
	DomainsUnavailable  signal.Reason = "domains_unavailable"
	RegistryUnavailable signal.Reason = "registry_unavailable"
	QueueUnavailable    signal.Reason = "queue_unavailable"
	OutOfTime           signal.Reason = "out_of_time"
)

// An Outcome tells what became of one message.
type Outcome struct {
	// Source is the id of the source.
	Source string
	// Kind is empty where the source was only heard.
	Kind   signal.Kind
	Reason signal.Reason
	// User is the object id, and set only where Reason is [Queued].
	User string
	// Waited is how long ago the message was received.
	Waited time.Duration
	// Err is why the message is left to its queue, else nil. It names nobody.
	Err error
}
