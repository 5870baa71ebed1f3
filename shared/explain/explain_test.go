package explain

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var update = flag.Bool("update", false, "write the golden file anew")

const upn = "taro.yamada@example.co.jp"

var now = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const day = 24 * time.Hour

// healthy is a stamped member of a federated domain of whom all was asked, and of whom
// nothing is to be said.
func healthy() Evidence {
	on := true
	return Evidence{
		Now: now,
		User: Asked(User{
			Found: true, AccountEnabled: &on, PasswordKnown: true,
			User: directory.User{
				UserPrincipalName: upn, UserType: "Member", Created: ago(200 * day),
				SignInSessionsValidFrom: ago(100 * day), StampKnown: true,
			},
		}),
		Domain:           Asked(directory.Domain{Name: "example.co.jp", Federated: true, Verified: true}),
		Ledger:           Asked(Ledger{}),
		Devices:          Asked([]Device{{TrustType: "AzureAd", LastSignIn: ago(day)}}),
		Federation:       Asked(Federation{PromptLoginBehavior: "nativeSupport"}),
		Policies:         Asked([]Policy(nil)),
		SecurityDefaults: Asked(false),
		PerUserMFA:       Asked("disabled"),
		SignIns:          Asked([]SignIn{{Created: ago(time.Hour), AppID: "teams", DeviceID: "d"}}),
		RiskState:        Asked("none"),
	}
}

// A change makes another piece of evidence of the healthy one.
type change func(*Evidence)

func user(f func(*User)) change {
	return func(e *Evidence) {
		u, _ := e.User.Get()
		f(&u)
		e.User = Asked(u)
	}
}

func unstamped(u *User) { u.SignInSessionsValidFrom = time.Time{} }

func stampedAgo(d time.Duration) change {
	return user(func(u *User) { u.SignInSessionsValidFrom = ago(d) })
}

// signIns replaces the log; every event without a time is of an hour ago.
func signIns(log ...SignIn) change {
	for i := range log {
		if log[i].Created.IsZero() {
			log[i].Created = ago(time.Hour)
		}
	}
	return func(e *Evidence) { e.SignIns = Asked(log) }
}

func code(n int) SignIn { return SignIn{ErrorCode: n, DeviceID: "d"} }

func policies(list ...Policy) change { return func(e *Evidence) { e.Policies = Asked(list) } }

// policy is one that is enforced.
func policy(f func(*Policy)) Policy {
	p := Policy{ID: "11111111-2222-3333-4444-555555555555", DisplayName: "Office daily", State: "enabled", Applies: true}
	f(&p)
	return p
}

func every(n int, unit string) func(*Policy) {
	return func(p *Policy) {
		p.SignInFrequency = SignInFrequency{Enabled: true, Value: n, Type: unit, Interval: "timeBased"}
	}
}

func ledger(l Ledger) change { return func(e *Evidence) { e.Ledger = Asked(l) } }

func apart(gap time.Duration) (log []SignIn) {
	for i := range 3 {
		log = append(log, SignIn{Created: ago(time.Hour + time.Duration(i)*gap), AppID: "outlook", AppDisplayName: "Outlook", DeviceID: "d"})
	}
	return log
}

var twelve = SignIn{ErrorCode: 700082, DeviceID: "d", FailureReason: "The token was issued on 2026-11-28T09:00:00Z and was inactive for 12:00:00."}

// cases are golden: one for every text of the catalogue, the pairs, and what must not be
// found.
var cases = []struct {
	name    string
	changes []change
	want    []string
}{
	{"X01", []change{user(func(u *User) { *u = User{} })}, []string{"X01"}},
	{"X02", []change{user(func(u *User) { u.AccountEnabled = new(bool) })}, []string{"X02"}},
	{"X02 by code", []change{user(func(u *User) { u.AccountEnabled = nil }), signIns(code(50057))}, []string{"X02"}},
	{"X03", []change{user(func(u *User) { u.UserType = "Guest" })}, []string{"X03"}},
	{"X03 member", []change{user(func(u *User) { u.UserPrincipalName = "a_b.example#EXT#@c.example" })}, []string{"X03"}},
	{"X04", []change{func(e *Evidence) { e.Domain = Asked(directory.Domain{Name: "a.example"}) }}, []string{"X04", "X91"}},
	{"X10", []change{user(unstamped)}, []string{"X10"}},
	{"X10 ledger not asked", []change{user(unstamped), func(e *Evidence) { e.Ledger = Answer[Ledger]{} }}, []string{"X10"}},
	{"X14 called", []change{user(unstamped), ledger(Ledger{Entry: stamp.Entry{State: stamp.StateCalled}})}, []string{"X10", "X14"}},
	{"X10 stamp gone", []change{user(unstamped), ledger(Ledger{Entry: stamp.Entry{State: stamp.StateStamped}, Reason: stamp.ReasonStamped})}, []string{"X10"}},
	{"X10b", []change{user(unstamped), user(func(u *User) { u.LastPasswordChange = ago(100 * day) })}, []string{"X10b"}},
	{"X11 by code", []change{user(unstamped), signIns(twelve)}, []string{"X10", "X11"}},
	{"X11 by gaps", []change{user(unstamped), signIns(apart(12 * time.Hour)...)}, []string{"X10", "X11"}},
	{"X11 not by gaps of a day", []change{user(unstamped), signIns(apart(day)...)}, []string{"X10"}},
	{"X11 not by 90 days", []change{signIns(SignIn{ErrorCode: 700082, FailureReason: "was inactive for 90.00:00:00"})}, []string{"X91"}},
	{"X12", []change{signIns(twelve)}, []string{"X12"}},
	{"X12 not before a day", []change{stampedAgo(20 * time.Hour), signIns(twelve, SignIn{Created: ago(time.Minute)})}, []string{"X15", "X91"}},
	{"X13", []change{stampedAgo(2 * time.Hour), signIns(code(50173)),
		ledger(Ledger{Entry: stamp.Entry{State: stamp.StateStamped, Source: stamp.SourcePerson, Called: ago(2 * time.Hour)}})}, []string{"X13"}},
	{"X13 of another", []change{stampedAgo(2 * time.Hour), signIns(code(50133))}, []string{"X13"}},
	{"X13 ledger not asked", []change{stampedAgo(2 * time.Hour), signIns(code(50173)), func(e *Evidence) { e.Ledger = Answer[Ledger]{} }}, []string{"X13"}},
	{"X13 not after a day", []change{stampedAgo(25 * time.Hour), signIns(code(50173))}, []string{"X82", "X91"}},
	{"X14 existing", []change{user(unstamped), ledger(Ledger{Reason: stamp.ReasonExisting})}, []string{"X10", "X14"}},
	{"X14 excluded", []change{user(unstamped), ledger(Ledger{Reason: stamp.ReasonExcluded})}, []string{"X10", "X14"}},
	{"X14 excluded, password set", []change{user(unstamped), user(func(u *User) { u.LastPasswordChange = ago(90 * day) }), ledger(Ledger{Reason: stamp.ReasonExcluded})}, []string{"X10b", "X14"}},
	{"X15", []change{stampedAgo(2 * time.Hour)}, []string{"X15", "X91"}},
	{"X15 not of a managed domain", []change{stampedAgo(2 * time.Hour), func(e *Evidence) { e.Domain = Asked(directory.Domain{Name: "example.co.jp"}) }}, []string{"X04", "X91"}},
	{"X14 forbidden", []change{user(unstamped), ledger(Ledger{Entry: stamp.Entry{State: stamp.StateCannotFix, Reason: stamp.ReasonForbidden}})}, []string{"X10", "X14"}},
	{"X14 cannot fix", []change{user(unstamped), ledger(Ledger{Entry: stamp.Entry{State: stamp.StateCannotFix, Reason: stamp.ReasonStillEmpty}})}, []string{"X10", "X14"}},
	{"X20", []change{policies(policy(every(8, "hours")))}, []string{"X20"}},
	{"X20 days, MFA", []change{policies(policy(func(p *Policy) {
		every(30, "days")(p)
		p.SignInFrequency.AuthenticationType = "secondaryAuthentication"
	}))}, []string{"X20"}},
	{"X20 twice the same", []change{policies(policy(every(1, "hours")), policy(every(1, "hours")))}, []string{"X20"}},
	{"X20 not report-only", []change{policies(policy(func(p *Policy) { every(8, "hours")(p); p.State = "enabledForReportingButNotEnforced" }))}, []string{"X91"}},
	{"X20 not where it does not apply", []change{policies(policy(func(p *Policy) { every(8, "hours")(p); p.Applies = false }))}, []string{"X91"}},
	{"X20 applied", []change{signIns(applied("success"))}, []string{"X20"}},
	{"X20 not applied", []change{signIns(applied("reportOnlySuccess"))}, []string{"X91"}},
	{"X21", []change{policies(policy(always))}, []string{"X21"}},
	{"X10+X20", []change{user(unstamped), policies(policy(every(7, "days")))}, []string{"X10", "X20", "X10+X20"}},
	{"X10+X20 short", []change{user(unstamped), policies(policy(every(7, "days")), policy(func(p *Policy) { every(4, "hours")(p); p.ID = "" }))}, []string{"X10", "X20", "X20", "X10+X20"}},
	{"X10+X20 as often", []change{user(unstamped), policies(policy(every(12, "hours")))}, []string{"X10", "X20", "X10+X20"}},
	{"X10b+X21", []change{user(unstamped), user(func(u *User) { u.LastPasswordChange = ago(100 * day) }), policies(policy(always))}, []string{"X10b", "X21", "X10+X20"}},
	{"X10+X20 applied", []change{user(unstamped), signIns(applied("failure"))}, []string{"X10", "X20", "X10+X20"}},
	{"X22", []change{policies(policy(func(p *Policy) { p.PersistentBrowser = "never" }))}, []string{"X22"}},
	{"X23", []change{policies(policy(func(p *Policy) { p.SecureSignInSession = true })), func(e *Evidence) { e.Devices = Asked([]Device(nil)) }}, []string{"X23"}},
	{"X24", []change{func(e *Evidence) { e.Policies = NotAsked[[]Policy](Gap{Reason: NoPermission}) }, signIns(SignIn{ErrorCode: 70043, FailureReason: "the maximum allowed lifetime for this request is 43200."})}, []string{"X24"}},
	{"X24 asked", []change{signIns(code(70044))}, []string{"X24"}},
	{"X30", []change{signIns(code(50078))}, []string{"X30"}},
	{"X31", []change{func(e *Evidence) { e.SecurityDefaults = Asked(true) }}, []string{"X31", "X91"}},
	{"X32", []change{func(e *Evidence) { e.PerUserMFA = Asked("enforced") }, policies(policy(func(*Policy) {}))}, []string{"X32"}},
	{"X33", []change{rejectsMFA, policies(policy(func(p *Policy) { p.BuiltInControls = []string{"mfa"} }))}, []string{"X33"}},
	{"X33 by code", []change{rejectsMFA, signIns(code(50076))}, []string{"X33"}},
	{"X34", []change{func(e *Evidence) { e.Federation = Asked(Federation{}) }, signIns(apart(time.Hour)...)}, []string{"X34"}},
	{"X40", []change{func(e *Evidence) { e.Devices = Asked([]Device(nil)) }, desktop}, []string{"X40"}},
	{"X40 stale", []change{func(e *Evidence) { e.Devices = Asked([]Device{{Disabled: true}, {LastSignIn: ago(91 * day)}}) }, desktop}, []string{"X40"}},
	{"X41", []change{func(e *Evidence) { e.Devices = Asked([]Device{{TrustType: "Workplace"}}) }}, []string{"X41", "X91"}},
	{"X42", []change{signIns(code(50155), code(135011), code(135011))}, []string{"X42"}},
	{"X43", []change{signIns(code(53003))}, []string{"X43"}},
	{"X50", []change{func(e *Evidence) { e.RiskState = Asked("atRisk") }}, []string{"X50"}},
	{"X50 code", []change{signIns(code(50131))}, []string{"X50"}},
	{"X51", []change{signIns(code(50132))}, []string{"X51"}},
	{"X51 later", []change{user(func(u *User) { u.LastPasswordChange = ago(time.Minute) })}, []string{"X51"}},
	{"X60 account", []change{signIns(code(50126))}, []string{"X60"}},
	{"X60 seamless", []change{signIns(code(81012))}, []string{"X60"}},
	{"X60 federation", []change{signIns(code(90072))}, []string{"X60"}},
	{"X61", []change{signIns(code(65001))}, []string{"X61"}},
	{"X70", []change{signIns(slices.Repeat([]SignIn{{ErrorCode: 50058, ClientAppUsed: "Browser", DeviceID: "d"}}, 21)...)}, []string{"X70"}},
	{"X70 not by 20", []change{signIns(slices.Repeat([]SignIn{{ErrorCode: 50058, ClientAppUsed: "Browser", DeviceID: "d"}}, 20)...)}, []string{"X91"}},
	{"X80", []change{signIns(code(700084))}, []string{"X80"}},
	{"X81", []change{signIns(SignIn{ErrorCode: 4711, FailureReason: "The account " + upn + "\nis \x1b[31mred."}, code(4711))}, []string{"X81", "X91"}},
	{"X82", []change{signIns(code(50076), code(70008))}, []string{"X82", "X91"}},
	{"X90", []change{func(e *Evidence) { e.SignIns = NotAsked[[]SignIn](Gap{Reason: NoLicence}) }}, []string{"X90"}},
	{"X90 more", []change{func(e *Evidence) { e.SignIns, e.RiskState = Answer[[]SignIn]{}, Answer[string]{} }}, []string{"X90"}},
	{"X90 stamp left out", []change{user(func(u *User) { u.StampKnown = false })}, []string{"X90"}},
	{"X90 other", []change{func(e *Evidence) { e.PerUserMFA = Answer[string]{}; e.Devices = Answer[[]Device]{} }}, []string{"X90"}},
	{"X91", nil, []string{"X91"}},
	{"X91 without licences", []change{func(e *Evidence) {
		e.Policies, e.RiskState = NotAsked[[]Policy](Gap{Reason: NoLicence}), NotAsked[string](Gap{Reason: NoLicence})
	}}, []string{"X91"}},
	{"nothing asked", []change{func(e *Evidence) { *e = Evidence{} }}, []string{"X90"}},
}

func always(p *Policy) {
	p.SignInFrequency = SignInFrequency{Enabled: true, Interval: "everyTime"}
}

func applied(result string) SignIn {
	return SignIn{DeviceID: "d", AppliedPolicies: []AppliedPolicy{{ID: "p", DisplayName: "Office daily", Result: result, EnforcedSessionControls: []string{"SignInFrequency"}}}}
}

func rejectsMFA(e *Evidence) {
	e.Federation = Asked(Federation{PromptLoginBehavior: "disabled", FederatedIDPMFABehavior: "rejectMfaByFederatedIdp"})
}

func desktop(e *Evidence) {
	signIns(SignIn{AppID: "outlook", ClientAppUsed: "Mobile Apps and Desktop clients"})(e)
}

func evidence(changes []change) Evidence {
	e := healthy()
	for _, c := range changes {
		c(&e)
	}
	return e
}

// TestExplain finds what each case asks for, and keeps every word of it in a file that
// people who speak the languages can read.
func TestExplain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, test := range cases {
		findings := Explain(evidence(test.changes))
		var ids []string
		fmt.Fprintf(&b, "== %s\n", test.name)
		for _, f := range findings {
			ids = append(ids, f.ID)
			fmt.Fprintf(&b, "%s %s %t %t %s %s | %s | %s\n", f.ID, f.Confidence, f.Cause, f.Outlasts, f.Because, f.Params, f.Command, f.Link)
			for _, text := range []string{f.TellUser.English, f.TellUser.Japanese, f.TellAdmin.English, f.TellAdmin.Japanese} {
				fmt.Fprintf(&b, "  %s\n", text)
			}
		}
		if diff := cmp.Diff(test.want, ids); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
	file := filepath.Join("testdata", "findings.golden")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("run with -update, and read what changed (-want +got)\n%s", diff)
	}
}
