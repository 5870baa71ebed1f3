package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

var (
	tokyo = time.FixedZone("JST", 9*60*60)
	at    = time.Date(2026, 11, 29, 10, 0, 0, 0, tokyo)
)

// terminal is one of 80 columns, without colours.
var terminal = screen.Terminal{Columns: screen.Columns}

// play runs the command, and returns the exit status and what it wrote. The language behind
// --lang is that of the person's system: no screen repeats it.
func play(ctx context.Context, change func(*program), args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	speaks := ""
	if i := slices.Index(args, "--lang"); i >= 0 && i+1 < len(args) && slices.Contains(languages(), language.Language(args[i+1])) {
		speaks, args = args[i+1], slices.Concat(args[:i], args[i+2:])
	}
	p := program{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Out: terminal, Err: terminal,
		Env: environment(nil), System: "linux", Speaks: speaks, Now: func() time.Time { return at },
		WriteFile: func(string, []byte) error { return nil },
	}
	if change != nil {
		change(&p)
	}
	status = p.run(ctx)
	return status, out.String(), err.String()
}

func languages() []language.Language { return []language.Language{language.English, language.Japanese} }

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
	"users-few":       {"users", "--domain", "@Example.co.jp", "--since", "20d", "--demo"},
	"users-reason":    {"users", "--reason", "new", "--demo"},
	"users-none":      {"users", "--domain", "tokyo.example.co.jp", "--since", "1d", "--demo"},
	"report":          {"report", "--demo"},
	"doctor":          {"doctor", "--demo"},
	"help-doctor":     {"doctor", "--help"},
	"history":         {"history", "--demo"},
	"history-names":   {"history", "--names", "--limit", "12", "--demo"},
	"help":            {"--help"},
	"help-flags":      {"help", "flags"},
	"help-check":      {"check", "--help"},
	"help-users":      {"help", "users"},
	"help-report":     {"report", "--help"},
	"help-stamp":      {"stamp", "--help"},
	"help-signout":    {"signout", "--help"},
	"help-restamp":    {"restamp", "--help"},
	"help-history":    {"history", "-h"},
	"help-watch":      {"help", "watch"},
	"help-completion": {"completion", "--help"},

	"help-permissions": {"permissions", "--help"},
	"help-policy":      {"policy", "--help"},
	"help-deployment":  {"help", "deployment"},
	"help-listen":      {"help", "listen"},
}

// TestScreens: each fits on a screen of 80×24, has nothing but the result, and ends with
// the next command.
func TestScreens(t *testing.T) {
	t.Parallel()
	for name, args := range screens {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				status, stdout, stderr := play(t.Context(), func(p *program) { p.Out.Live = true }, append(args, "--lang", string(l))...)
				if want := map[bool]int{true: wrong, false: fine}[name == "check"]; status != want || !strings.HasPrefix(words.Say(l, "demo")+"\n", stderr) {
					t.Errorf("exit status %d, want %d; standard error %q", status, want, stderr)
				}
				goldentest.Compare(t, name+"."+string(l)+".txt", stdout)
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
				if tooWide(line, 44) {
					t.Errorf("%s, %s: too wide: %q", name, l, line)
				}
			}
		}
	}
}

// tooWide tells whether a line is wider than the screen. A command that is to be copied is
// not broken: its first half would do something else.
func tooWide(line string, most int) bool {
	return screen.Width(line) > most && !toCopy.MatchString(line)
}

var toCopy = regexp.MustCompile(`^(?:Next:|次:| +) *sessionstamp \S+( \S+)*$`)

func checkScreen(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines do not fit on a screen", len(lines))
	}
	for _, line := range lines {
		if tooWide(line, screen.Columns) {
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
		if strings.Contains(match[1], "log.csv") || strings.Contains(match[1], "--listen") {
			continue // they take a file, or a secret, of the person's own
		}
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
			goldentest.Compare(t, name, english)
		})
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
	for args, want := range map[string]string{"history": "has stamped 0 people", "history 11111111-2222-3333-4444-555555555555": "has not stamped 11111111"} {
		status, stdout, stderr := play(t.Context(), func(p *program) {
			p.Env = environment([]string{tenantVariable + "=" + demo.TenantID, "HOME=" + t.TempDir()})
		}, strings.Fields(args)...)
		if status != fine || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("%s, without a file: exit status %d, %q, %q", args, status, stdout, stderr)
		}
	}
}

// TestListOfUsers: what users writes, stamp will read.
func TestListOfUsers(t *testing.T) {
	t.Parallel()
	_, csv, _ := play(t.Context(), nil, "users", "--demo", "-o", "csv")
	list, err := userlist.Read(strings.NewReader(csv))
	if err != nil || len(list.Users) != strings.Count(csv, "\r\n")-1 || !directory.IsID(list.Users[0].Name) {
		t.Errorf("%d users, %v", len(list.Users), err)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		if status, stdout, stderr := play(t.Context(), nil, "completion", shell); status != fine || len(stdout) < 1000 {
			t.Errorf("%s: exit status %d, %d bytes, %s", shell, status, len(stdout), stderr)
		}
	}
	for args, want := range map[string]string{"users --by ": "month", "ch": "check", "completion ": "fish", "check -o ": "json", "stamp --limit 1 --ou": "--output"} {
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

// TestHead: who reads only the beginning of a result is not told that this failed.
func TestHead(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader.Close()
	status, _, stderr := play(t.Context(), func(p *program) { p.Stdout = writer }, "check", "--demo")
	if status != wrong || stderr != words["demo"].En+"\n" {
		t.Errorf("exit status %d, %q", status, stderr)
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

// TestVersion: the verb, the flag and JSON say the same.
func TestVersion(t *testing.T) {
	t.Parallel()
	_, verb, _ := play(t.Context(), nil, "version")
	status, flag, _ := play(t.Context(), nil, "--version")
	_, object, _ := play(t.Context(), nil, "version", "-o", "json")
	if status != fine || verb != flag || !strings.HasPrefix(verb, "sessionstamp ") || !strings.Contains(verb, runtime.Version()) || !strings.Contains(object, runtime.GOARCH) {
		t.Errorf("exit status %d, %q, %q, %s", status, verb, flag, object)
	}
}
