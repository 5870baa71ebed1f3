package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// screens are written to a file, since they show names, which no test prints.
var screens = flag.String("screens", "", "write what TestWalk shows into this folder")

// keepScreen adds what was shown to the file of the test.
func keepScreen(t *testing.T, shown string) {
	t.Helper()
	if *screens == "" {
		return
	}
	file, err := os.OpenFile(filepath.Join(*screens, filepath.Base(t.Name())+".txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(shown)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Error(err)
	}
}

// Who else works with a deployment.
const (
	operator  = "arn:aws:sts::123456789012:assumed-role/Operator/suzuki"
	registrar = "arn:aws:sts::123456789012:assumed-role/Signals/sasaki"
	helpdesk  = "arn:aws:sts::123456789012:assumed-role/Helpdesk/ito"
)

// TestWalk takes somebody from an empty account, and a tenant without an app, to a deployment
// that works, by the commands of README.md as they stand there, and nothing else: an
// administrator who is signed in to AWS as in CloudShell, and signs in to Entra by a browser.
func TestWalk(t *testing.T) {
	t.Parallel()
	for lang, readme := range map[string]string{"en_US.UTF-8": "README.md", "ja_JP.UTF-8": "README.ja.md"} {
		t.Run(readme, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.limit(person, access.Deploy)
			a.graph.tenant.AddApp(msgraphtest.AppOptions{ID: ask.GraphCommandLineTools, Delegated: slices.Concat(everything, administering, []string{ask.ReadApps})})
			old := time.Now().AddDate(-1, 0, 0)
			for upn, stamp := range map[string]*time.Time{"sato": nil, "suzuki": &old, "breakglass": nil} {
				a.graph.tenant.AddUser(msgraphtest.NewUser{UPN: upn + "@" + federated, Created: old, Stamp: stamp})
			}
			newcomer := a.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "ito@" + federated, Created: time.Now().AddDate(0, 0, -9)})
			d := a.desk(person)
			d.env = append(d.env, "LANG="+lang)
			questions := 0
			commands := commandsOf(t, readme)
			if len(commands) > 5 {
				t.Errorf("%s has the commands %q", readme, commands)
			}
			for _, command := range commands {
				if args, ours := strings.CutPrefix(command, "sessionstamp "); ours {
					status, asked := d.sit(t, args)
					if questions += asked; status != map[bool]int{true: 1}[args == "check"] {
						t.Fatalf("%s: exit status %d", args, status)
					}
				}
			}
			if questions > 2 {
				t.Errorf("%d questions were asked", questions)
			}
			user := a.graph.newUser("kato")
			a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
			if a.graph.revocations(user) != 1 || a.graph.revocations(newcomer) != 0 {
				t.Errorf("the new user was signed out %d times, the one of before %d times", a.graph.revocations(user), a.graph.revocations(newcomer))
			}
			a.operate(d)
		})
	}
}

// operate is what people do with a deployment, who may do that alone.
func (a *account) operate(d *desk) {
	a.limit(operator, access.Operator)
	a.limit(helpdesk, access.Helpdesk)
	for _, run := range []struct{ as, args string }{
		{helpdesk, "status"}, {helpdesk, "history --stack sessionstamp"}, {helpdesk, "why kato@" + federated + " --stack sessionstamp"},
		{operator, "pause"}, {operator, "resume"}, {operator, "release"}, {operator, "sweep --preview"}, {operator, "status"},
		{operator, "history --stack sessionstamp"}, {operator, "doctor"}, {person, "update --plan"},
	} {
		d.env = append(d.env, a.environment(run.as)...) // the last one counts
		if status, _ := d.sit(a.t, run.args); status != 0 {
			a.t.Errorf("%s: exit status %d", run.args, status)
		}
	}
}

// commandsOf are those of the first block of code in a page.
func commandsOf(t *testing.T, page string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		command, code := strings.CutPrefix(line, "    ")
		if !code && len(commands) > 0 {
			break
		}
		if code {
			command, _, _ = strings.Cut(command, "#")
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	return commands
}

// spawn runs a program at a terminal of its own, on the input and output of Python's process.
const spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"

// question is one that waits for an answer.
var question = regexp.MustCompile(`\[y/N[^]]*\] $`)

// sit runs the command as a person does at a terminal, on a path with nothing but SAM and a
// browser; answers yes to what it asks; and tells how often that was.
func (d *desk) sit(t *testing.T, args string) (status, questions int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	python, err := filepath.Abs(filepath.Join(root, ".venv/bin/python"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, python, append([]string{"-c", spawn, filepath.Join(programs(t), "sessionstamp")}, strings.Fields(args)...)...) //nolint:gosec // our own
	command.Env = append([]string{"PATH=" + d.bin, "HOME=" + d.home, "TERM=dumb", "HTTPS_PROXY=" + d.graph.proxy.URL, "SSL_CERT_FILE=" + d.graph.certs}, d.env...)
	keys, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer d.browser(ctx, t)()
	var screen bytes.Buffer
	for some := make([]byte, 4096); ; {
		n, err := terminal.Read(some)
		screen.Write(some[:n])
		if question.Match(screen.Bytes()) {
			questions++
			if _, err := io.WriteString(keys, "y\n"); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			break
		}
	}
	_ = command.Wait() // the exit status says it
	keepScreen(t, "$ sessionstamp "+args+"\n"+strings.ReplaceAll(screen.String(), "\r\n", "\n")+"\n")
	return command.ProcessState.ExitCode(), questions
}

// browser opens the addresses that the command wants opened, until it is closed.
func (d *desk) browser(ctx context.Context, t *testing.T) (closed func()) {
	t.Helper()
	pipe, err := os.OpenFile(d.pipe, os.O_RDWR|syscall.O_NONBLOCK, 0) // so that reading ends when it is closed
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for address := make([]byte, 4096); ; { // the most that is written in one piece
			n, err := pipe.Read(address)
			if err != nil {
				return
			}
			if err := msgraphtest.Browse(ctx, d.graph.Server, string(address[:n])); err != nil {
				t.Error(err)
			}
		}
	})
	return func() {
		_ = pipe.Close()
		open.Wait()
	}
}
