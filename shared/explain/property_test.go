package explain

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A chooser makes evidence of bytes, and nothing but zeros once they are used up.
type chooser struct{ bytes []byte }

func (c *chooser) n(most int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	n := int(c.bytes[0]) % most
	c.bytes = c.bytes[1:]
	return n
}

func (c *chooser) yes() bool { return c.n(2) == 1 }

func choose[T any](c *chooser, among ...T) T { return among[c.n(len(among))] }

// word is a text that Graph, an administrator or an attacker may have written.
func (c *chooser) word() string {
	return choose(c, "", "p", upn, "for "+strings.ToUpper(upn)+"!", "{interval} {id}", "\x1b[2J\xff"+upn+"\n\u202e", strings.Repeat("長", 900), "<b>%s%!d(x)")
}

func (c *chooser) time() time.Time {
	return choose(c, time.Time{}, now, ago(time.Hour), ago(12*time.Hour), ago(24*time.Hour), ago(36*time.Hour), ago(-day), ago(400*day), time.Unix(1<<40, 0))
}

// answer asks, or says why not.
func answer[T any](c *chooser, value T) Answer[T] {
	if c.n(4) > 0 {
		return Asked(value)
	}
	return NotAsked[T](Gap{Reason: choose(c, Unasked, NoPermission, NoLicence, Failed, "?")})
}

func many[T any](c *chooser, one func() T) (list []T) {
	for range choose(c, 0, 1, 3, 25) {
		list = append(list, one())
	}
	return list
}

func (c *chooser) user() User {
	u := User{
		User: directory.User{
			UserPrincipalName: choose(c, upn, "", "a#EXT#@b.example"), UserType: choose(c, "Member", "", "Guest", "?"),
			CreationType: choose(c, "", "", "Invitation"), SignInSessionsValidFrom: c.time(), StampKnown: c.n(4) > 0,
		},
		Found: c.n(8) > 0, LastPasswordChange: c.time(), PasswordKnown: c.yes(),
	}
	if enabled := c.n(4) > 0; c.yes() {
		u.AccountEnabled = &enabled
	}
	return u
}

func (c *chooser) policy() Policy {
	return Policy{
		ID: c.word(), DisplayName: c.word(), State: choose(c, "enabled", "disabled", "enabledForReportingButNotEnforced", ""), Applies: c.yes(),
		BuiltInControls: []string{choose(c, "mfa", "block", "")},
		SignInFrequency: SignInFrequency{
			Enabled: c.yes(), Value: choose(c, 0, 8, 48, -1, 1<<62), Type: choose(c, "hours", "days", ""),
			AuthenticationType: choose(c, "", "secondaryAuthentication"), Interval: choose(c, "", "timeBased", "everyTime"),
		},
		PersistentBrowser: choose(c, "", "never", "always"), SecureSignInSession: c.yes(),
	}
}

func (c *chooser) signIn() SignIn {
	number := int(int16(binary.BigEndian.Uint16([]byte{byte(c.n(256)), byte(c.n(256))})))
	if c.n(4) > 0 {
		number = choose(c, 0, codes[c.n(len(codes))].number)
	}
	return SignIn{
		Created: c.time(), AppID: c.word(), AppDisplayName: c.word(), ClientAppUsed: choose(c, "", "Browser", "Mobile Apps and Desktop clients"),
		UserAgent: c.word(), DeviceID: choose(c, "", "d"), ErrorCode: number,
		FailureReason:     choose(c, c.word(), "was inactive for 12:00:00", "was inactive for 9999.99:99:99", "lifetime for this request is 999999999"),
		AdditionalDetails: c.word(),
		AppliedPolicies: many(c, func() AppliedPolicy {
			return AppliedPolicy{ID: c.word(), DisplayName: c.word(), Result: choose(c, "success", "reportOnlySuccess", ""), EnforcedSessionControls: []string{choose(c, "", "SignInFrequency")}}
		}),
	}
}

func (c *chooser) evidence() Evidence {
	return Evidence{
		Now:    choose(c, now, time.Time{}),
		User:   answer(c, c.user()),
		Domain: answer(c, directory.Domain{Name: c.word(), Federated: c.n(4) > 0}),
		Ledger: answer(c, Ledger{
			Entry:  stamp.Entry{State: choose(c, stamp.StateNone, stamp.StateCalled, stamp.StateStamped, stamp.StateCannotFix, "?"), Reason: choose(c, stamp.ReasonRefused, "?"), Called: c.time(), Source: choose(c, stamp.SourceSweep, "?")},
			Reason: choose(c, "", stamp.ReasonExisting, stamp.ReasonExcluded, stamp.Reason(upn)),
		}),
		Devices: answer(c, many(c, func() Device {
			return Device{TrustType: choose(c, "Workplace", "AzureAd", ""), Disabled: c.yes(), LastSignIn: c.time()}
		})),
		Federation:       answer(c, Federation{choose(c, "", "nativeSupport"), choose(c, "", "rejectMfaByFederatedIdp")}),
		Policies:         answer(c, many(c, c.policy)),
		SecurityDefaults: answer(c, c.yes()),
		PerUserMFA:       answer(c, choose(c, "disabled", "enforced", c.word())),
		SignIns:          answer(c, many(c, c.signIn)),
		RiskState:        answer(c, choose(c, "none", "atRisk", c.word())),
	}
}

// only is the evidence without all pieces but those.
func only(e Evidence, pieces []Piece) Evidence {
	if !slices.Contains(pieces, PieceUser) {
		e.User = Answer[User]{}
	}
	if !slices.Contains(pieces, PieceDomain) {
		e.Domain = Answer[directory.Domain]{}
	}
	if !slices.Contains(pieces, PieceLedger) {
		e.Ledger = Answer[Ledger]{}
	}
	if !slices.Contains(pieces, PiecePolicies) {
		e.Policies = Answer[[]Policy]{}
	}
	if !slices.Contains(pieces, PieceSignIns) {
		e.SignIns = Answer[[]SignIn]{}
	}
	// No certain finding rests on the others.
	e.Devices, e.Federation, e.SecurityDefaults = Answer[[]Device]{}, Answer[Federation]{}, Answer[bool]{}
	e.PerUserMFA, e.RiskState = Answer[string]{}, Answer[string]{}
	return e
}

// FuzzExplain has an answer for any evidence. No finding names the user, none rests on
// what was not asked, and a certain one stands on what it rests on alone.
func FuzzExplain(f *testing.F) {
	for i := range 64 {
		seed := make([]byte, 40*(i+1))
		for j := range seed {
			seed[j] = byte(j*j*7 + i*j*31 + i*13)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		check(t, (&chooser{bytes}).evidence())
	})
}

// TestCasesHold checks the same of the golden cases.
func TestCasesHold(t *testing.T) {
	t.Parallel()
	for _, test := range cases {
		check(t, evidence(test.changes))
	}
}

func check(t *testing.T, e Evidence) {
	t.Helper()
	answers, findings := e.answers(), Explain(e)
	if len(findings) == 0 || !reflect.DeepEqual(findings, Explain(e)) {
		t.Error("nothing is said at all, or not the same again")
	}
	for _, finding := range findings {
		checkWords(t, finding)
		for _, piece := range finding.Because {
			if _, missing := answers[piece].missing(); missing {
				t.Errorf("%s rests on %s, which was not asked", finding.ID, piece)
			}
		}
		if finding.Confidence == Certain {
			checkCertain(t, e, finding)
		}
	}
}

func checkCertain(t *testing.T, e Evidence, f Finding) {
	t.Helper()
	if len(f.Because) == 0 {
		t.Errorf("%s is certain and rests on nothing", f.ID)
	}
	if !slices.ContainsFunc(Explain(only(e, f.Because)), func(again Finding) bool { return again.ID == f.ID && again.Confidence == Certain }) {
		t.Errorf("%s is not certain by %s alone", f.ID, f.Because)
	}
}

func checkWords(t *testing.T, f Finding) {
	t.Helper()
	if f.TellAdmin == (Text{}) || f.ID == "" {
		t.Errorf("%q has no words", f.ID)
	}
	checkText(t, f.ID, f.TellAdmin)
	checkText(t, f.ID, f.TellUser)
	checkText(t, f.ID, same(fmt.Sprint(f.Command, f.Link, f.Params)))
}

// checkText wants one line without a name.
func checkText(t *testing.T, name string, text Text) {
	t.Helper()
	for _, s := range []string{text.English, text.Japanese} {
		if strings.Contains(strings.ToLower(s), upn) || strings.ContainsAny(s, "\n\x1b\u202e") || len(s) > 8000 {
			t.Errorf("%s: %q", name, s)
		}
	}
}
