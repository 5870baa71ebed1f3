package stamp

// Reason says why a request ended as it did. The values are codes in logs, metrics and
// the ledger.
type Reason string

// Why a user is stamped or left alone.
const (
	ReasonNew          Reason = "new"
	ReasonApproved     Reason = "approved"
	ReasonSignal       Reason = "signal"
	ReasonStamped      Reason = "stamped"
	ReasonExisting     Reason = "existing"
	ReasonGuest        Reason = "guest"
	ReasonNotMember    Reason = "not_member"
	ReasonNotFederated Reason = "not_federated"
	ReasonExcluded     Reason = "excluded"
	ReasonDryRun       Reason = "dry_run"
	// ReasonReported: a signal would have the user stamped again, if signals were
	// enforced.
	ReasonReported Reason = "reported"
	ReasonNotFound Reason = "not_found"
	// ReasonCalled: Graph accepted the call. ReasonReadBack: its stamp was seen.
	ReasonCalled          Reason = "called"
	ReasonReadBack        Reason = "read_back"
	ReasonReadBackPending Reason = "read_back_pending"
	ReasonKnownStamped    Reason = "known_stamped"
)

// Why a user is left to a person.
const (
	ReasonForbidden      Reason = "forbidden"
	ReasonRefused        Reason = "refused"
	ReasonStillEmpty     Reason = "still_empty"
	ReasonKnownCannotFix Reason = "known_cannot_fix"
)

// Why a request is put back.
const (
	ReasonClaimed               Reason = "claimed"
	ReasonConflict              Reason = "conflict" // another worker has written the entry
	ReasonOutcomeUnknown        Reason = "outcome_unknown"
	ReasonReadBackEarly         Reason = "read_back_early"
	ReasonEmptySeen             Reason = "empty_seen"
	ReasonStampUnknown          Reason = "stamp_unknown"
	ReasonNotFoundYet           Reason = "not_found_yet"
	ReasonDomainUnknown         Reason = "domain_unknown"
	ReasonBrake                 Reason = "brake"
	ReasonPaused                Reason = "paused" // by a person
	ReasonBrakeUnavailable      Reason = "brake_unavailable"
	ReasonThrottled             Reason = "throttled"
	ReasonGraphForbidden        Reason = "graph_forbidden"
	ReasonGraphUnavailable      Reason = "graph_unavailable"
	ReasonExclusionsUnavailable Reason = "exclusions_unavailable"
	ReasonDomainsUnavailable    Reason = "domains_unavailable"
	ReasonLedgerUnavailable     Reason = "ledger_unavailable"
	ReasonOutOfTime             Reason = "out_of_time"
)

// Why a message is left to the queue.
const (
	ReasonInvalid Reason = "invalid"
	ReasonAborted Reason = "aborted"
	ReasonGaveUp  Reason = "gave_up"
)
