package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
)

// TestMisuse: each is one sentence in the person's language, and the exit status is 2.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		var all strings.Builder
		for _, args := range []string{
			"chekc", "chekc --by month", "nonsense", "help nonsense", "scan --help", "revoke --all", "LIST",
			"stamp --all --dryrun", "check --dmeo", "check -all", "stamp -all", "check -output json", "stamp -WhatIf", "check —demo", "check －－demo",
			"stamp --group --demo", "signout U --reason --dry-run --yes --expect 1", "report --out --demo", "report --exclude --demo", "check -o --demo", "check --lang --demo",
			"stamp --domain example.com --domain example.co.jp", "check -o csv --output json", "check extra", "--nothing", "-x", "check -o", "check -o xml", "--demo=maybe", "check --cloud mars",
			"users --by year", "users --since yesterday", "users --since 2027-01", "users --since 0d", "users --limit -1", "users --limit 1.5",
			"users --domain nonsense", "report --out", "report --exclude *", "report --exclude nobody@example.com --demo", "report -o html", "report x", "users --domain example.com --demo", "check --sign-in fax", "check --tenant contoso.com", "check --sign-in env", "history",
			"stamp", "stamp --all --domain example.co.jp", "stamp --all", "signout --all", "signout --all --yes", "stamp --file - --yes", "stamp --file /nowhere --dry-run",
			"stamp --all --at 22:00", "stamp --all --exclude taro --yes", "stamp --all --expect 3", "stamp taro --dry-run --demo", "stamp nobody@example.co.jp --yes --demo", "stamp 11111111-2222-3333-4444-555555555555 --yes --demo",
			"stamp --group nobody --yes --demo", "stamp taro", "stamp nobody@example.co.jp --demo", "stamp --all --demo", "stamp --continue --limit 3", "history --orders --names --demo",
			"stamp --all --exclude nobody@example.co.jp --dry-run --demo", "signout --all --exclude zz-*@example.co.jp --dry-run --demo", "signout admin1@td0d0d0d0.onmicrosoft.com --yes --expect 1 --demo", "stamp --domain example.com --yes --demo", "signout --all --yes --expect 3 --demo",
			"history a b", "history taro", "history nobody@example.co.jp --demo", "completion", "completion tcsh", "watch --every 1s", "watch --every often", "watch -o csv", "watch --release --once", "watch --release",
			"watch --release --every 1m", "watch --domain example.com", "watch --exclude *@*", "check --\u202enothing", "--=", "check --cloud=",
		} {
			status, stdout, stderr := play(t.Context(), func(p *program) { p.Speaks = string(l) }, strings.Split(args, " ")...)
			stderr = strings.TrimPrefix(stderr, words.Say(l, "demo")+"\n")
			if status != wrongUse || stdout != "" {
				t.Errorf("%s: exit status %d, standard output %q", args, status, stdout)
			}
			checkScreen(t, stderr)
			fmt.Fprintf(&all, "$ sessionstamp %s\n%s", strings.ReplaceAll(args, "\u202e", "<U+202E>"), stderr)
		}
		goldentest.Compare(t, "misuse."+string(l)+".txt", all.String())
	}
	if status, _, stderr := play(t.Context(), func(p *program) { p.Speaks = "ja-JP" }, "check", "--lang", "fr"); status != wrongUse || !strings.Contains(stderr, "指定できません") {
		t.Errorf("an unknown language: %d %s", status, stderr)
	}
}

// TestDash: a value that begins with a dash is taken where it can only be one, and flags
// that repeat do.
func TestDash(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"report --out - --demo", "report --out=-x --demo", "report --exclude taro.yamada@example.co.jp --exclude hanako.sato@example.co.jp --demo --demo"} {
		if status, _, stderr := play(t.Context(), nil, strings.Split(args, " ")...); status != fine {
			t.Errorf("%s: exit status %d: %s", args, status, stderr)
		}
	}
}

func TestParseSince(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"2026-10-01": time.Date(2026, 10, 1, 0, 0, 0, 0, tokyo),
		"2026-11-29": time.Date(2026, 11, 29, 0, 0, 0, 0, tokyo),
		"2026-10":    time.Date(2026, 10, 1, 0, 0, 0, 0, tokyo),
		"30d":        at.AddDate(0, 0, -30),
		"2026-11-30": time.Date(2026, 11, 30, 0, 0, 0, 0, tokyo),
		"-1d":        {}, "d": {}, "999999999999999999999d": {}, "40000d": {}, "": {}, "2026": {}, "2026-13": {}, "２０２６-10": {},
	} {
		got, ok := parseSince(text, at)
		if ok != !want.IsZero() || ok && !got.Equal(want) {
			t.Errorf("%q: got %s, %t", text, got, ok)
		}
	}
}
