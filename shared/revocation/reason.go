package revocation

// Reason tells why a request ended, or was put back, as it was. Reasons are
// codes: they stand in logs, metrics and the ledger, and never change meaning.
type Reason string

// Reasons of [Policy].
const (
	// ReasonNewUser: in scope, without a stamp, and new when first seen: revoke.
	ReasonNewUser Reason = "new_user"
	// ReasonExistingUser: in scope and without a stamp, but created before the
	// new-user window: left to the backfill, and counted. With a Backfill
	// request, in mode enforce: revoke.
	ReasonExistingUser Reason = "existing_user"
	// ReasonStamped: has a stamp that was not ours.
	ReasonStamped Reason = "stamped"
	// ReasonGuest: userType Guest, or an account that was invited. Its sessions
	// belong to its home tenant.
	ReasonGuest Reason = "guest"
	// ReasonNotMember: userType is neither Member nor Guest.
	ReasonNotMember Reason = "not_member"
	// ReasonNotFederated: the domain of the user principal name is managed,
	// unverified, or not in the list.
	ReasonNotFederated Reason = "not_federated"
	// ReasonExcluded: excluded by the administrator.
	ReasonExcluded Reason = "excluded"
	// ReasonStampUnknown: Graph's answer did not hold the stamp's property, so
	// that nobody can say it is empty.
	ReasonStampUnknown Reason = "stamp_unknown"
	// ReasonCreatedUnknown: Graph shows no createdDateTime, so that nobody can
	// say the user is new.
	ReasonCreatedUnknown Reason = "created_unknown"
)

// Reasons for which the backfill leaves an existing user waiting.
const (
	// ReasonQuietHours: outside of the hours for existing users.
	ReasonQuietHours Reason = "quiet_hours"
	// ReasonCeilingRun: as many as a run may have were stamped.
	ReasonCeilingRun Reason = "ceiling_run"
	// ReasonCeilingHour: as many as an hour may have were stamped.
	ReasonCeilingHour Reason = "ceiling_hour"
	// ReasonCeilingShare: as large a share of the tenant was stamped as may be,
	// or nobody has counted its members yet.
	ReasonCeilingShare Reason = "ceiling_share"
	// ReasonBackfillUnavailable: the state of the backfill could not be read or
	// written.
	ReasonBackfillUnavailable Reason = "backfill_unavailable"
)

// Reasons of [Revoker], ends.
const (
	// ReasonRevoked: Graph accepted revokeSignInSessions; the stamp is to be
	// read back.
	ReasonRevoked Reason = "revoked"
	// ReasonDryRun: would have been revoked, but for the dry run.
	ReasonDryRun Reason = "dry_run"
	// ReasonReadBack: the stamp was read back after our revocation, and is not
	// older than the call.
	ReasonReadBack Reason = "read_back"
	// ReasonKnownStamped: the ledger knows the stamp; Graph was not asked.
	ReasonKnownStamped Reason = "known_stamped"
	// ReasonReadBackPending: revoked already, and the request that will read
	// the stamp back is in the queue.
	ReasonReadBackPending Reason = "read_back_pending"
	// ReasonNotFound: Graph did not know the user for longer than the
	// replication lag: deleted.
	ReasonNotFound Reason = "not_found"
	// ReasonForbidden: Graph refused the revocation for want of a right.
	ReasonForbidden Reason = "forbidden"
	// ReasonRefused: Graph refused the revocation for good, for another reason.
	ReasonRefused Reason = "refused"
	// ReasonStillEmpty: two accepted revocations left no stamp.
	ReasonStillEmpty Reason = "still_empty"
	// ReasonUnconfirmed: call after call, of which nobody could know whether it
	// took effect, left no stamp.
	ReasonUnconfirmed Reason = "unconfirmed"
	// ReasonOlderStamp: there is a stamp, but it stayed older than our call.
	ReasonOlderStamp Reason = "older_stamp"
	// ReasonKnownCannotFix: the ledger knows that this user can't be fixed.
	ReasonKnownCannotFix Reason = "known_cannot_fix"
	// ReasonInvalid: the request can't be read, or is of another tenant.
	ReasonInvalid Reason = "invalid"
	// ReasonAborted: the work on the whole batch broke off; the message comes
	// back.
	ReasonAborted Reason = "aborted"
	// ReasonGaveUp: put back for longer than GiveUpAfter.
	ReasonGaveUp Reason = "gave_up"
)

// Reasons of [Revoker] to try again later.
const (
	// ReasonClaimed: a claim stands, whose outcome is not known yet.
	ReasonClaimed Reason = "claimed"
	// ReasonOutcomeUnknown: our call may or may not have taken effect; wait
	// until a read can tell.
	ReasonOutcomeUnknown Reason = "outcome_unknown"
	// ReasonReadBackEarly: the request to read back came before its time.
	ReasonReadBackEarly Reason = "read_back_early"
	// ReasonEmptySeen: there is no stamp, though we called, or may have: a stale
	// replica, perhaps.
	ReasonEmptySeen Reason = "empty_seen"
	// ReasonOlderStampSeen: the stamp is older than our call: a stale replica,
	// perhaps.
	ReasonOlderStampSeen Reason = "older_stamp_seen"
	// ReasonNotFoundYet: Graph does not know the user, who may be too new for
	// the replica that answered.
	ReasonNotFoundYet Reason = "not_found_yet"
	// ReasonQuota: the write quota has no room within our patience.
	ReasonQuota Reason = "quota"
	// ReasonThrottled: Graph answered 429.
	ReasonThrottled Reason = "throttled"
	// ReasonGraphForbidden: Graph does not let the app read users, or refused a
	// call as a whole: a right or the consent to it is missing.
	ReasonGraphForbidden Reason = "graph_forbidden"
	// ReasonGraphUnavailable: Graph or the token endpoint failed.
	ReasonGraphUnavailable Reason = "graph_unavailable"
	// ReasonExclusionsUnavailable: the members of excluded groups could not be
	// read.
	ReasonExclusionsUnavailable Reason = "exclusions_unavailable"
	// ReasonDomainsUnavailable: the federated domains could not be read.
	ReasonDomainsUnavailable Reason = "domains_unavailable"
	// ReasonLedgerUnavailable: the ledger could not be read or written.
	ReasonLedgerUnavailable Reason = "ledger_unavailable"
	// ReasonQuotaUnavailable: the shared quota could not be asked.
	ReasonQuotaUnavailable Reason = "quota_unavailable"
	// ReasonOutOfTime: the invocation is about to end.
	ReasonOutOfTime Reason = "out_of_time"
)
