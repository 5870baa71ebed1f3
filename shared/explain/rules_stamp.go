package explain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func notFound(m *matter) []hit {
	u, asked := m.User.Get()
	switch {
	case asked && u.Deleted:
		return []hit{{confidence: Certain, because: []Piece{PieceUser}, variant: "deleted"}}
	case asked && !u.Found:
		return one(Certain, PieceUser)
	}
	return nil
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
		return one(Certain, m.events[0].piece)
	}
	return nil
}

// guest is anybody who signs in at another tenant, a B2B member as well: whoever was
// invited is never stamped.
func guest(m *matter) []hit {
	u, asked := m.User.Get()
	if !asked || !invited(u.User) {
		return nil
	}
	return one(Certain, PieceUser)
}

func invited(u directory.User) bool {
	return strings.EqualFold(u.UserType, "Guest") || strings.EqualFold(u.CreationType, "Invitation") ||
		u.ExternalUserState != "" || strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#")
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
	if events := m.sameTwelveHours(); len(events) > 0 {
		h.confidence, h.because = Certain, append(h.because, pieces(events)...)
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
	h.params["changed"] = same(at(u.LastPasswordChange))
	return []hit{h}
}

// cure is a hit for a user without a stamp. Where sessionstamp would not stamp even on a
// person's word, the command is that of X14.
func (m *matter) cure(c Confidence) hit {
	h := hit{
		confidence: c, because: []Piece{PieceUser, PieceDomain},
		params: params{"ledger": m.ledgerText()}, command: commandStamp,
	}
	if l, asked := m.Ledger.Get(); asked {
		h.because = append(h.because, PieceLedger)
		if left, held := leftBecause[l.reason()]; held {
			h.command = left.command
		}
	}
	return h
}

// twelveHours is shown where the stamp is empty or unknown; X12 is for the others.
func twelveHours(m *matter) []hit {
	if at, known := m.stampOf(); known && !at.IsZero() {
		return nil
	}
	events := m.sameTwelveHours()
	if len(events) == 0 {
		return nil
	}
	return one(High, pieces(events)...)
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
	return regular(m.matching(func(e event) bool { return counts(e) && e.piece == PieceSignIns && !e.failed() }))
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
	events := m.sameTwelveHours()
	if !known || stamped.IsZero() || len(events) == 0 {
		return nil
	}
	return []hit{{
		confidence: Medium, because: append(pieces(events), PieceUser),
		params: params{"stamp": same(at(stamped))},
	}}
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
		confidence: High, because: []Piece{PieceUser, failed[0].piece},
		params: params{"stamp": same(at(stamped)), "who": phrases["who unknown"]},
	}
	if l, asked := m.Ledger.Get(); asked {
		h.because = append(h.because, PieceLedger)
		h.params["who"] = whoRevoked(l.Entry, stamped)
	}
	return []hit{h}
}

// whoRevoked tells whether the stamp is of our call.
func whoRevoked(e stamp.Entry, stamped time.Time) Text {
	const near = 2 * time.Minute // clocks differ, and answers are lost
	d := stamped.Sub(e.Called)
	if e.Called.IsZero() || d < -near || d > near {
		return phrases["who other"]
	}
	return phrases["who "+string(e.Source)].or(phrases["who ours"])
}

func leftAlone(m *matter) []hit {
	l, asked := m.Ledger.Get()
	left, held := leftBecause[l.reason()]
	if !asked || !held || !m.unstamped() {
		return nil
	}
	return []hit{{
		confidence: Certain, because: []Piece{PieceUser, PieceDomain, PieceLedger},
		params: params{"reason": left.text}, command: left.command,
	}}
}

// reason is why the user is left to a person, or what would be decided now.
func (l Ledger) reason() stamp.Reason {
	if l.Entry.State == stamp.StateCannotFix {
		return l.Entry.Reason
	}
	return l.Reason
}

// ledgerText says in a sentence what the ledger says.
func (m *matter) ledgerText() Text {
	l, asked := m.Ledger.Get()
	_, held := leftBecause[l.reason()]
	switch {
	case !asked:
		return phrases["ledger not asked"]
	case held:
		return phrases["ledger left"] // X14 says why
	case slices.Contains([]stamp.State{stamp.StateClaimed, stamp.StateCalled}, l.Entry.State):
		return phrases["ledger open"]
	case l.Entry.State == stamp.StateNone:
		return phrases["ledger nothing"]
	}
	return phrases["ledger state"].fill(params{"state": same(string(l.Entry.State)), "reason": same(string(l.Entry.Reason))})
}
