package msgraphtest

import "time"

// How Graph judges endpoints, from "Throttling" (April 2026) in
// https://learn.microsoft.com/graph/change-notifications-delivery-webhooks.
const (
	healthWindow  = 10 * time.Minute // over which responses are counted
	slowShare     = 0.10             // of responses over firstAllowance: slow
	dropShare     = 0.15             // of responses over retryAllowance: dropped
	slowDelay     = 10 * time.Minute // of new notifications to a slow endpoint
	sentenceLife  = 10 * time.Minute // until a slow or dropped endpoint is looked at again
	minJudgement  = 100              // responses needed for a judgement, as the page said in 2022
	probesPerLook = 10               // responses that make the "small sample" of another look: our number
)

// standing is what Graph thinks of an endpoint.
type standing int

const (
	well standing = iota
	slow
	dropped
)

// health is the record of one endpoint. All times are on the hub's clock.
type health struct {
	standing  standing
	until     time.Duration // the end of the sentence, if the standing is one
	probes    int           // taken since then
	since     time.Duration // when the window of these counts began
	responses int
	overFirst int // took longer than a first try may
	overRetry int // took longer than a retry may
}

// postponement is how long a new notification to the endpoint is put off. Once
// the sentence of a slow endpoint is over, a few are not. It is called once for
// each.
func (h *health) postponement(now time.Duration) time.Duration {
	if h.standing != slow || h.probing(now) {
		return 0
	}
	return slowDelay
}

// admission is what becomes of a parcel that is due.
type admission int

const (
	admitted admission = iota
	rejected
	probe // admitted, with all the time that a retry has, to be judged by it
)

func (h *health) admission(now time.Duration) admission {
	switch {
	case h.standing != dropped:
		return admitted
	case h.probing(now):
		return probe
	}
	return rejected
}

// probing takes one of the few probes, if it is time for them.
func (h *health) probing(now time.Duration) bool {
	if now < h.until || h.probes >= probesPerLook {
		return false
	}
	h.probes++
	return true
}

// record counts a response and judges the endpoint when there are enough.
func (h *health) record(now, took time.Duration, enough int) {
	if h.standing == dropped && now < h.until {
		return // was under way when the endpoint was sentenced
	}
	if now-h.since >= healthWindow {
		h.since, h.responses, h.overFirst, h.overRetry = now, 0, 0, 0
	}
	h.responses++
	if took >= firstAllowance {
		h.overFirst++
	}
	if took >= retryAllowance {
		h.overRetry++
	}
	if h.standing != well && now >= h.until {
		enough = min(enough, probesPerLook)
	}
	if h.responses >= enough {
		h.judge(now)
	}
}

// judge lets the endpoint keep its standing, or gives it another.
func (h *health) judge(now time.Duration) {
	share := func(n int) float64 { return float64(n) / float64(h.responses) }
	switch {
	case share(h.overRetry) > dropShare:
		*h = health{standing: dropped, until: now + sentenceLife, since: now + sentenceLife}
	case h.standing == slow && now < h.until:
		// Serves its sentence, which only grows worse before its end.
	case share(h.overFirst) > slowShare:
		h.standing, h.until, h.probes = slow, now+sentenceLife, 0
	case h.standing != well:
		*h = health{standing: well, since: now}
	}
}

// judgedAfter is how many responses a judgement needs.
func (d *Delivery) judgedAfter() int {
	if d.JudgedAfter > 0 {
		return d.JudgedAfter
	}
	return minJudgement
}
