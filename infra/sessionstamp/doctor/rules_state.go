package doctor

import (
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

var stateRules = []rule{
	{"keeper_never_ran", Wrong, State, func(m matter) []hit {
		r, asked := m.Keeper.Get()
		return when(asked && r == (keeper.Record{}) && m.settled(), nil)
	}},
	{"taken_down", Wrong, State, eachRecord(func(_ matter, r keeper.Record) bool { return r.TakenDown })},
	{"subscription_missing", Wrong, State, eachRecord(func(_ matter, r keeper.Record) bool { return !r.TakenDown && r.Expires.IsZero() })},
	{"subscription_expired", Wrong, State, eachRecord(func(m matter, r keeper.Record) bool {
		return !r.TakenDown && !r.Expires.IsZero() && !r.Expires.After(m.Now)
	})},
	{"paused", Wrong, State, func(m matter) []hit {
		b, _ := m.Brake.Get()
		return when(!b.Paused.IsZero(), m.waiting(b.Paused))
	}},
	{"brake_reached", Wrong, State, func(m matter) []hit {
		b, _ := m.Brake.Get()
		return when(!b.Reached.IsZero(), m.waiting(b.Reached))
	}},
	{"sweep_never_ran", Wrong, State, func(m matter) []hit {
		c, asked := m.Sweep.Get()
		return when(asked && neverRan(c) && m.settled(), nil)
	}},
	{"full_round_late", Wrong, State, fullRoundLate},
	{"sign_in_refused", Wrong, State, attention("sign_in_refused")},
	{"keeper_failed", Wrong, State, attention("keeper_failed")},
	{"notifications_silent", Wrong, State, func(m matter) []hit {
		t, asked := m.Traffic.Get()
		return when(asked && t.Missed > 0 && t.Missed >= t.Stamped, params{"missed": count(t.Missed)})
	}},
	{"notifications_missed", Warning, State, func(m matter) []hit {
		t, asked := m.Traffic.Get()
		return when(asked && t.Missed > 0 && t.Missed < t.Stamped, params{"missed": count(t.Missed), "stamped": count(t.Stamped)})
	}},
	{"subscription_ends", Warning, State, eachRecord(func(m matter, r keeper.Record) bool {
		return !r.TakenDown && r.Expires.After(m.Now) && r.Expires.Before(m.Now.Add(leastLife))
	})},
	{"keeper_stuck", Warning, State, eachRecord(func(m matter, r keeper.Record) bool {
		return !r.Claimed.IsZero() && m.Now.Sub(r.Claimed) > time.Hour
	})},
	{"users_cannot_fix", Warning, State, func(m matter) []hit {
		t, _ := m.Traffic.Get()
		return when(t.CannotFix > 0, params{"n": count(t.CannotFix)})
	}},
	{"put_back", Warning, State, attention("put_back")},
	{"unreadable_user", Warning, State, attention("unreadable_user")},
	{"malformed_delivery", Warning, State, attention("malformed_delivery")},
	{"notifications_forged", Warning, State, func(m matter) []hit {
		t, _ := m.Traffic.Get()
		return when(t.Forged > 0, params{"n": count(t.Forged)})
	}},
	{"dry_run", Warning, State, func(m matter) []hit {
		d, deployed := m.deployed()
		return when(deployed && d.DryRun, nil)
	}},
	{"exclusion_unmatched", Warning, State, exclusionUnmatched},
	{"sweep_owed", Note, State, eachRecord(func(_ matter, r keeper.Record) bool { return r.SweepOwed && !r.TakenDown })},
	{"full_round_owed", Note, State, func(m matter) []hit {
		c, asked := m.Sweep.Get()
		return when(asked && !neverRan(c) && c.FullDue.IsZero(), nil)
	}},
}

// at is a moment in the person's time zone.
func (m matter) at(t time.Time) language.Text {
	if t.IsZero() {
		return language.Text{En: "an unknown time", Ja: "不明な日時"}
	}
	return plain(t.In(m.Now.Location()).Format("2006-01-02 15:04"))
}

// settled tells whether the stack is old enough that everything has run once.
func (m matter) settled() bool {
	d, deployed := m.deployed()
	return deployed && !m.busy() && m.Now.Sub(d.Created) > 2*time.Hour
}

// stopped tells whether stamping is known to be stopped on purpose.
func (m matter) stopped() bool {
	b, _ := m.Brake.Get()
	return !b.Paused.IsZero() || !b.Reached.IsZero()
}

// waiting tells since when nobody is stamped, and how many wait.
func (m matter) waiting(since time.Time) params {
	q, asked := m.Queue.Get()
	waiting := language.Text{En: "an unknown number of", Ja: "不明な数の"}
	if asked {
		waiting = language.Text{En: count(q.Waiting).En, Ja: count(q.Waiting).Ja + " 件の"}
	}
	return params{"since": m.at(since), "waiting": waiting}
}

// leastLife is how long a healthy subscription lives on at least: the alarm's threshold.
const leastLife = 240 * time.Hour

// eachRecord tries the keeper's record, where there is one.
func eachRecord(bad func(matter, keeper.Record) bool) func(matter) []hit {
	return func(m matter) []hit {
		r, asked := m.Keeper.Get()
		return when(asked && r != (keeper.Record{}) && bad(m, r), params{"expires": m.at(r.Expires), "claimed": m.at(r.Claimed)})
	}
}

// late is how long after it is due a full round has begun at the latest.
const late = 24 * time.Hour

// neverRan tells a checkpoint that no run has written; a wish for a full round changes nothing.
func neverRan(c sweep.Checkpoint) bool {
	return c.DeltaLink == "" && c.FullStarted.IsZero() && c.FullDue.IsZero()
}

// fullRoundLate hits a day after the daily round was due: the last one began two days ago. In
// a pause none begins.
func fullRoundLate(m matter) []hit {
	c, asked := m.Sweep.Get()
	b, _ := m.Brake.Get()
	if !asked || c.FullDue.IsZero() || !b.Paused.IsZero() || m.Now.Sub(c.FullDue) <= late {
		return nil
	}
	return []hit{{params{"due": m.at(c.FullDue)}, []Remedy{{Do: AskFullRound}}}}
}

// exclusionUnmatched names what has protected nobody in a whole round, but for what Entra
// says is not there.
func exclusionUnmatched(m matter) []hit {
	c, _ := m.Sweep.Get()
	e, _ := m.Excluded.Get()
	known := make(map[string]bool, len(e.Users))
	for _, id := range e.Users {
		known[id] = true
	}
	var unmatched []string
	for _, one := range unmatchedOf(c) {
		if !known[one] {
			unmatched = append(unmatched, one)
		}
	}
	return when(len(unmatched) > 0, params{"exclusions": list(unmatched)})
}

// unmatchedOf is empty while a round is under way: it has not seen everybody.
func unmatchedOf(c sweep.Checkpoint) []string {
	if !c.FullStarted.IsZero() {
		return nil
	}
	return c.Unmatched
}

// attention hits where the functions have called a person for a reason.
func attention(reason string) func(matter) []hit {
	return func(m matter) []hit {
		counts, _ := m.Attention.Get()
		return when(counts[reason] > 0, params{"n": count(counts[reason])})
	}
}
