package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// secret is that of the apps by which these tests sign in.
const secret = "an app's secret"

// A desk is a machine at which a person runs the built command against the emulator, over
// TLS. The person administers the tenant.
type desk struct {
	graph *graph
	bin   string // programs that the command starts: a browser, az
	home  string
	pipe  string // by which the browser tells what it is to open
	env   []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskAt(t, newGraph(t, msgraphtest.Options{}))
}

func newDeskAt(t *testing.T, g *graph) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{graph: g, bin: filepath.Join(dir, "bin"), home: filepath.Join(dir, "home"), pipe: filepath.Join(dir, "pipe")}
	old := time.Now().AddDate(-1, 0, 0)
	upn := "admin" + uuid.NewString()[:8] + "@" + federated
	d.graph.tenant.SignInPerson(d.graph.tenant.AddUser(msgraphtest.NewUser{UPN: upn, Name: "Admin", Created: old, Stamp: &old}))
	if err := os.MkdirAll(d.bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(d.pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	d.script(t, "xdg-open", `printf %s "$1" > `+d.pipe)
	return d
}

// script puts a program on the path of the command.
func (d *desk) script(t *testing.T, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// A way is how a person or an app signs in, with those permissions and no other.
type way struct {
	flags []string
	env   []string
	// meanwhile does at the desk what the person does, once the command has said that.
	meanwhile func(ctx context.Context, said string) error
}

// ways are all that there are, each with an app of its own.
func (d *desk) ways(t *testing.T, permissions []string) map[string]way {
	t.Helper()
	app := d.graph.tenant.AddApp(msgraphtest.AppOptions{Permissions: permissions, Secrets: []msgraphtest.Secret{{Text: secret}}})
	person := d.graph.tenant.AddApp(msgraphtest.AppOptions{Delegated: permissions})
	own := []string{"--client-id", person.ID()}
	d.script(t, "az", fmt.Sprintf(`echo '{"accessToken":%q,"expires_on":4102444800}'`, d.token(t, app)))
	return map[string]way{
		"env": {env: []string{"AZURE_TENANT_ID=" + d.graph.tenant.ID(), "AZURE_CLIENT_ID=" + app.ID(), "AZURE_CLIENT_SECRET=" + secret}},
		"browser": {flags: own, meanwhile: func(ctx context.Context, said string) error {
			if !strings.Contains(said, "opens now") {
				return nil
			}
			address, err := os.ReadFile(d.pipe)
			if err != nil || len(address) == 0 {
				return err
			}
			return msgraphtest.Browse(ctx, d.graph.Server, string(address))
		}},
		"device": {flags: append([]string{"--sign-in", "device"}, own...), meanwhile: func(_ context.Context, said string) error {
			if code := deviceCode.FindStringSubmatch(said); code != nil && !d.graph.EnterDeviceCode(code[1], true) {
				return fmt.Errorf("nobody takes the code in %q", said)
			}
			return nil
		}},
		"az": {flags: []string{"--sign-in", "az"}},
	}
}

var deviceCode = regexp.MustCompile(`enter the code (\S+)`)

// token is one of an app's, as az would hold it.
func (d *desk) token(t *testing.T, app *msgraphtest.App) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ID()}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.microsoftonline.com/"+d.graph.tenant.ID()+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := d.graph.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return got.Token
}

// run runs the command as a person signed in that way does, to its end. What it writes goes into
// a file, in which nothing may be written over what was written before.
func (d *desk) run(t *testing.T, w way, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(programs(t), "sessionstamp"), append(args, w.flags...)...) //nolint:gosec // our own
	command.Env = append([]string{
		"PATH=" + d.bin + ":/usr/bin:/bin", "HOME=" + d.home, "LANG=en_US.UTF-8",
		"HTTPS_PROXY=" + d.graph.proxy.URL, "SSL_CERT_FILE=" + d.graph.certs,
	}, slices.Concat(d.env, w.env)...)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	command.Stdout = out
	var all bytes.Buffer
	errors, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(io.TeeReader(errors, &all))
	for lines.Scan() {
		if w.meanwhile != nil {
			if err := w.meanwhile(ctx, lines.Text()); err != nil {
				t.Error(err)
				cancel()
			}
		}
	}
	_ = command.Wait() // the exit status says it
	written, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(written), all.String()
}

// everything is what an administrator may have consented to.
var everything = []string{"User.Read.All", "Domain.Read.All", "GroupMember.Read.All", "User.RevokeSessions.All"}

// A deed is a verb as people call it, and what it needs.
type deed struct {
	args   []string
	needs  []string
	status int
	says   string // on standard output
}

// deeds are all verbs that need no deployment, about a new user, one who has been there for
// long, both without a stamp, and a group of one who has a stamp.
func deeds(user, group string) []deed {
	write := []string{"User.Read.All", "Domain.Read.All", "User.RevokeSessions.All"}
	return []deed{
		{[]string{"watch", "--once"}, write, 0, "stamped"},
		{[]string{"check"}, everything[:2], 1, "no stamp"},
		{[]string{"users"}, everything[:2], 0, user},
		{[]string{"why", user}, everything[:2], 1, "has no stamp"},
		{[]string{"report", "-o", "json"}, everything[:2], 0, user},
		{[]string{"stamp", user, "--yes"}, write, 0, "✓ 1 stamped, and read back."},
		{[]string{"signout", "--group", group, "--yes", "--expect", "1", "--reason", "a test"}, everything, 0, "✓ 1 signed out, and read back."},
		{[]string{"history", user}, nil, 0, "stamped"},
		{[]string{"history", "--names"}, nil, 0, user},
	}
}

// people adds those whom the deeds are about, and returns who is to be signed out by them.
func (d *desk) people(name string) (ids []string, what []deed) {
	before := time.Now().AddDate(-1, 0, 0)
	add := func(u msgraphtest.NewUser) string {
		ids = append(ids, d.graph.tenant.AddUser(u))
		return ids[len(ids)-1]
	}
	add(msgraphtest.NewUser{UPN: "new-" + name + "@" + federated})
	d.graph.tenant.Approve(add(msgraphtest.NewUser{UPN: name + "@" + federated, Created: before}), time.Time{})
	member := add(msgraphtest.NewUser{UPN: "old-" + name + "@" + federated, Created: before, Stamp: &before})
	d.graph.tenant.Approve(member, time.Now())
	group := "group of " + name
	d.graph.tenant.AddGroup(groupID(name), member)
	d.graph.tenant.SetGroup(groupID(name), group, false)
	return ids, deeds(name+"@"+federated, group)
}

// groupID is the object id of a newcomer's group.
func groupID(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String()
}

// TestCommand: whichever way somebody signs in, every verb does its work, once.
func TestCommand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, w := range d.ways(t, everything) {
		t.Run(name, func(t *testing.T) {
			ids, deeds := d.people(name)
			for _, a := range deeds {
				status, stdout, stderr := d.run(t, w, a.args...)
				if status != a.status || !strings.Contains(stdout, a.says) || strings.Contains(stdout+stderr, secret) {
					t.Errorf("%s: exit status %d\n%s%s", a.args, status, stdout, stderr)
				}
			}
			for i, id := range ids {
				if n := d.graph.revocations(id); n != 1 {
					t.Errorf("user %d was signed out %d times", i, n)
				}
			}
		})
	}
}

// TestCommandWithoutRight: whoever lacks a right is told which, and nothing is changed.
func TestCommandWithoutRight(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var all []string
	for _, right := range everything {
		for name, w := range d.ways(t, without(everything, right)) {
			ids, deeds := d.people(name + "-" + right)
			all = append(all, ids...)
			for _, a := range deeds {
				if !slices.Contains(a.needs, right) {
					continue
				}
				status, stdout, stderr := d.run(t, w, a.args...)
				// What can be told without the right is told.
				told := strings.Contains(stdout+stderr, right) || strings.Contains(stdout, "the right is missing") || strings.Contains(stderr, "AADSTS65001")
				if !told || stdout == "" && status != 1 {
					t.Errorf("%s, %s without %s: exit status %d\n%s%s", name, a.args, right, status, stdout, stderr)
				}
			}
		}
	}
	for _, id := range all {
		if d.graph.revocations(id) > 0 {
			t.Errorf("user %s was signed out", id)
		}
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}
