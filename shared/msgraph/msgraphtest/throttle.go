package msgraphtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A Quota is how much may be used within any stretch of time of a length.
type Quota struct {
	Count int
	Per   time.Duration
}

// Limits are the [throttling limits] of Graph's services.
//
// Microsoft documents the counts and the lengths of time, and that calls which
// are throttled go on consuming. How it counts within the time is not known; the
// emulator takes the strictest reading, which is that no stretch of that length,
// wherever it begins, has more than the count, refused calls included. Retry-After
// tells when there is room for the call if nobody calls until then: who hammers
// does not recover before he stops.
//
// [throttling limits]: https://learn.microsoft.com/graph/throttling-limits
type Limits struct {
	// ResourceUnits and Writes are the directory's, for each app in each
	// tenant. Tenants with fewer than 50 users have 3,500 units, those with up to
	// 500 have 5,000 at most.
	ResourceUnits, Writes Quota
	// TenantWrites are the directory's, for each tenant over all apps.
	TenantWrites Quota
	// AppRequests are all requests of an app, whatever the service.
	AppRequests Quota
	// Subscriptions (create, update, delete) and SubscriptionList are requests to
	// the subscription service, for each app in each tenant.
	Subscriptions, SubscriptionList Quota
	// Protection are requests to Conditional Access and Identity Protection, for each tenant
	// over all apps; they are refused without a Retry-After. SignIns are requests to the
	// sign-in log, for each app in each tenant.
	Protection, SignIns Quota
}

// DefaultLimits returns the limits that Microsoft documents. Where two versions
// of its page disagree, the lower limit is used.
func DefaultLimits() Limits {
	const subscriptionWindow = 20 * time.Second
	return Limits{
		ResourceUnits:    Quota{8_000, 10 * time.Second},
		Writes:           Quota{3_000, 150 * time.Second},
		TenantWrites:     Quota{18_000, 5 * time.Minute},
		AppRequests:      Quota{2_000, time.Second},
		Subscriptions:    Quota{500, subscriptionWindow},
		SubscriptionList: Quota{25, subscriptionWindow},
		Protection:       Quota{1, time.Second},
		SignIns:          Quota{5, 10 * time.Second},
	}
}

// unitsOf is the tenant's quota of resource units, which goes by its users.
// s.mu is held.
func (s *Server) unitsOf(t *Tenant) Quota {
	q := s.opts.Limits.ResourceUnits
	switch users := len(t.dir.byUPN); {
	case users < 50:
		q.Count = min(q.Count, 3_500)
	case users <= 500:
		q.Count = min(q.Count, 5_000)
	}
	return q
}

// service names whose throttling limits a route falls under.
type service string

// The directory's limits are in resource units and writes; the other services count
// requests, the subscription service separately for two kinds of them.
const (
	directoryService   service = ""
	subscriptionWrites service = "subscriptions"
	subscriptionList   service = "subscriptions/list"
	protection         service = "protection"
	signInLog          service = "auditLogs/signIns"
)

// charge is what one call costs of one quota.
type charge struct {
	quota       Quota
	key         meterKey
	cost        int
	scope       string // x-ms-throttle-scope; "" where no such header is documented
	information string // x-ms-throttle-information
}

// meterKey tells apart what is counted apart; app or tenant is empty where all
// of them count together.
type meterKey struct {
	what        string
	app, tenant string
}

// charges lists what a call costs. s.mu is held.
func (s *Server) charges(c *call) []charge {
	l, app, tenant := s.opts.Limits, c.app.id, c.tenant.id
	list := []charge{{quota: l.AppRequests, key: meterKey{"requests", app, ""}, cost: 1}}
	quota := l.Subscriptions
	switch c.route.service {
	case directoryService:
		return append(list, s.directoryCharges(c)...)
	case subscriptionList:
		quota = l.SubscriptionList
	case signInLog:
		quota = l.SignIns
	case protection:
		return append(list, charge{quota: l.Protection, key: meterKey{string(protection), "", tenant}, cost: 1})
	case subscriptionWrites:
	}
	return append(list, charge{quota: quota, key: meterKey{string(c.route.service), app, tenant}, cost: 1})
}

func (s *Server) directoryCharges(c *call) []charge {
	l, app, tenant := s.opts.Limits, c.app.id, c.tenant.id
	both, onlyTenant := "Tenant_Application/ReadWrite/"+app+"/"+tenant, "Tenant/ReadWrite/"+tenant
	const unitLimit, writeLimit = "ResourceUnitLimitExceeded", "WriteLimitExceeded"
	list := []charge{{s.unitsOf(c.tenant), meterKey{"units", app, tenant}, c.units(), both, unitLimit}}
	if !c.route.write {
		return list
	}
	return append(list,
		charge{l.Writes, meterKey{"writes", app, tenant}, 1, both, writeLimit},
		charge{l.TenantWrites, meterKey{"writes", "", tenant}, 1, onlyTenant, writeLimit})
}

// units is what the call costs in resource units: the route's base, one less
// with $select and with $top below 20, never below one.
func (c *call) units() int {
	units := max(1, c.route.units)
	if c.query.Has("$select") {
		units--
	}
	if top, err := strconv.Atoi(c.query.Get("$top")); err == nil && top < 20 {
		units--
	}
	return max(1, units)
}

// throttle charges a call. A call that is over a quota is answered 429; one that is
// not gets headers that tell how it stands.
func (s *Server) throttle(c *call) (r reply, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	charges := s.charges(c)
	worst, wait := s.meters.longest(c.now, charges)
	s.meters.consume(c.now, charges)
	if wait > 0 {
		_, wait = s.meters.longest(c.now, charges) // the refusal itself may have filled another quota
		return worst.refusal(wait), false
	}
	if c.route.service != directoryService {
		return reply{}, true
	}
	r.setHeader("X-Ms-Resource-Unit", []string{strconv.Itoa(c.units())})
	if used := s.meters.fullest(charges); used > 0.8 {
		r.setHeader("X-Ms-Throttle-Limit-Percentage", []string{fmt.Sprintf("%.2f", used)})
	}
	return r, true
}

func (ch charge) refusal(wait time.Duration) reply {
	r := fail(http.StatusTooManyRequests, "TooManyRequests", "Too many requests.")
	if ch.key.what != string(protection) {
		r.setHeader("Retry-After", []string{retryAfter(wait)})
	}
	if ch.scope != "" {
		r.setHeader("X-Ms-Throttle-Scope", []string{ch.scope})
		r.setHeader("X-Ms-Throttle-Information", []string{ch.information})
	}
	return r
}

// meters hold what was used, by what is counted apart.
type meters map[meterKey]*meter

// longest returns the charge that has to wait longest for room, and how long.
func (m meters) longest(now time.Time, charges []charge) (worst charge, wait time.Duration) {
	for _, ch := range charges {
		if d := m.of(ch.key).wait(now, ch.quota, ch.cost); d > wait {
			worst, wait = ch, d
		}
	}
	return worst, wait
}

func (m meters) consume(now time.Time, charges []charge) {
	for _, ch := range charges {
		m.of(ch.key).add(now, ch.cost)
	}
}

// fullest is the largest share of a quota that is used.
func (m meters) fullest(charges []charge) float64 {
	share := 0.0
	for _, ch := range charges {
		share = max(share, float64(m.of(ch.key).sum)/float64(ch.quota.Count))
	}
	return share
}

func (m meters) of(key meterKey) *meter {
	if m[key] == nil {
		m[key] = new(meter)
	}
	return m[key]
}

// meter remembers what was used when, oldest first, one entry for each instant.
type meter struct {
	used []use
	sum  int
}

type use struct {
	at   time.Time
	cost int
}

// wait tells how long it takes until the window has room for cost, 0 if it has.
// What was used at t counts in all windows that begin at t or before, and so no
// more once quota.Per has passed.
func (m *meter) wait(now time.Time, quota Quota, cost int) time.Duration {
	m.forget(now.Add(-quota.Per))
	over := m.sum + cost - quota.Count
	if over <= 0 {
		return 0
	}
	for _, u := range m.used {
		if over -= u.cost; over <= 0 {
			return u.at.Add(quota.Per).Sub(now)
		}
	}
	return quota.Per // more than the whole quota
}

// forget drops what was used at the time or before.
func (m *meter) forget(until time.Time) {
	n := 0
	for n < len(m.used) && !m.used[n].at.After(until) {
		m.sum -= m.used[n].cost
		n++
	}
	m.used = m.used[n:] // append moves the rest once the front is worth reclaiming
}

func (m *meter) add(now time.Time, cost int) {
	m.sum += cost
	if last := len(m.used) - 1; last >= 0 && m.used[last].at.Equal(now) {
		m.used[last].cost += cost
		return
	}
	m.used = append(m.used, use{now, cost})
}
