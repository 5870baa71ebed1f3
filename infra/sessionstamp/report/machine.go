package report

import (
	"math"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Memory is what this machine's file holds of the tenant. Its zero value is that of a
// machine which has done nothing.
type Memory struct {
	// Entries are those of users whom this machine has called, and of those without a stamp.
	Entries []stamp.Entry
	// Swept is a time at which a full round had certainly begun that has ended since; zero
	// if there was none lately.
	Swept time.Time
}

// Machine is what this machine has done.
type Machine struct {
	// Stamped users, of whom ByPerson were named by a person, and BySignal by a provider. Of
	// FoundBySweep no notification had told.
	Stamped      int `json:"stamped"`
	ByPerson     int `json:"byPerson"`
	BySignal     int `json:"bySignal,omitempty"`
	FoundBySweep int `json:"foundBySweep"`
	// First and Last are the times of its first and last call.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Speed is nil if it has stamped nobody by itself.
	Speed *Speed `json:"speed,omitempty"`
}

// Speed tells how long new users waited from their creation to the stamp. Graph shows the
// creation in whole seconds.
type Speed struct {
	Users     int      `json:"users"`
	Median    float64  `json:"medianSeconds"`
	P95       float64  `json:"p95Seconds"`
	Longest   float64  `json:"longestSeconds"`
	Histogram []Bucket `json:"histogram"`
}

// A Bucket counts the users who waited less than so many seconds, and not less than the
// bucket before; the last one has no bound.
type Bucket struct {
	Below float64 `json:"belowSeconds,omitempty"`
	Users int     `json:"users"`
}

// Zeros are the promises, as numbers that should be 0. One that is not known is nil.
type Zeros struct {
	// Missed are in scope and new, were there when this machine last looked at everybody,
	// and have no stamp.
	Missed *int `json:"missedInScope,omitempty"`
	// CalledAgain had a second call later, after two reads had shown no stamp. More than
	// these this machine can't have signed out twice.
	CalledAgain *int `json:"calledAgainLate,omitempty"`
	// OutOfScope were stamped by this machine and are, as the directory shows them today,
	// out of scope; or they were too old for it when it stamped them by itself.
	OutOfScope *int `json:"outOfScope,omitempty"`
}

// called are the entries of those whom this machine has stamped.
func (m *maker) called() (entries []stamp.Entry) {
	for _, e := range m.Memory.Entries {
		if !e.Called.IsZero() {
			entries = append(entries, e)
		}
	}
	return entries
}

func (m *maker) machine() *Machine {
	entries := m.called()
	if len(entries) == 0 {
		return nil
	}
	done := &Machine{Stamped: len(entries), First: entries[0].Called.UTC(), Last: entries[0].Called.UTC()}
	var waits []time.Duration
	for _, e := range entries {
		if done.First.After(e.Called) {
			done.First = e.Called.UTC()
		}
		if done.Last.Before(e.Called) {
			done.Last = e.Called.UTC()
		}
		switch e.Source {
		case stamp.SourcePerson:
			done.ByPerson++
			continue
		case stamp.SourceSignal: // of an existing user the time since the creation tells nothing
			done.BySignal++
			continue
		case stamp.SourceSweep:
			done.FoundBySweep++
		case stamp.SourceNotification:
		}
		if wait := e.Called.Sub(e.Created); !e.Created.IsZero() && wait >= 0 {
			waits = append(waits, wait)
		}
	}
	done.Speed = SpeedOf(waits)
	return done
}

var bounds = [...]float64{2, 5, 10, 30, 60, 300, 3600}

// SpeedOf counts how long users waited, nil if nobody did. It sorts waits.
func SpeedOf(waits []time.Duration) *Speed {
	if len(waits) == 0 {
		return nil
	}
	slices.Sort(waits)
	rank := func(percent int) float64 {
		return math.Round(10*waits[(len(waits)*percent+99)/100-1].Seconds()) / 10
	}
	s := &Speed{Users: len(waits), Median: rank(50), P95: rank(95), Longest: rank(100)}
	from := 0
	for _, bound := range bounds {
		to := from
		for to < len(waits) && waits[to].Seconds() < bound {
			to++
		}
		s.Histogram = append(s.Histogram, Bucket{bound, to - from})
		from = to
	}
	s.Histogram = append(s.Histogram, Bucket{Users: len(waits) - from})
	return s
}

func (m *maker) zeros(unstamped []directory.User) (z Zeros) {
	if !m.Memory.Swept.IsZero() {
		z.Missed = new(int)
		for _, u := range unstamped {
			if m.missed(u) {
				*z.Missed++
			}
		}
	}
	if entries := m.called(); len(entries) > 0 {
		z.CalledAgain, z.OutOfScope = new(int), new(int)
		for _, e := range entries {
			if e.Again {
				*z.CalledAgain++
			}
			if m.outside(e) {
				*z.OutOfScope++
			}
		}
	}
	return z
}

// inTime is how long after its creation a user is left to the notification.
const inTime = 15 * time.Minute

// missed tells whether the last full round should have found the user, who is new even now.
func (m *maker) missed(u directory.User) bool {
	return u.Created.Before(m.Memory.Swept.Add(-inTime)) && m.decide(u, m.Now) == stamp.ReasonNew &&
		m.reason(u) != stamp.ReasonReadBackPending
}

// outside tells whether a user should not have been stamped. Of one who is no longer there
// nothing is known.
func (m *maker) outside(e stamp.Entry) bool {
	u, there := m.users[e.User]
	if !there {
		return false
	}
	reason := m.decide(u, e.Claimed)
	byItself := (e.Source == stamp.SourceNotification || e.Source == stamp.SourceSweep) && !e.Again
	return reason != stamp.ReasonNew && (reason != stamp.ReasonExisting || byItself)
}
