package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An event is a sign-in, and what its code means.
type event struct {
	SignIn
	code errorCode
}

func (e event) failed() bool { return e.ErrorCode != 0 }

// A matter is the evidence, as the rules ask for it, and what they have found so far.
type matter struct {
	Evidence
	// events are the sign-ins, the latest first.
	events []event
	found  []Finding
}

func newMatter(e Evidence) *matter {
	m := &matter{Evidence: e}
	signIns, _ := e.SignIns.Get()
	for _, s := range signIns {
		m.events = append(m.events, event{s, lookUp(s.ErrorCode)})
	}
	slices.SortStableFunc(m.events, func(a, b event) int { return b.Created.Compare(a.Created) })
	return m
}

// failures returns the failed sign-ins of the classes, the latest first.
func (m *matter) failures(classes ...class) []event {
	return m.matching(func(e event) bool { return e.failed() && slices.Contains(classes, e.code.class) })
}

func (m *matter) matching(is func(event) bool) (found []event) {
	for _, e := range m.events {
		if is(e) {
			found = append(found, e)
		}
	}
	return found
}

// seen is a hit if there are events, which it counts by code.
func seen(c Confidence, variant string, events []event) []hit {
	if len(events) == 0 {
		return nil
	}
	return []hit{{confidence: c, variant: variant, because: []Piece{PieceSignIns}, params: params{"codes": countCodes(events)}}}
}

// countCodes lists the codes of the events with their meaning, the most frequent first.
func countCodes(events []event) param {
	counts := make(map[int]int)
	for _, e := range events {
		counts[e.ErrorCode]++
	}
	numbers := make([]int, 0, len(counts))
	for n := range counts {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Or(counts[b]-counts[a], a-b) })
	var english, japanese, codes []string
	for _, n := range numbers {
		c := lookUp(n)
		codes = append(codes, strconv.Itoa(n))
		english = append(english, fmt.Sprintf("%d × %d: %s", n, counts[n], c.meaning.English))
		japanese = append(japanese, fmt.Sprintf("%d × %d 回: %s", n, counts[n], c.meaning.Japanese))
	}
	return param{Text{strings.Join(english, "; "), strings.Join(japanese, "、")}, strings.Join(codes, " ")}
}

// federated tells whether the user's domain is known as federated.
func (m *matter) federated() bool {
	d, asked := m.Domain.Get()
	return asked && d.Federated
}

// stampOf returns the stamp, zero where it is empty, and whether it is known.
func (m *matter) stampOf() (time.Time, bool) {
	u, asked := m.User.Get()
	return u.SignInSessionsValidFrom, asked && u.Found && u.StampKnown
}

// unstamped tells whether the user is a member of a federated domain, without a stamp.
func (m *matter) unstamped() bool {
	u, _ := m.User.Get()
	at, known := m.stampOf()
	member := u.UserType == "" || strings.EqualFold(u.UserType, "Member")
	return known && at.IsZero() && member && m.federated()
}

// at is a time.
func at(t time.Time) param {
	return param{same(t.UTC().Format("2006-01-02 15:04 UTC")), t.UTC().Format(time.RFC3339)}
}
