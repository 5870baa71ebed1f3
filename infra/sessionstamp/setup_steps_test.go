package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// TestStepsLast: a step that lasts is told of soon, and each half minute; on a terminal at once,
// and each second.
func TestStepsLast(t *testing.T) {
	t.Parallel()
	for live, want := range map[bool]string{
		false: "… Stack s  1 s\n… Stack s  31 s  CloudFormation CREATE_IN_PROGRESS Table\n✓ Stack s  51 s\n",
		true:  "\r… Stack s  1 s\r… Stack s  2 s  CloudFormation CREATE_IN_PROGRESS Table",
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _, stderr, _ := inSetup(language.English)
			c.Now, c.Err.Live = time.Now, live
			steps := c.steps()
			steps.take(setup.Event{Step: "deploy", Detail: "s", State: setup.Begins})
			time.Sleep(1500 * time.Millisecond)
			steps.take(setup.Event{Step: "deploy", Detail: "s", State: setup.Waits, Why: "CREATE_IN_PROGRESS Table"})
			time.Sleep(49 * time.Second)
			steps.take(setup.Event{Step: "deploy", Detail: "s", State: setup.Done})
			steps.end()
			if said := stderr.String(); !live && said != want || !strings.Contains(said, want) || !strings.HasSuffix(said, "✓ Stack s  51 s\n") || live && !strings.HasPrefix(said, "\r… Stack s\r") {
				t.Errorf("live %t: %q", live, said)
			}
		})
	}
}

// A visitor enters the code that the command shows.
type visitor struct {
	bytes.Buffer

	server *msgraphtest.Server
}

// Write implements io.Writer.
func (v *visitor) Write(p []byte) (int, error) {
	if code := regexp.MustCompile(`code ([A-Z0-9]{6,})`).FindSubmatch(p); code != nil {
		v.server.EnterDeviceCode(string(code[1]), true)
	}
	return v.Buffer.Write(p)
}

// TestUndoByPerson: what a person is asked for suffices to take the apps away, by the line that
// the person of AWS has got.
func TestUndoByPerson(t *testing.T) {
	t.Parallel()
	d := setup.Deployment{Stack: "sessionstamp", Partition: "aws", Account: "123456789012", Region: "ap-northeast-1"}
	synctest.Test(t, func(t *testing.T) {
		server := msgraphtest.New(msgraphtest.Options{})
		defer server.Close()
		tenant := server.AddTenant(msgraphtest.TenantOptions{ID: demo.TenantID, Domains: []msgraphtest.Domain{{Name: "example.co.jp"}}})
		tenant.AddApp(msgraphtest.AppOptions{ID: ask.GraphCommandLineTools, Delegated: []string{readMe, ask.ManageApps, ask.ManageRoles}})
		tenant.AddUser(msgraphtest.NewUser{ID: someone, UPN: "admin@example.co.jp"})
		tenant.SignInPerson(someone)
		tenant.AddApp(msgraphtest.AppOptions{UniqueName: d.UniqueName("reader")})
		for _, want := range []string{"The apps of the deployment sessionstamp are gone", "There is nothing to remove"} {
			err := &visitor{server: server}
			status, stdout, _ := play(t.Context(), func(p *program) { p.Transport, p.Stderr, p.Now = server, err, time.Now },
				"setup", "--undo", "--yes", "--sign-in", "device", "--lang", "en", "--entra", d.RemovalLine())
			if status != fine || !strings.Contains(stdout, want) {
				t.Errorf("exit status %d: %s%s", status, stdout, err.String())
			}
		}
	})
}

// TestSetupFlags: --observe needs no value and takes one, and --dry-run is --plan here.
func TestSetupFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"--observe": "true", "--observe --plan": "true", "--observe false": "false", "--observe=false": "false", "--observe true LINE": "true LINE"} {
		c := &call{program: program{Args: append([]string{"setup"}, strings.Fields(args)...)}}
		cmd, o := c.setupVerb(), settingUp{}
		if err := cmd.ParseFlags(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		o.observe = cmd.Flags().Lookup("observe").Value.String()
		line := o.observed(cmd, cmd.Flags().Args())
		if got := strings.TrimSpace(o.observe + " " + line); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
	if _, _, stderr := play(t.Context(), nil, "setup", "--dry-run", "--lang", "en"); !strings.Contains(stderr, "--plan") {
		t.Error(stderr)
	}
}
