package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
)

// The golden files are what a person sees. To write them anew:
//
//	go test ./infra/sessionstamp -update
var update = flag.Bool("update", false, "write the golden files")

var (
	tokyo = time.FixedZone("JST", 9*60*60)
	at    = time.Date(2026, 11, 29, 10, 0, 0, 0, tokyo)
)

// terminal is one of 80 columns, without colours.
var terminal = screen.Terminal{Columns: screen.Columns}

// play runs the command, and returns the exit status and what it wrote.
func play(ctx context.Context, change func(*program), args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	p := program{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Out: terminal, Err: terminal,
		Env: environment(nil), System: "linux", Now: func() time.Time { return at },
		WriteFile: func(string, []byte, fs.FileMode) error { return nil },
	}
	if change != nil {
		change(&p)
	}
	status = p.run(ctx)
	return status, out.String(), err.String()
}

func languages() []language.Language { return []language.Language{language.English, language.Japanese} }

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readGolden(t, name), got); diff != "" {
		t.Errorf("%s: %s", file, diff)
	}
}

func readGolden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// screens are what is shown at one look.
var screens = map[string][]string{
	"check":           {"check", "--demo"},
	"users":           {"users", "--demo"},
	"users-month":     {"users", "--by", "month", "--demo"},
	"users-domain":    {"users", "--by", "domain", "--since", "2026-06", "--demo"},
	"users-few":       {"users", "--domain", "@Tokyo.example.co.jp", "--since", "20d", "--demo"},
	"users-none":      {"users", "--domain", "tokyo.example.co.jp", "--since", "1d", "--demo"},
	"report":          {"report", "--demo"},
	"history":         {"history", "--demo"},
	"history-names":   {"history", "--names", "--limit", "12", "--demo"},
	"help":            {"--help"},
	"help-flags":      {"help", "flags"},
	"help-check":      {"check", "--help"},
	"help-users":      {"help", "users"},
	"help-report":     {"report", "--help"},
	"help-stamp":      {"stamp", "--help"},
	"help-signout":    {"signout", "--help"},
	"help-history":    {"history", "-h"},
	"help-watch":      {"help", "watch"},
	"help-completion": {"completion", "--help"},
}

// TestScreens: each fits on a screen of 80×24, has nothing but the result, and ends with
// the next command.
func TestScreens(t *testing.T) {
	t.Parallel()
	for name, args := range screens {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				status, stdout, stderr := play(t.Context(), nil, append(args, "--lang", string(l))...)
				if want := map[bool]int{true: wrong, false: fine}[name == "check"]; status != want || !strings.HasPrefix(words.Say(l, "demo")+"\n", stderr) {
					t.Errorf("exit status %d, want %d; standard error %q", status, want, stderr)
				}
				golden(t, name+"."+string(l)+".txt", stdout)
				checkScreen(t, stderr+stdout)
				goOn(t, stdout)
			})
		}
	}
}

// TestNarrow: on a narrow terminal nothing is wider than it.
func TestNarrow(t *testing.T) {
	t.Parallel()
	for name, args := range screens {
		for _, l := range languages() {
			_, stdout, stderr := play(t.Context(), func(p *program) { p.Out.Columns, p.Err.Columns = 44, 44 }, append(args, "--lang", string(l))...)
			for _, line := range strings.Split(stdout+stderr, "\n") {
				if screen.Width(line) > 44 {
					t.Errorf("%s, %s: too wide: %q", name, l, line)
				}
			}
		}
	}
}

func checkScreen(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines do not fit on a screen", len(lines))
	}
	for _, line := range lines {
		if screen.Width(line) > screen.Columns {
			t.Errorf("too wide: %q", line)
		}
		if strings.Contains(line, "%!") || regexp.MustCompile(`\([a-z_]+\.[a-z_.]+\)`).MatchString(line) {
			t.Errorf("a sentence is missing: %q", line)
		}
	}
}

// goOn runs the commands that a screen ends with: none may be refused.
func goOn(t *testing.T, text string) {
	t.Helper()
	_, end, _ := strings.Cut(text, "\nNext")
	if end == "" {
		_, end, _ = strings.Cut(text, "\n次")
	}
	commands := regexp.MustCompile(`sessionstamp ([^>|)\n]*?)(?:  .*| [>|].*|\))?\n`).FindAllStringSubmatch(end, -1)
	for _, match := range commands {
		ctx, stop := context.WithCancel(t.Context())
		if command := match[1]; strings.HasPrefix(command, "watch") && !strings.Contains(command, "--once") {
			stop() // it has no end
		}
		args := append(strings.Fields(strings.ReplaceAll(match[1], "'", "")), "--demo")
		status, _, stderr := play(ctx, func(p *program) { p.Person = true }, args...)
		if stop(); status == wrongUse {
			t.Errorf("%q: %s", match[1], stderr)
		}
	}
	if len(commands) == 0 {
		t.Error("the screen does not say how to go on")
	}
}

// TestContracts: programs read JSON and CSV, so their names stay as they are.
func TestContracts(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"check.json":       {"check", "-o", "json"},
		"check.csv":        {"check", "-o", "csv"},
		"users.json":       {"users", "-o", "json", "--since", "20d"},
		"users.csv":        {"users", "-o", "csv", "--since", "20d", "--limit", "1"},
		"users-month.json": {"users", "-o", "json", "--since", "2026-09", "--by", "month"},
		"users-month.csv":  {"users", "-o", "csv", "--since", "2026-09", "--by", "month"},
		"users-none.json":  {"users", "-o", "json", "--domain", "tokyo.example.co.jp", "--since", "1d"},
		"report.csv":       {"report", "-o", "csv"},
		"history.json":     {"history", "-o", "json", "--limit", "1"},
		"history.csv":      {"history", "-o", "csv", "--names"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, english, stderr := play(t.Context(), nil, append(args, "--demo", "--lang", "en")...)
			_, japanese, _ := play(t.Context(), nil, append(args, "--demo", "--lang", "ja")...)
			if english != japanese || stderr != words["demo"].En+"\n" {
				t.Errorf("it depends on the language, or there is an error: %s", stderr)
			}
			golden(t, name, english)
		})
	}
}

// TestMisuse: each is one sentence in the person's language, and the exit status is 2.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		var all strings.Builder
		for _, args := range []string{
			"chekc", "chekc --by month", "nonsense", "help nonsense", "check extra", "--nothing", "-x", "check -o", "check -o xml", "--demo=maybe", "check --cloud mars",
			"users --by year", "users --since yesterday", "users --since 2027-01", "users --since 0d", "users --limit -1", "users --limit 1.5",
			"users --domain nonsense", "report --out", "report --exclude *", "report x", "users --domain example.com --demo", "check --sign-in fax", "check --tenant contoso.com", "check --sign-in env", "history",
			"stamp", "stamp --all --domain example.co.jp", "stamp --all", "signout --all", "signout --all --yes", "stamp --file - --yes", "stamp --file /nowhere --dry-run",
			"stamp --all --at 22:00", "stamp --all --exclude taro --yes", "stamp --all --expect 3", "stamp taro --dry-run --demo", "stamp nobody@example.co.jp --yes --demo",
			"stamp --group nobody --yes --demo", "stamp taro", "stamp nobody@example.co.jp --demo", "stamp --all --demo", "stamp --continue --limit 3", "history --orders --names --demo",
			"stamp --all --exclude nobody@example.co.jp --dry-run --demo", "signout --all --exclude zz-*@example.co.jp --dry-run --demo", "stamp --domain example.com --yes --demo", "signout --all --yes --expect 3 --demo", "signout admin1@td0d0d0d0.onmicrosoft.com --yes --expect 1 --demo",
			"history a b", "history taro", "history nobody@example.co.jp --demo", "completion", "completion tcsh", "watch --every 1s", "watch --every often", "watch -o csv", "watch --release --once", "watch --release",
			"watch --domain example.com --demo", "watch --exclude *@* --demo", "check --\u202enothing", "--=", "check --cloud=",
		} {
			status, stdout, stderr := play(t.Context(), func(p *program) { p.Speaks = string(l) }, strings.Split(args, " ")...)
			stderr = strings.TrimPrefix(stderr, words.Say(l, "demo")+"\n")
			if status != wrongUse || stdout != "" {
				t.Errorf("%s: exit status %d, standard output %q", args, status, stdout)
			}
			checkScreen(t, stderr)
			fmt.Fprintf(&all, "$ sessionstamp %s\n%s", strings.ReplaceAll(args, "\u202e", "<U+202E>"), stderr)
		}
		golden(t, "misuse."+string(l)+".txt", all.String())
	}
	if status, _, stderr := play(t.Context(), func(p *program) { p.Speaks = "ja-JP" }, "check", "--lang", "fr"); status != wrongUse || !strings.Contains(stderr, "指定できません") {
		t.Errorf("an unknown language: %d %s", status, stderr)
	}
}

// roundTripper is a function that carries requests.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestEnvironment signs in as a program does, and is refused.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	tenant := demo.New(1, func() time.Time { return at })
	t.Cleanup(tenant.Close)
	forbidden := roundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/domains") {
			return tenant.Transport().RoundTrip(r)
		}
		body := `{"error":{"code":"Authorization_RequestDenied"}}`
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r, Status: body}, nil
	})
	for name, c := range map[string]struct {
		secret    string
		transport http.RoundTripper
		status    int
		says      string
	}{
		"well":         {demo.Secret, tenant.Transport(), wrong, "You need this"},
		"wrong secret": {"wr0ng", tenant.Transport(), wrong, "AADSTS7000215"},
		"no consent":   {demo.Secret, forbidden, wrong, "Domain.Read.All"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := play(t.Context(), func(p *program) {
				p.Env = environment([]string{
					tenantVariable + "=" + strings.ToUpper(demo.TenantID), clientVariable + "=" + demo.ClientID, secretVariable + "=" + c.secret,
				})
				p.Transport = c.transport
			}, "check")
			if said := stdout + stderr; status != c.status || !strings.Contains(said, c.says) || strings.Contains(said, c.secret) {
				t.Errorf("exit status %d: %s", status, said)
			}
		})
	}
}

// TestHistory finds one user by name and by id; without a file nobody was stamped.
func TestHistory(t *testing.T) {
	t.Parallel()
	_, csv, _ := play(t.Context(), nil, "history", "--names", "-o", "csv", "--demo")
	last := strings.Split(strings.Split(csv, "\r\n")[1], ",")
	for _, user := range []string{last[0], strings.ToUpper(last[1])} {
		_, found, stderr := play(t.Context(), nil, "history", user, "-o", "csv", "--demo")
		if strings.Count(found, "\r\n") != 2 || !strings.Contains(found, last[3]) {
			t.Errorf("%d lines, want a heading and a user: %s", strings.Count(found, "\r\n"), stderr)
		}
	}
	status, stdout, stderr := play(t.Context(), func(p *program) {
		p.Env = environment([]string{tenantVariable + "=" + demo.TenantID, "HOME=" + t.TempDir()})
	}, "history")
	if status != fine || !strings.Contains(stdout, "stamped 0 people") || stderr != "" {
		t.Errorf("without a file: exit status %d, %q, %q", status, stdout, stderr)
	}
}

// TestListOfUsers: what users writes, stamp will read.
func TestListOfUsers(t *testing.T) {
	t.Parallel()
	_, csv, _ := play(t.Context(), nil, "users", "--demo", "-o", "csv")
	list, err := userlist.Read(strings.NewReader(csv))
	if err != nil || len(list.Users) != strings.Count(csv, "\r\n")-1 || list.Column != "id" {
		t.Errorf("%d users by column %q, %v", len(list.Users), list.Column, err)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		if status, stdout, stderr := play(t.Context(), nil, "completion", shell); status != fine || len(stdout) < 1000 {
			t.Errorf("%s: exit status %d, %d bytes, %s", shell, status, len(stdout), stderr)
		}
	}
	for args, want := range map[string]string{"users --by ": "month", "ch": "check", "completion ": "fish", "check -o ": "json"} {
		if _, stdout, _ := play(t.Context(), nil, append([]string{"__complete"}, strings.Split(args, " ")...)...); !strings.Contains(stdout, want) {
			t.Errorf("%q is not completed by %q: %s", args, want, stdout)
		}
	}
}

// TestColours: they are for terminals, and change no text.
func TestColours(t *testing.T) {
	t.Parallel()
	_, plain, _ := play(t.Context(), nil, "check", "--demo")
	_, painted, _ := play(t.Context(), func(p *program) { p.Out.Colours = true }, "check", "--demo")
	if !strings.Contains(painted, string(screen.Notice)) || regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(painted, "") != plain {
		t.Errorf("%q", painted)
	}
}

// TestStopped: who presses Ctrl-C is told what that means.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if status, stdout, stderr := play(ctx, nil, "check", "--demo"); status != wrong || stdout != "" || !strings.Contains(stderr, "Nothing was changed") {
		t.Errorf("exit status %d, %q, %q", status, stdout, stderr)
	}
}

// TestCounter: nothing is told within a second, and what is drawn is taken away.
func TestCounter(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{true, false} {
		var out bytes.Buffer
		now := at
		c := &call{program: program{Stderr: &out, Err: screen.Terminal{Columns: 80, Live: live}, Now: func() time.Time { return now }}}
		k := &counter{c: c, began: at, stop: make(chan struct{})}
		k.show(999)
		for range 3 {
			now = now.Add(2 * time.Second)
			k.show(1998)
		}
		k.end()
		text := "Reading users: 1,998 …"
		want := text + "\n"
		if live {
			want = strings.Repeat("\r"+text, 3) + "\r" + strings.Repeat(" ", screen.Width(text)) + "\r"
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("live %t: %s", live, diff)
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
		"2026-11-30": {}, "-1d": {}, "d": {}, "999999999999999999999d": {}, "40000d": {}, "": {}, "2026": {}, "2026-13": {}, "２０２６-10": {},
	} {
		got, ok := parseSince(text, at)
		if ok != !want.IsZero() || ok && !got.Equal(want) {
			t.Errorf("%q: got %s, %t", text, got, ok)
		}
	}
}
