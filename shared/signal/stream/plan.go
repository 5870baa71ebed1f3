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

const (
	// hourly is how often a stream is verified, less a few minutes: the keeper's schedule
	// is not exact, and must not miss every fourth run.
	hourly = 55 * time.Minute
	// beforeInactivity is the part of the transmitter's inactivity_timeout after which a
	// verification is due: a call at half of it leaves time for one that fails.
	beforeInactivity = 2
)

// differs compares what the transmitter has with what we want. What it does not tell is
// taken as right, and so are events that it does not support. A secret is seldom given
// back, or masked: a fingerprint tells whether it was given.
func (r *run) differs() bool {
	has, address := slices.Concat(r.found.Requested, r.found.Delivered), r.found.Delivery.Endpoint
	missing := len(has) > 0 && slices.ContainsFunc(r.want.Events, func(event string) bool {
		return slices.Contains(r.found.Supported, event) && !slices.Contains(has, event)
	})
	return missing || address != "" && address != r.want.Delivery.Endpoint || r.stream.Given != r.given || r.outdated()
}

// outdated tells whether the transmitter still sends an earlier secret. Keycloak's answers
// hold the one that it sends.
func (r *run) outdated() bool {
	return slices.Contains(r.retired, r.found.Delivery.Authorization)
}

// due tells whether a verification is to be asked for, after the last one.
func (c *configuration) due(asked, now time.Time) bool {
	interval := hourly
	if limit := c.MaxInactivity.duration(); limit > 0 {
		interval = min(interval, limit/beforeInactivity)
	}
	interval = max(interval, c.MinInterval.duration())
	passed := now.Sub(asked)
	return passed < 0 || passed >= interval
}

// choose finds the stream that is ours: by its address. Another source of ours may have one
// at the same transmitter, and would lose its signals to us.
func choose(streams []configuration, endpoint string) *configuration {
	i := slices.IndexFunc(streams, func(c configuration) bool { return c.Delivery.Endpoint == endpoint })
	if i < 0 {
		return nil
	}
	return &streams[i]
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

const (
	credentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change" //nolint:gosec // a name, and no secret
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
