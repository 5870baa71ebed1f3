package explain

import (
	"cmp"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func notFound(m *matter) []hit {
	u, asked := m.User.Get()
	if !asked || u.Found {
		return nil
	}
	return one(Certain, PieceUser)
}

// disabled believes the sign-in log only where the user's own property is not known.
func disabled(m *matter) []hit {
	if u, asked := m.User.Get(); asked && u.AccountEnabled != nil {
		if *u.AccountEnabled {
			return nil
		}
		return one(Certain, PieceUser)
	}
	if len(m.events) > 0 && m.events[0].code.class == classDisabled {
		return one(Certain, PieceSignIns)
	}
	return nil
}

// guest is anybody who signs in at another tenant, a B2B member as well: whoever was
// invited is never stamped.
func guest(m *matter) []hit {
	u, asked := m.User.Get()
	if !asked || !u.Invited() && !strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#") {
		return nil
	}
	return one(Certain, PieceUser)
}

func managed(m *matter) []hit {
	d, asked := m.Domain.Get()
	if !asked || d.Federated {
		return nil
	}
	return one(Certain, PieceDomain)
}

func stampEmpty(m *matter) []hit {
	u, _ := m.User.Get()
	if !m.unstamped() || u.PasswordKnown && !u.LastPasswordChange.IsZero() {
		return nil
	}
	h := m.cure(High)
	if len(m.sameTwelveHours()) > 0 {
		h.confidence, h.because = Certain, append(h.because, PieceSignIns)
	}
	return []hit{h}
}

// stampEmptyPasswordSet is less sure: Microsoft's article speaks of the password's time,
// and of the stamp in its cure. It does not say what one of them does without the other.
func stampEmptyPasswordSet(m *matter) []hit {
	u, _ := m.User.Get()
	if !m.unstamped() || !u.PasswordKnown || u.LastPasswordChange.IsZero() {
		return nil
	}
	h := m.cure(Medium)
	h.params = params{"changed": at(u.LastPasswordChange)}
	return []hit{h}
}

// cure is a hit for a user without a stamp. Where sessionstamp would not stamp even on a
// person's word, the command is that of X14.
func (m *matter) cure(c Confidence) hit {
	h := hit{confidence: c, because: []Piece{PieceUser, PieceDomain}, command: commandStamp}
	l, _ := m.Ledger.Get()
	if left, held := leftBecause[l.reason()]; held {
		h.command = left.command
	}
	if m.excluded() {
		h.variant = "excluded" // nobody will take care of it
	}
	return h
}

// twelveHours is shown where the stamp is empty or unknown; X12 is for the others.
func twelveHours(m *matter) []hit {
	if at, known := m.stampOf(); known && !at.IsZero() {
		return nil
	}
	if len(m.sameTwelveHours()) == 0 {
		return nil
	}
	return one(High, PieceSignIns)
}

const (
	// classLifetime is how long a token lives without a stamp.
	classLifetime = 12 * time.Hour
	// Sign-ins are as far apart as the lifetime, give or take, where a person works on.
	leastGap, mostGap = 11 * time.Hour, 13 * time.Hour
	// sameGaps is how many such gaps in a row are no accident: those of three sign-ins.
	sameGaps = 2
	// settled is how long after a stamp tokens from before may still end.
	settled = 24 * time.Hour
)

// sameTwelveHours returns what shows that tokens end after 12 hours; nothing from before
// a stamp counts, nor from the day after it. A sign-in frequency of 12 hours looks the
// same between sign-ins, and external tenants have been seen with the same code: what this
// finds only confirms X10.
func (m *matter) sameTwelveHours() []event {
	stamped, _ := m.stampOf()
	counts := func(e event) bool { return stamped.IsZero() || e.Created.After(stamped.Add(settled)) }
	ended := m.matching(func(e event) bool {
		d, told := e.inactiveFor()
		return counts(e) && e.code.class == classInactive && told && d == classLifetime
	})
	if len(ended) > 0 {
		return ended
	}
	return regular(m.matching(func(e event) bool { return counts(e) && !e.failed() }))
}

// regular returns sign-ins to one app on one device, one after the other by the gap; the
// events come latest first.
func regular(events []event) []event {
	type pair struct{ app, device string }
	last, run := make(map[pair]time.Time), make(map[pair]int)
	for _, e := range events {
		key := pair{e.AppID, cmp.Or(e.DeviceID, e.UserAgent)}
		before, known := last[key]
		last[key] = e.Created
		if gap := before.Sub(e.Created); !known || gap < leastGap || gap > mostGap {
			run[key] = 0
			continue
		}
		if run[key]++; run[key] == sameGaps {
			return []event{e}
		}
	}
	return nil
}

func notCured(m *matter) []hit {
	stamped, known := m.stampOf()
	if !known || stamped.IsZero() || len(m.sameTwelveHours()) == 0 {
		return nil
	}
	return []hit{{confidence: Medium, because: []Piece{PieceSignIns, PieceUser}, params: params{"stamp": at(stamped)}}}
}

// justRevoked looks at the last failure alone: an older one says nothing of today.
func justRevoked(m *matter) []hit {
	stamped, known := m.stampOf()
	age := m.Now.Sub(stamped)
	failed := m.matching(event.failed)
	if !known || stamped.IsZero() || age > settled || len(failed) == 0 {
		return nil
	}
	if c := failed[0].code.class; c != classRevoked && c != classPassword {
		return nil
	}
	h := hit{
		confidence: High, because: []Piece{PieceUser, PieceSignIns},
		params: params{"stamp": at(stamped), "who": {Text: phrases["who unknown"]}},
	}
	if l, asked := m.Ledger.Get(); asked {
		h.because = append(h.because, PieceLedger)
		h.params["who"] = whoRevoked(l.Entry, stamped)
	}
	return []hit{h}
}

// whoRevoked tells whether the stamp is of our call.
func whoRevoked(e stamp.Entry, stamped time.Time) param {
	const near = 2 * time.Minute // clocks differ, and answers are lost
	d := stamped.Sub(e.Called)
	if e.Called.IsZero() || d < -near || d > near {
		return param{phrases["who other"], "other"}
	}
	return param{phrases["who "+string(e.Source)].or(phrases["who ours"]), string(e.Source)}
}

// justStamped looks at a stamp that has had no time to help yet.
func justStamped(m *matter) []hit {
	stamped, known := m.stampOf()
	age := m.Now.Sub(stamped)
	if !known || stamped.IsZero() || age < 0 || age > settled || !m.federated() || m.has("X13") {
		return nil
	}
	return []hit{{confidence: Certain, because: []Piece{PieceUser, PieceDomain}, params: params{"stamp": at(stamped)}}}
}

// excluded tells whether an exclusion keeps the user without a stamp.
func (m *matter) excluded() bool {
	l, asked := m.Ledger.Get()
	return asked && l.reason() == stamp.ReasonExcluded
}

func leftAlone(m *matter) []hit {
	l, asked := m.Ledger.Get()
	left, held := leftBecause[l.reason()]
	if !asked || !held || !m.unstamped() {
		return nil
	}
	return []hit{{
		confidence: Certain, because: []Piece{PieceUser, PieceDomain, PieceLedger},
		params: params{"reason": {left.text, string(l.reason())}}, command: left.command,
	}}
}

// reason is why the user is left to a person, or what would be decided now.
func (l Ledger) reason() stamp.Reason {
	switch l.Entry.State {
	case stamp.StateCannotFix:
		return l.Entry.Reason
	case stamp.StateClaimed, stamp.StateCalled:
		return stamp.ReasonReadBackPending
	default:
		return l.Reason
	}
}
