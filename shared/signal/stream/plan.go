package stream

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// The statuses of a stream (section 8.1.2).
const (
	enabled  = "enabled"
	paused   = "paused"
	disabled = "disabled"
)

const (
	// hourly is how often a stream is verified, less a few minutes: the keeper's schedule
	// is not exact, and must not miss every fourth run.
	hourly = 55 * time.Minute
	// beforeInactivity is the part of the transmitter's inactivity_timeout after which a
	// verification is due: a call at half of it leaves time for one that fails.
	beforeInactivity = 2
)

// A step is one call of the management API.
type step string

const (
	look    step = "look"    // read the stream, or all there are for us
	create  step = "create"  // make it
	update  step = "update"  // give it our address, secret and events again
	renew   step = "renew"   // delete it, to make it anew: it was updated, and stayed as it was
	ask     step = "ask"     // read its status
	resume  step = "resume"  // enable it
	verify  step = "verify"  // ask for a verification event
	done    step = "done"    // nothing is left to do
	blocked step = "blocked" // a person has to do something
)

// A view is what is known of a stream while it is kept.
type view struct {
	stream signal.Stream
	// endpoint and given are what the stream shall deliver to, and the fingerprint of all
	// that it shall be made with.
	endpoint, given string
	events          []string
	// retired are our earlier secrets.
	retired []string
	// stored is the stream's id as it was stored before, empty for none.
	stored string
	// found is the stream at the transmitter, nil for none yet.
	found *configuration
	// conflict tells that the transmitter has a stream for us and makes no second one.
	conflict bool
	// did are the steps that were taken. Each is taken once; look again after a conflict.
	did map[step]bool
}

// next decides what to do, and what is wrong where a person has to do it.
func (v *view) next(now time.Time) (step, Problem) {
	switch {
	case !v.did[look]:
		return look, ""
	case v.found == nil && v.conflict:
		return blocked, Occupied
	case v.found == nil:
		return create, ""
	case v.found.Issuer != "" && v.found.Issuer != v.stream.Issuer:
		return blocked, OtherIssuer
	case v.found.ID == "" || len(v.found.Audiences) == 0 || slices.Contains(v.found.Audiences, ""):
		return blocked, Unreadable
	case v.outdated() && v.did[update] && !v.did[renew]:
		return renew, "" // or all that comes is refused, once the earlier secret is gone
	case v.differs() && v.did[update]:
		return blocked, NotAccepted
	case v.differs():
		return update, ""
	case v.stream.StatusEndpoint != "" && !v.did[ask]:
		return ask, ""
	case v.stream.Status == paused && v.stream.StatusEndpoint != "" && !v.did[resume]:
		return resume, ""
	case v.stream.Status != enabled && v.stream.Status != "":
		return blocked, NotEnabled
	case v.stream.VerificationEndpoint != "" && v.stored == v.stream.ID && !v.did[verify] && v.due(now):
		// What comes on a new stream is only understood once the stream is stored.
		return verify, ""
	}
	return done, ""
}

// differs compares what the transmitter has with what we want. What it does not tell is
// taken as right, and so are events that it does not support. A secret is seldom given
// back, or masked: a fingerprint tells whether it was given.
func (v *view) differs() bool {
	has, address := slices.Concat(v.found.Requested, v.found.Delivered), v.found.Delivery.Endpoint
	missing := len(has) > 0 && slices.ContainsFunc(v.events, func(event string) bool {
		return slices.Contains(v.found.Supported, event) && !slices.Contains(has, event)
	})
	return missing || address != "" && address != v.endpoint || v.stream.Given != v.given || v.outdated()
}

// outdated tells whether the transmitter still sends an earlier secret. Keycloak's answers
// hold the one that it sends.
func (v *view) outdated() bool {
	return slices.Contains(v.retired, v.found.Delivery.Authorization)
}

// due tells whether a verification is to be asked for.
func (v *view) due(now time.Time) bool {
	interval := hourly
	if limit := v.found.MaxInactivity.duration(); limit > 0 {
		interval = min(interval, limit/beforeInactivity)
	}
	interval = max(interval, v.found.MinInterval.duration())
	passed := now.Sub(v.stream.Asked)
	return passed < 0 || passed >= interval
}

// choose finds the stream that is ours: by its address, or at least by its host, which a
// source that was removed and added again has left behind. One that delivers to another
// host is somebody else's.
func choose(streams []configuration, endpoint string) *configuration {
	for _, ours := range []func(address string) bool{
		func(address string) bool { return address == endpoint },
		func(address string) bool { return host(address) != "" && host(address) == host(endpoint) },
	} {
		if i := slices.IndexFunc(streams, func(c configuration) bool { return ours(c.Delivery.Endpoint) }); i >= 0 {
			return &streams[i]
		}
	}
	return nil
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

const (
	credentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
	sessionRevoked   = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	accountDisabled  = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	accountPurged    = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
)

// eventsOf are those that a transmitter is asked for. authentik refuses what it does not
// know, where others ignore it (section 8.1.1):
// https://github.com/goauthentik/authentik/blob/main/authentik/enterprise/providers/ssf/models.py
func eventsOf(p signal.Provider, sessionsRevoked bool) []string {
	events := []string{credentialChange}
	if p != signal.Authentik {
		events = append(events, accountDisabled, accountPurged)
	}
	if sessionsRevoked {
		events = append(events, sessionRevoked)
	}
	return events
}

// fingerprint is the same for the same configuration and secret.
func fingerprint(w wanted) string {
	w.ID = ""
	raw, err := json.Marshal(w)
	if err != nil { // strings can always be written
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// absent are the answers of a transmitter that does not have a call, or not the stream.
func absent(status int) bool {
	return status == http.StatusNotFound || unsupported(status)
}

func unsupported(status int) bool {
	return status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}
