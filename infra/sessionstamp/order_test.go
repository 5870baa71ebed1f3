package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A site is a tenant of its own in virtual time, and a machine on which the command is
// played.
type site struct {
	t      *testing.T
	server *msgraphtest.Server
	*msgraphtest.Tenant
	ids    []string // users without a stamp, the oldest first
	began  time.Time
	home   string
	change func(*program)
	reach  http.RoundTripper // in the place of server; nil: it is that
}

const corp = "corp.example"

// all are the permissions that the verbs need.
var allRights = []string{readUsers, readDomains, readMembers, revoke}

// onSite plays a test with so many users without a stamp.
func onSite(t *testing.T, users int, o msgraphtest.Options, rights []string, test func(*testing.T, *site)) {
	t.Helper()
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &site{t: t, began: time.Now(), home: home}
		o.Now = s.now
		s.server = msgraphtest.New(o)
		defer s.server.Close()
		s.Tenant = s.server.AddTenant(msgraphtest.TenantOptions{
			ID: demo.TenantID, Domains: []msgraphtest.Domain{{Name: corp, Federated: true}, {Name: "branch." + corp, Federated: true}},
		})
		s.AddApp(msgraphtest.AppOptions{ID: demo.ClientID, Permissions: rights, Secrets: []msgraphtest.Secret{{Text: demo.Secret}}})
		for i := range users {
			created := s.now().Add(time.Duration(i-users) * time.Hour)
			s.ids = append(s.ids, s.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("u%d@%s", i, corp), Created: created}))
		}
		test(t, s)
	})
}

// now is the clock: at, and then as virtual time passes.
func (s *site) now() time.Time { return at.Add(time.Since(s.began)) }

// play runs the command as an app does.
func (s *site) play(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	return play(ctx, func(p *program) {
		p.Env = environment([]string{
			tenantVariable + "=" + demo.TenantID, clientVariable + "=" + demo.ClientID, secretVariable + "=" + demo.Secret, "HOME=" + s.home,
		})
		p.Transport, p.Now = s.server, s.now
		if s.change != nil {
			s.change(p)
		}
	}, args...)
}

// want checks how often users were signed out.
func (s *site) want(times int, ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if u, _ := s.User(id); len(u.Revocations) != times {
			s.t.Fatalf("user %s was signed out %d times, want %d", id, len(u.Revocations), times)
		}
	}
}

// TestOrderScreens are the screens of orders that are carried out.
func TestOrderScreens(t *testing.T) {
	t.Parallel()
	const list = "UserPrincipalName\r\nadmin1@td0d0d0d0.onmicrosoft.com\r\nsuzki@example.co.jp\r\nADMIN1@td0d0d0d0.onmicrosoft.com\r\n"
	for name, o := range map[string]struct {
		args   []string
		answer string // of the person; none: nobody is there
		status int
	}{
		"stamp":            {[]string{"stamp", "--all"}, "y", fine},
		"stamp-group":      {[]string{"stamp", "--group", demo.Group, "--exclude", "svc-*@example.co.jp", "--limit", "4"}, "ｙ", fine},
		"stamp-no":         {[]string{"stamp", "--domain", "tokyo.example.co.jp", "--no-wait"}, "n", wrong},
		"stamp-file":       {[]string{"stamp", "--file", "-", "--dry-run"}, list, wrong},
		"stamp-one":        {[]string{"stamp", "naoki.hayashi@example.co.jp"}, "y", fine},
		"signout-at":       {[]string{"signout", "--group", demo.Group, "--at", "22:00-05:00", "--dry-run"}, "", fine},
		"stamp-preview":    {[]string{"stamp", "--all", "--dry-run", "--exclude-group", demo.Group}, "", fine},
		"stamp-no-wait":    {[]string{"stamp", "--all", "--no-wait"}, "yes", fine},
		"stamp-continue":   {[]string{"stamp", "--continue", "--yes"}, "", fine},
		"signout":          {[]string{"signout", "--group", demo.Group, "--reason", "CA change #1234"}, "４８人", fine},
		"signout-wrong":    {[]string{"signout", "--group", demo.Group}, "49", wrongUse},
		"signout-expected": {[]string{"signout", "--group", demo.Group, "--yes", "--expect", "48"}, "", fine},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					status, stdout, stderr := play(t.Context(), func(p *program) {
						p.Now = func() time.Time { return at.Add(time.Since(began)) }
						p.Person, p.Stdin = o.answer != "", strings.NewReader(o.answer+"\n")
					}, append(o.args, "--demo", "--lang", string(l))...)
					for _, question := range []string{words.Say(l, "order.go_on"), words.Say(l, "order.type")} {
						stderr = strings.Replace(stderr, question, question+o.answer+"\n", 1)
					}
					if status != o.status {
						t.Errorf("exit status %d, want %d", status, o.status)
					}
					goldentest.Compare(t, "order-"+name+"."+string(l)+".txt", stderr+stdout)
					checkScreen(t, stderr) // the question among it
					checkScreen(t, stdout)
				})
				if o.status == fine {
					goOn(t, readGolden(t, "order-"+name+"."+string(l)+".txt"))
				}
			})
		}
	}
}

// TestOrderContracts: both verbs have one schema, whether they were carried out or not.
func TestOrderContracts(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"order.json":         {"stamp", "--file", "-", "--limit", "1", "--yes", "-o", "json"},
		"order.csv":          {"signout", "--file", "-", "--yes", "--expect", "4", "-o", "csv"},
		"order-dry-run.json": {"signout", "--file", "-", "--dry-run", "--reason", "audit", "-o", "json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				status, stdout, stderr := play(t.Context(), func(p *program) {
					p.Now = func() time.Time { return at.Add(time.Since(began)) }
					p.Stdin = strings.NewReader(strings.Join([]string{
						"makoto.kobayashi@example.co.jp", "nobody@example.co.jp", "admin1@td0d0d0d0.onmicrosoft.com", "taro.sato@example.co.jp",
						"naoki.hayashi@example.co.jp", "sakura.shimizu@example.co.jp"}, "\n"))
				}, append(args, "--demo")...)
				if status != wrong { // one of them is not there
					t.Errorf("exit status %d: %s", status, stderr)
				}
				goldentest.Compare(t, name, stdout)
			})
		})
	}
}

// TestOrderSelections: whom each way means.
func TestOrderSelections(t *testing.T) {
	t.Parallel()
	const group, inner, hidden = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002", "aaaaaaaa-0000-4000-8000-000000000003"
	onSite(t, 12, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		s.AddGroup(group, s.ids[0], s.ids[1], inner)
		s.AddGroup(inner, s.ids[1], s.ids[2])
		s.AddGroup(hidden, s.ids[3])
		s.SetGroup(group, "Night shift", false)
		s.SetGroup(hidden, "Secret", true)
		s.SetMail(s.ids[5], "five@"+corp, "smtp:fünf@"+corp, "smtp:v@"+corp)
		s.AddUser(msgraphtest.NewUser{UPN: "x@branch." + corp})
		list := filepath.Join(s.home, "list.csv")
		if err := os.WriteFile(list, []byte("\ufeffName;Mail;Group\r\n\"u, 5\";v@"+corp+";a\r\nu6;U6@"+corp+";b\r\n?;gone@"+corp+";c\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for line, want := range map[string]string{
			"--file " + list:                    "2 due",
			"--all":                             "13 due",
			"--domain corp.example":             "12 due",
			"--group Night_shift":               "3 due",
			"--group " + strings.ToUpper(group): "3 due",
			"U0@Corp.example V@corp.example five@corp.example " + s.ids[7]: "3 due",
			"--all --exclude u1*@corp.example --exclude " + s.ids[0]:       "9 due",
			"--all --exclude-group Night_shift":                            "10 due",
			"--all --exclude-group Night_shift --exclude-group " + group:   "10 due",
			"--all --exclude V@corp.example --exclude five@corp.example":   "12 due",
			"--all --exclude u99@corp.example":                             "no user u99@corp.example",
			"--domain corp.example --exclude svc-*@corp.example":           "matches nobody",
			"--all --limit 5":              "5 due",
			"--group Secret":               "HiddenMembership",
			"--all --exclude-group Secret": "HiddenMembership",
		} {
			args := []string{"stamp", "--dry-run", "-o", "json"}
			for _, arg := range strings.Fields(line) {
				args = append(args, strings.ReplaceAll(arg, "_", " "))
			}
			_, stdout, stderr := s.play(t.Context(), args...)
			var o ordered
			if json.Unmarshal([]byte(stdout), &o) == nil {
				stderr = fmt.Sprintf("%d due", o.Counts["due"])
			}
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: got %s, want %s", line, stderr, want)
			}
		}
		s.want(0, s.ids...)
	})
}

// TestOrderRights: a person is asked for no permission that is not needed.
func TestOrderRights(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    errand
		want []string
	}{
		"all":           {errand{}, []string{readUsers, readDomains, revoke}},
		"a preview":     {errand{dryRun: true}, []string{readUsers, readDomains}},
		"a group":       {errand{whom: whom{group: "g"}}, []string{readUsers, readDomains, readMembers, revoke}},
		"another group": {errand{whom: whom{group: "g"}, exclusions: exclusions{groups: []string{"h"}}}, []string{readUsers, readDomains, readMembers, revoke}},
	} {
		if diff := cmp.Diff(c.want, c.e.permissions()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestMissingRight names the right, and stops at once.
func TestMissingRight(t *testing.T) {
	t.Parallel()
	onSite(t, 300, msgraphtest.Options{}, []string{readUsers, readDomains}, func(t *testing.T, s *site) {
		for line, want := range map[string]string{"stamp --all --yes": revoke, "stamp u0@corp.example --yes --afresh": revoke, "stamp --group g --dry-run": readMembers} {
			status, stdout, stderr := s.play(t.Context(), strings.Fields(line)...)
			if status != wrong || !strings.Contains(stderr, want) || strings.Contains(stdout, "✓") {
				t.Errorf("%s: exit status %d: %s%s", line, status, stdout, stderr)
			}
		}
		s.want(0, s.ids...)
		if parts := s.server.Counts().Parts; parts > 300 { // each is read, and then called
			t.Errorf("%d parts: it did not stop", parts)
		}
	})
}

// TestProtected: somebody whom the app may not touch is told by name, and fails the order.
func TestProtected(t *testing.T) {
	t.Parallel()
	onSite(t, 5, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		s.Protect(s.ids[2])
		status, stdout, _ := s.play(t.Context(), "stamp", "--all", "--yes")
		if status != wrong || !strings.Contains(stdout, "✓ 4 stamped") || !strings.Contains(stdout, "u2@"+corp+"  a role protects") {
			t.Errorf("exit status %d: %s", status, stdout)
		}
	})
}

// TestClocks: whatever this machine takes for the time, everybody is signed out once, and
// nobody again by whoever gives the order again within minutes.
func TestClocks(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{10 * time.Second, 15 * time.Minute, -time.Hour} {
		onSite(t, 40, msgraphtest.Options{Replica: msgraphtest.Replica{Lag: 4 * time.Minute}}, allRights, func(t *testing.T, s *site) {
			time.Sleep(time.Hour) // replicas know everybody
			s.change = func(p *program) { p.Now = func() time.Time { return s.now().Add(ahead) } }
			for i, line := range []string{"--expect 40 --no-wait", "--expect 0 --no-wait", "--expect 0", "--expect 0", "--expect 40"} {
				if i == 4 {
					time.Sleep(2 * time.Minute)
				}
				status, stdout, stderr := s.play(t.Context(), strings.Fields("signout --all --yes "+line)...)
				if status != fine {
					t.Errorf("%s ahead, %s: exit status %d: %s%s", ahead, line, status, stdout, stderr)
				}
				s.want(1+i/4, s.ids...)
				if i == 3 && !strings.Contains(stdout, "signed out minutes ago 40") {
					t.Errorf("%s ahead: %s", ahead, stdout)
				}
			}
		})
	}
}

// TestCtrlC: what was stopped is told, and goes on.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	onSite(t, 200, msgraphtest.Options{Violation: func(v string) { t.Error(v) }}, allRights, func(t *testing.T, s *site) {
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second+500*time.Millisecond, stop)
		status, stdout, stderr := s.play(ctx, "stamp", "--all", "--yes")
		if status != wrong || !strings.Contains(stdout, "Stopped. Stamped: 1") || !strings.Contains(stdout, "stamp --continue") || strings.Contains(stderr, "Nothing was changed") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		for line, want := range map[string]string{
			"stamp": "stamp --continue", "signout --continue --dry-run": "stamp --continue", "stamp --continue --limit 3": "leave out",
			"stamp u0@corp.example --yes": "200 people was stopped", "signout --all --yes --expect 200": "--afresh",
			"stamp u0@corp.example --dry-run": "200 people was stopped", "stamp --continue --dry-run -o csv": ",due,",
			"signout u0@corp.example --yes --expect 2 --afresh": "it would be 1",
		} {
			if _, stdout, stderr := s.play(t.Context(), strings.Fields(line)...); !strings.Contains(stdout+stderr, want) {
				t.Errorf("%s: %s%s", line, stdout, stderr)
			}
		}
		ctx, stop = context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, stop)
		if _, stdout, _ := s.play(ctx, "stamp", "--continue", "--yes"); !strings.Contains(stdout, "Not read back yet") || strings.Contains(stdout, "--continue") {
			t.Errorf("stopped while stamps are read back: %s", stdout)
		}
		if status, stdout, stderr := s.play(t.Context(), "stamp", "--all", "--yes"); status != fine || !strings.Contains(stdout, "all read back") || !strings.Contains(stderr, "Under way") {
			t.Errorf("the end: exit status %d: %s%s", status, stdout, stderr)
		}
		s.want(1, s.ids...)
		s.AddUser(msgraphtest.NewUser{UPN: "new@" + corp})
		s.play(t.Context(), "signout", "new@"+corp, "--yes", "--expect", "1", "--reason", "CA #7")
		if _, stdout, stderr := s.play(t.Context(), "history", "--orders", "-o", "csv"); !strings.Contains(stdout, ",1,0,CA #7\r\nstamp,") || !strings.Contains(stdout, ",200,0,\r\n") {
			t.Errorf("the orders: %s%s", stdout, stderr)
		}
	})
}

// TestLeftAlone: who was once left out of an order that goes on stays out, however often it is
// stopped.
func TestLeftAlone(t *testing.T) {
	t.Parallel()
	onSite(t, 200, msgraphtest.Options{Violation: func(v string) { t.Error(v) }}, allRights, func(t *testing.T, s *site) {
		for i, line := range []string{"stamp --all --yes", "stamp --continue --yes --exclude u0@" + corp, "stamp --continue --yes"} {
			ctx, stop := context.WithCancel(t.Context())
			if i < 2 {
				time.AfterFunc(3500*time.Millisecond, stop)
			}
			s.play(ctx, strings.Fields(line)...)
			stop()
		}
		s.want(0, s.ids[0]) // the oldest, who comes last
		s.want(1, s.ids[1:]...)
	})
}

// TestCtrlCInTheDemo: what forgets everything does not offer to go on.
func TestCtrlCInTheDemo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, stop)
		_, stdout, _ := play(ctx, func(p *program) { p.Now = func() time.Time { return at.Add(time.Since(began)) } }, "stamp", "--all", "--yes", "--demo")
		if !strings.Contains(stdout, "forgets") || !strings.Contains(stdout, "sessionstamp stamp --all --demo") || strings.Contains(stdout, "stamp --continue") {
			t.Error(stdout)
		}
	})
}

// TestStoppedBefore: at the question nothing is changed, and while waiting for the night
// nobody is called; the order can go on.
func TestStoppedBefore(t *testing.T) {
	t.Parallel()
	onSite(t, 3, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		s.change = func(p *program) { p.Person, p.Stdin = true, silence(t.Context().Done()) }
		for line, want := range map[string]string{"stamp --all --afresh": "Nothing was changed", "stamp --all --yes --at 22:00-05:00 --afresh": "stamp --continue --at 22:00-05:00  goes"} {
			ctx, stop := context.WithCancel(t.Context())
			time.AfterFunc(time.Hour, stop)
			status, stdout, stderr := s.play(ctx, strings.Fields(line)...)
			if status != wrong || !strings.Contains(stdout+stderr, want) {
				t.Errorf("%s: exit status %d: %s%s", line, status, stdout, stderr)
			}
		}
		s.want(0, s.ids...)
	})
}

// silence is a person who says nothing until the end.
type silence <-chan struct{}

func (s silence) Read([]byte) (int, error) {
	<-s
	return 0, http.ErrBodyReadAfterClose
}

// TestAgain: the command line that a screen ends with can be typed.
func TestAgain(t *testing.T) {
	t.Parallel()
	c := &call{program: program{Args: []string{"stamp", "--group", "Bob's *", "--demo", "--dry-run"}}}
	if got := c.again("--dry-run"); got != `stamp --group 'Bob'\''s *'` {
		t.Errorf("got %s", got)
	}
}

// TestStoppedWhileItReads: a pipe that nobody writes to keeps nobody.
func TestStoppedWhileItReads(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	silent, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	time.AfterFunc(10*time.Millisecond, stop)
	status, stdout, stderr := play(ctx, func(p *program) { p.Stdin = silent }, "stamp", "--file", "-", "--dry-run", "--demo")
	if status != wrong || stdout != "" || !strings.Contains(stderr, "Nothing was changed") {
		t.Errorf("exit status %d, %q, %q", status, stdout, stderr)
	}
}
