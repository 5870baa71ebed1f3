package stamp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// stateTable is the whole decision, a row for each case: what the ledger says, what was
// read, who asks; and what follows. ARCHITECTURE.md shows the same rows.
const stateTable = `
| ledger                | user                        | request   | verdict | reason            | ledger then        |
|-----------------------|-----------------------------|-----------|---------|-------------------|--------------------|
| stamped               | (not read)                  | automatic | done    | known_stamped     |                    |
| stamped               | stamp older than t          | person t  | call    | approved          | claimed            |
| cannot_fix            | (not read)                  | automatic | done    | known_cannot_fix  |                    |
| cannot_fix            | new                         | person    | call    | approved          | claimed            |
| cannot_fix a day old  | new                         | automatic | call    | new               | claimed            |
| never seen a day old  | (not read)                  | read back | done    | known_cannot_fix  |                    |
| never seen a day old  | new                         | automatic | done    | still_empty       | cannot_fix         |
| never seen a day old  | stamp                       | automatic | done    | stamped           | stamped            |
| never seen a day old  | new                         | person    | call    | approved          | claimed            |
| claimed now           | (not read)                  | automatic | later   | claimed           |                    |
| called now            | (not read)                  | automatic | done    | read_back_pending |                    |
| called now            | (not read)                  | person t  | later   | read_back_early   |                    |
| called now            | (not read)                  | read back | later   | read_back_early   |                    |
| called                | stamp                       | read back | done    | read_back         | stamped            |
| claimed               | stamp                       | automatic | done    | read_back         | stamped            |
| called                | new                         | read back | later   | empty_seen        | called empty       |
| claimed               | new                         | automatic | later   | empty_seen        | claimed empty      |
| claimed empty         | new                         | read back | call    | new               | claimed again      |
| called empty          | existing                    | read back | done    | existing          |                    |
| called empty          | guest                       | read back | done    | guest             |                    |
| claimed again         | new                         | read back | later   | empty_seen        | claimed empty again|
| claimed empty again   | new                         | read back | done    | still_empty       | cannot_fix         |
| nothing               | not found                   | automatic | done    | not_found         |                    |
| nothing               | not found                   | seen now  | later   | not_found_yet     |                    |
| nothing               | stamp unknown               | automatic | later   | stamp_unknown     |                    |
| nothing               | stamp                       | automatic | done    | stamped           | stamped            |
| nothing               | stamp                       | person    | done    | stamped           | stamped            |
| nothing               | stamp older than t          | person t  | call    | approved          | claimed            |
| nothing               | guest                       | person    | done    | guest             |                    |
| nothing               | invited member              | person    | done    | guest             |                    |
| nothing               | other type                  | person    | done    | not_member        |                    |
| nothing               | excluded by pattern         | person    | done    | excluded          |                    |
| nothing               | excluded by group           | person    | done    | excluded          |                    |
| nothing               | managed                     | person    | done    | not_federated     |                    |
| nothing               | doubtful                    | automatic | later   | domain_unknown    |                    |
| nothing               | existing                    | automatic | done    | existing          |                    |
| nothing               | existing                    | person    | call    | approved          | claimed            |
| nothing               | no type                     | automatic | done    | existing          |                    |
| nothing               | no date                     | automatic | done    | existing          |                    |
| nothing               | no date                     | person    | call    | approved          | claimed            |
| nothing               | new                         | automatic | call    | new               | claimed            |
| nothing               | new                         | signal    | call    | new               | claimed            |
| nothing               | existing                    | signal    | call    | signal            | claimed            |
| nothing               | stamp                       | signal    | call    | signal            | claimed            |
| nothing               | stamp after t               | signal    | done    | stamped           | stamped            |
| nothing               | existing                    | former    | done    | existing          |                    |
| nothing               | new                         | former    | call    | new               | claimed            |
| nothing               | stamp                       | reported  | done    | reported          |                    |
| nothing               | new                         | reported  | call    | new               | claimed            |
| nothing               | guest                       | signal    | done    | guest             |                    |
| nothing               | excluded by group           | signal    | done    | excluded          |                    |
| nothing               | managed                     | signal    | done    | not_federated     |                    |
| stamped               | stamp                       | signal    | call    | signal            | claimed            |
| cannot_fix            | stamp                       | signal    | call    | signal            | claimed            |
| never seen a day old  | existing                    | signal    | call    | signal            | claimed            |
| called now            | (not read)                  | signal    | done    | read_back_pending |                    |
| called                | stamp                       | signal    | call    | signal            | claimed            |
| called                | stamp                       | reported  | done    | reported          | stamped            |
| claimed               | stamp                       | reported  | done    | reported          | stamped            |
`

var noon = time.Date(2026, time.November, 3, 12, 0, 0, 0, time.UTC)

func entryOf(t *testing.T, words string) (e stamp.Entry) {
	t.Helper()
	past := noon.Add(-time.Hour)
	e = stamp.Entry{Tenant: tenant, User: userID(1), Version: 1, Claimed: past, Updated: past}
	for _, word := range strings.Fields(words) {
		switch word {
		case "nothing":
			e = stamp.Entry{}
		case "stamped":
			e.State, e.Stamp = stamp.StateStamped, past
		case "cannot_fix":
			e.State = stamp.StateCannotFix
		case "never":
			e.State, e.Reason = stamp.StateCannotFix, stamp.ReasonStillEmpty
		case "a":
			e.Updated = noon.Add(-24 * time.Hour)
		case "claimed":
			e.State = stamp.StateClaimed
		case "called":
			e.State, e.Called = stamp.StateCalled, past
		case "now":
			e.Claimed, e.Updated = noon.Add(-30*time.Second), noon.Add(-30*time.Second)
			if e.State == stamp.StateCalled {
				e.Called = e.Claimed
			}
		case "empty":
			e.EmptyReads = 1
		case "again":
			e.Again = true
		case "day", "old", "seen":
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	return e
}

func factsOf(t *testing.T, words string) stamp.Facts {
	t.Helper()
	f := stamp.Facts{Found: true, Federation: stamp.Federated, User: directory.User{
		ID: userID(1), UserPrincipalName: "a@federated.example", UserType: "Member", Created: noon.Add(-time.Hour), StampKnown: true,
	}}
	switch words {
	case "new", "(not read)":
	case "stamp":
		f.User.SignInSessionsValidFrom = noon.Add(-time.Hour)
	case "stamp older than t":
		f.User.SignInSessionsValidFrom = noon.Add(-time.Hour)
		f.User.Created = noon.Add(-1000 * time.Hour)
	case "stamp after t":
		f.User.SignInSessionsValidFrom = noon.Add(-10 * time.Minute)
	case "not found":
		f = stamp.Facts{}
	case "stamp unknown":
		f.User.StampKnown = false
	case "guest":
		f.User.UserType = "guest"
	case "invited member":
		f.User.CreationType = "Invitation"
	case "other type":
		f.User.UserType = "Robot"
	case "excluded by pattern":
		f.User.UserPrincipalName = "SVC-1@federated.example"
	case "excluded by group":
		f.Excluded = true
	case "managed":
		f.Federation = stamp.Managed
	case "doubtful":
		f.Federation = stamp.Doubtful
	case "existing":
		f.User.Created = noon.Add(-73 * time.Hour)
	case "no type":
		f.User.UserType = ""
	case "no date":
		f.User.Created = time.Time{}
	default:
		t.Fatalf("unknown user %q", words)
	}
	return f
}

func requestOf(t *testing.T, words string) stamp.Request {
	t.Helper()
	r := stamp.Request{Tenant: tenant, User: userID(1), Source: stamp.SourceNotification, Seen: noon.Add(-time.Hour)}
	switch words {
	case "automatic":
	case "seen now":
		r.Seen = noon
	case "read back":
		r.ReadBack = true
	case "signal", "reported":
		r.Source, r.Provider, r.Cause, r.NotBefore = stamp.SourceSignal, "7", "password_changed", noon.Add(-20*time.Minute)
	case "former": // a signal of before the user was created
		r.Source, r.Provider, r.Cause, r.NotBefore = stamp.SourceSignal, "7", "password_changed", noon.Add(-74*time.Hour)
	case "person t":
		r.NotBefore = noon
		fallthrough
	case "person":
		r.Source, r.Approved = stamp.SourcePerson, true
	default:
		t.Fatalf("unknown request %q", words)
	}
	return r
}

func policy() stamp.Policy {
	p := stamp.DefaultPolicy
	p.Exclusions.Patterns, p.EnforceSignals = []string{"svc-*"}, true
	return p
}

func describe(e *stamp.Entry) string {
	if e == nil {
		return ""
	}
	words := string(e.State)
	if e.EmptyReads > 0 && e.State != stamp.StateCannotFix {
		words += " empty"
	}
	if e.Again && e.State != stamp.StateCannotFix {
		words += " again"
	}
	return words
}

func decide(e stamp.Entry, f stamp.Facts, r stamp.Request) stamp.Decision {
	if d, ok := stamp.Recall(e, r, policy(), noon); ok {
		return d
	}
	return stamp.Decide(e, f, r, policy(), noon)
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for i, row := range strings.Split(strings.TrimSpace(stateTable), "\n")[2:] {
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(row, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		t.Run(fmt.Sprintf("%d %s", i, strings.Join(cells[:3], ", ")), func(t *testing.T) {
			t.Parallel()
			e, f, r := entryOf(t, cells[0]), factsOf(t, cells[1]), requestOf(t, cells[2])
			p := policy()
			p.EnforceSignals = cells[2] != "reported"
			d, known := stamp.Recall(e, r, p, noon)
			if unread := cells[1] == "(not read)"; known != unread {
				t.Fatalf("the ledger alone answers: %t, want %t", known, unread)
			}
			if !known {
				d = stamp.Decide(e, f, r, p, noon)
			}
			got := []string{string(d.Verdict), string(d.Reason), describe(d.Next)}
			if want := cells[3:6]; strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// FuzzDecide looks for a call that must not be, whoever approves and whatever is known.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed*2654435761, int64(seed)*3600, int64(seed%7)*1000, int64(seed)*100)
	}
	f.Fuzz(func(t *testing.T, bits uint64, created, stampAge, before int64) {
		pick := func(words ...string) string {
			word := words[bits%uint64(len(words))]
			bits /= uint64(len(words))
			return word
		}
		at := func(seconds int64) time.Time {
			if seconds%5 == 0 {
				return time.Time{}
			}
			return noon.Add(-time.Duration(seconds%1_000_000) * time.Second)
		}
		e := entryOf(t, pick("nothing", "stamped", "cannot_fix", "claimed", "called", "claimed empty", "called empty again", "claimed now"))
		facts := factsOf(t, "new")
		facts.User.UserType = pick("Member", "Guest", "", "member", "Robot")
		facts.User.CreationType = pick("", "Invitation")
		facts.User.ExternalUserState = pick("", "Accepted")
		facts.User.UserPrincipalName = pick("a@federated.example", "svc-1@federated.example")
		facts.Federation = stamp.Federation(pick("federated", "managed", "doubtful", ""))
		facts.Excluded = pick("no", "no", "yes") == "yes"
		facts.Found = pick("yes", "yes", "no") == "yes"
		facts.User.StampKnown = pick("yes", "yes", "no") == "yes"
		facts.User.Created, facts.User.SignInSessionsValidFrom = at(created), at(stampAge)
		r := requestOf(t, pick("automatic", "person", "person t", "read back", "signal"))
		if r.Approved || r.Source == stamp.SourceSignal {
			r.NotBefore = at(before)
		}
		d := decide(e, facts, r)
		if d.Verdict != stamp.Call {
			return
		}
		u, valid := facts.User, facts.User.SignInSessionsValidFrom
		for fault, is := range map[string]bool{
			"a guest":              u.UserType == "Guest" || u.CreationType != "" || u.ExternalUserState != "",
			"of another type":      u.UserType == "Robot",
			"not federated":        facts.Federation != stamp.Federated,
			"excluded":             facts.Excluded || strings.HasPrefix(u.UserPrincipalName, "svc-"),
			"not known":            !facts.Found || !u.StampKnown,
			"sufficiently stamped": !valid.IsZero() && !valid.Before(r.NotBefore),
			"old":                  !r.Approved && r.Source != stamp.SourceSignal && (u.Created.IsZero() || u.UserType == "" || noon.Sub(u.Created) > 72*time.Hour),
		} {
			if is {
				t.Errorf("a user who is %s is called: %+v, %+v", fault, u, r)
			}
		}
		if d.Next == nil || d.Next.State != stamp.StateClaimed {
			t.Errorf("a call without a claim: %+v", d.Next)
		}
	})
}
