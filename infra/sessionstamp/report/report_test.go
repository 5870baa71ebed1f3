package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var (
	tokyo = time.FixedZone("JST", 9*60*60)
	now   = time.Date(2026, 11, 29, 10, 0, 0, 0, tokyo)
)

func page(t *testing.T, r report.Report, l language.Language) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteHTML(&out, r, l, tokyo); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// ago is so many hours before now.
func ago(hours float64) time.Time { return now.Add(-time.Duration(hours * float64(time.Hour))) }

// member is one of a federated domain; stamped says after how many hours, 0 for never.
func member(id, name string, created time.Time, stamped float64) directory.User {
	u := directory.User{ID: id, UserPrincipalName: name + "@example.com", UserType: "Member", Created: created, StampKnown: true}
	if stamped > 0 {
		u.SignInSessionsValidFrom = created.Add(time.Duration(stamped * float64(time.Hour)))
	}
	return u
}

func entry(id string, created time.Time, after time.Duration, source stamp.Source) stamp.Entry {
	called := created.Add(after)
	return stamp.Entry{User: id, State: stamp.StateStamped, Source: source, Created: created, Claimed: called, Called: called, Stamp: called}
}

// small is a tenant with one user of every kind.
func small() report.Input {
	day := 24.0
	guest, managed, odd := member("guest", "guest", ago(50*day), 0), member("managed", "managed", ago(50*day), 0), member("odd", "odd", ago(50*day), 0)
	guest.UserType, odd.UserType = "Guest", "Robot"
	managed.UserPrincipalName = "admin@contoso.onmicrosoft.com"
	unknown := member("unknown", "unknown", ago(1), 0)
	unknown.StampKnown = false
	stuck := entry("stuck", ago(30), time.Minute, stamp.SourceSweep)
	stuck.State, stuck.Reason, stuck.Again = stamp.StateCannotFix, stamp.ReasonStillEmpty, true
	open := entry("open", ago(0.1), 3*time.Second, stamp.SourceNotification)
	open.State = stamp.StateCalled
	again := entry("fine", ago(400*day), 395*24*time.Hour, stamp.SourceSignal)
	again.NotBefore = again.Called
	policy := stamp.DefaultPolicy
	policy.Exclusions.Patterns = []string{"svc-*@example.com"}
	return report.Input{
		Tenant: "11111111-1111-4111-8111-111111111111", Now: now, Policy: policy, Unreadable: 1,
		Domains: []directory.Domain{{Name: "example.com", Federated: true, Verified: true}, {Name: "contoso.onmicrosoft.com", Verified: true}},
		Users: []directory.User{
			member("ancient", "ancient", time.Time{}, 0), member("old", "old", ago(100*day), 0), member("fine", "fine", ago(400*day), 1),
			member("missed", "missed", ago(40), 0), member("fresh", "fresh", ago(0.1), 0), member("svc", "svc-backup", ago(50), 0),
			member("stuck", "stuck", ago(30), 0), member("open", "open", ago(0.1), 0), member("fast", "fast", ago(20), 0.001),
			member("bulk", "bulk", ago(90*day), 80*day), guest, managed, odd, unknown,
		},
		Memory: report.Memory{Swept: ago(20), Entries: []stamp.Entry{
			stuck, open, entry("fast", ago(20), 4*time.Second, stamp.SourceNotification), entry("bulk", ago(90*day), 80*24*time.Hour, stamp.SourcePerson),
			entry("guest", ago(50*day), 9*time.Second, stamp.SourceNotification), entry("old", ago(100*day), 90*time.Hour, stamp.SourceSweep),
			entry("gone", ago(70*day), 40*time.Second, stamp.SourceSweep), again,
		}},
	}
}

// TestJSON: programs read it, so its names and what they count stay as they are.
func TestJSON(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]report.Input{"small.json": small(), "empty.json": {Tenant: "t", Now: now, Policy: stamp.DefaultPolicy}} {
		text, err := json.MarshalIndent(report.Make(in), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		goldentest.Compare(t, name, string(text)+"\n")
	}
}

// TestSums: nobody is counted here and not there.
func TestSums(t *testing.T) {
	t.Parallel()
	r := report.Make(small())
	var byMonth, byDomain, outside, left int
	for _, g := range r.ByMonth {
		byMonth += g.WithoutStamp
	}
	for _, g := range r.ByDomain {
		byDomain += g.WithoutStamp
	}
	for _, l := range r.Left {
		left += l.Users
		if slices.Contains([]stamp.Reason{stamp.ReasonGuest, stamp.ReasonNotMember, stamp.ReasonNotFederated}, l.Reason) {
			outside += l.Users
		}
	}
	last := r.OverTime[len(r.OverTime)-1].WithoutStamp
	for name, n := range map[string]int{"by month": byMonth, "by domain": byDomain, "by reason": left - outside, "listed": len(r.Users), "now": last} {
		if n != r.WithoutStamp {
			t.Errorf("%s: %d without a stamp, want %d", name, n, r.WithoutStamp)
		}
	}
}

func TestSpeedOf(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	for i := range 100 {
		waits = append(waits, time.Duration(100-i)*time.Second)
	}
	s := report.SpeedOf(waits)
	want := report.Speed{Users: 100, Median: 50, P95: 95, Longest: 100, Histogram: []report.Bucket{
		{2, 1}, {5, 3}, {10, 5}, {30, 20}, {60, 30}, {300, 41}, {3600, 0}, {0, 0},
	}}
	if diff := cmp.Diff(&want, s); diff != "" {
		t.Error(diff)
	}
	if report.SpeedOf(nil) != nil {
		t.Error("nobody was quick")
	}
}

// text is what a person reads of a page, a line each.
func text(page string) string {
	_, body, _ := strings.Cut(page, "<body>")
	body, _, _ = strings.Cut(body, "<script>")
	lines := regexp.MustCompile(`<[^>]*>|\n`).Split(regexp.MustCompile(`(?s)<svg.*?</svg>|<details>.*?</details>`).ReplaceAllString(body, ""), -1)
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "" }), "\n") + "\n"
}

// TestWords: what the page says, of a tenant with everything and of one with nothing.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, l := range []language.Language{language.English, language.Japanese} {
		for name, in := range map[string]report.Input{"small": small(), "empty": {Tenant: "t", Now: now, Policy: stamp.DefaultPolicy}} {
			html := page(t, report.Make(in), l)
			if !strings.Contains(html, `<html lang="`+string(l)+`">`) || strings.Contains(html, "%!") || regexp.MustCompile(`\([a-z_]+(\.[a-z_.]+)?\)`).MatchString(text(html)) {
				t.Errorf("%s, %s: a word is missing: %s", name, l, text(html))
			}
			goldentest.Compare(t, name+"."+string(l)+".txt", text(html))
		}
	}
}

// TestHostile: names come from strangers, and are shown as text.
func TestHostile(t *testing.T) {
	t.Parallel()
	names := []string{
		`<script>alert(1)</script>`, `" onmouseover="alert(1)`, `'><img src=x onerror=alert(1)>`, "</table></main>", "{{.Tenant}}", "javascript:alert(1)",
		"\u202egnp.exe", "\u2066\u2069", "a\x00b\x1b[2J\r\n", "\xff\xfe", "👩‍👩‍👧‍👦", strings.Repeat("long", 500), "مرحبا", "",
	}
	in := report.Input{Tenant: `<b>"t"`, Now: now, Policy: stamp.DefaultPolicy, Domains: []directory.Domain{{Name: "example.com", Federated: true, Verified: true}, {Name: "<i>.example", Federated: true, Verified: true}}}
	for i, name := range names {
		in.Users = append(in.Users, member(fmt.Sprint(i), name, ago(float64(i)), 0))
	}
	html := page(t, report.Make(in), language.English)
	tags := func(html string) string {
		return strings.Join(slices.Compact(regexp.MustCompile(`<[a-zA-Z/!][a-z]*`).FindAllString(html[strings.Index(html, `id="list"`):], -1)), "")
	}
	tame := in
	tame.Users = nil
	for i := range names {
		tame.Users = append(tame.Users, member(fmt.Sprint(i), "tame", ago(float64(i)), 0))
	}
	if diff := cmp.Diff(tags(page(t, report.Make(tame), language.English)), tags(html)); diff != "" {
		t.Errorf("a name makes markup: %s", diff)
	}
	for _, bad := range []string{"\u202e", "\u2066", "\x00", "\x1b", "<b>", "<i>", ` onmouseover="`, strings.Repeat("long", 50)} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// TestHuge: a page has a bounded list, and few elements a row.
func TestHuge(t *testing.T) {
	t.Parallel()
	in := report.Input{Tenant: "t", Now: now, Policy: stamp.DefaultPolicy, Domains: []directory.Domain{{Name: "example.com", Federated: true, Verified: true}}}
	for i := range 100_000 {
		u := member(fmt.Sprint(i), fmt.Sprintf("user%06d", i), ago(float64(i)/4), 0)
		u.UserPrincipalName = fmt.Sprintf("user%06d@d%d.example.com", i, i%300)
		in.Users = append(in.Users, u)
	}
	r := report.Make(in)
	html := page(t, r, language.English)
	rows := strings.Count(html, "<tr>")
	if elements := strings.Count(html, "<"); rows < report.MaxRows || rows > report.MaxRows+200 || elements > 10*report.MaxRows+2000 || len(html) > 1<<20 {
		t.Errorf("%d rows, %d tags, %d bytes", rows, elements, len(html))
	}
	if len(r.Users) != 100_000 || !strings.Contains(html, "95,000 more are not on this page") {
		t.Errorf("%d users, and the page does not say how many it leaves out", len(r.Users))
	}
}

// TestSelfContained: nothing in the page asks for anything.
func TestSelfContained(t *testing.T) {
	t.Parallel()
	html := page(t, report.Make(small()), language.English)
	for _, bad := range []string{"http://", "https://", " src=", " href=", " style=", "@import", "unsafe-inline", " onclick", "ZgotmplZ"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}
