package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// administering is what an app may that sets another app up.
var administering = []string{"User.Read.All", "Domain.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}

// setup runs the command with a home, as somebody of AWS and an app of the tenant.
func (a *account) setup(home, caller string, app *msgraphtest.App, args ...string) (status int, printed string) {
	a.t.Helper()
	sam, err := filepath.Abs(filepath.Join(root, ".venv/bin"))
	if err != nil {
		a.t.Fatal(err)
	}
	command := exec.CommandContext(a.ctx, filepath.Join(programs(a.t), "sessionstamp"), append([]string{"setup", "--yes"}, args...)...) //nolint:gosec // our own
	command.Env = []string{
		"PATH=" + sam + ":/usr/bin:/bin", "HOME=" + home, "LANG=en_US.UTF-8", "SAM_CLI_POLL_DELAY=0.1", "PYTHONWARNINGS=ignore", "NO_PROXY=pypi.org", // where SAM asks for its newest version
		"HTTPS_PROXY=" + a.graph.proxy.URL, "SSL_CERT_FILE=" + a.graph.certs,
	}
	if caller != "" {
		command.Env = append(command.Env, a.environment(caller)...)
	}
	if app != nil {
		command.Env = append(command.Env, "AZURE_TENANT_ID="+a.graph.tenant.ID(), "AZURE_CLIENT_ID="+app.ID(), "AZURE_CLIENT_SECRET="+secret)
	}
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	_ = command.Run() // the exit status says it
	return command.ProcessState.ExitCode(), out.String()
}

// TestSetup takes an empty account and a tenant without an app to a deployment that stamps, by
// one call of the command; another one finds nothing to make; a third takes all away.
func TestSetup(t *testing.T) {
	t.Parallel()
	a, home := newAccount(t), t.TempDir()
	admin := a.graph.tenant.AddApp(msgraphtest.AppOptions{Permissions: administering, Secrets: []msgraphtest.Secret{{Text: secret}}})
	status, printed := a.setup(home, person, admin)
	a.mustBe("CREATE_COMPLETE", printed)
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, printed)
	}
	user := a.graph.newUser("sato")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := a.graph.revocations(user); n != 1 {
		t.Errorf("the user was signed out %d times, want once", n)
	}
	if status, printed = a.setup(home, person, admin); status != 0 || strings.Count(printed, "done before") < 6 {
		t.Errorf("the second setup: exit status %d: %s", status, printed)
	}
	if status, printed = a.setup(home, person, admin, "--undo"); status != 0 {
		t.Errorf("the undoing: exit status %d: %s", status, printed)
	}
	if left := a.graph.tenant.Subscriptions(); len(left) != 0 {
		t.Errorf("after the undoing there are the subscriptions %v", left)
	}
}

// TestSetupByTwo: each has no right in the other's half, and what passes is a line.
func TestSetupByTwo(t *testing.T) {
	t.Parallel()
	a, home := newAccount(t), t.TempDir()
	admin := a.graph.tenant.AddApp(msgraphtest.AppOptions{Permissions: administering[2:], Secrets: []msgraphtest.Secret{{Text: secret}}})
	line := func(status int, printed string) string {
		t.Helper()
		words := strings.Fields(printed)
		at := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "sessionstamp/v1/") })
		if status != 0 || at < 0 {
			t.Fatalf("exit status %d: %s", status, printed)
		}
		return words[at]
	}
	asked := line(a.setup(home, person, nil, "--aws"))
	answered := line(a.setup(home, "", admin, "--entra", asked))
	status, printed := a.setup(home, person, nil, "--aws", answered)
	a.mustBe("CREATE_COMPLETE", fmt.Sprintf("exit status %d: %s", status, printed))
	if n := len(a.graph.tenant.Subscriptions()); n != 1 || status != 0 {
		t.Errorf("%d subscriptions, exit status %d: %s", n, status, printed)
	}
}
