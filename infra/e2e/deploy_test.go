package e2e

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

// released lays out a folder with what a release carries.
func released(t *testing.T) string {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(programs(t), "tree.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	tree := t.TempDir()
	if err := os.CopyFS(tree, archive); err != nil {
		t.Fatal(err)
	}
	return tree
}

// deploying are the arguments by which SAM asks nothing.
func (a *account) deploying(parameters ...string) []string {
	for name, v := range a.settings(nil) {
		parameters = append(parameters, name+"="+v)
	}
	return append([]string{"deploy", "--template-file", "template.yaml", "--stack-name", stackName, "--resolve-s3", "--no-confirm-changeset",
		"--no-progressbar", "--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--parameter-overrides"}, parameters...)
}

// mustBe checks the status that the stack has after something was done.
func (a *account) mustBe(want, done string) {
	a.t.Helper()
	if got, failures := a.status(); got != want {
		a.t.Fatalf("the stack is %s, want %s: %q\n%s", got, want, failures, done)
	}
}

// TestDeployment: a stack is made by SAM, stamps, is changed, and is removed.
func TestDeployment(t *testing.T) {
	t.Parallel()
	a, tree := newAccount(t), released(t)
	a.aws.SetFederation(true)
	a.trust()
	_, printed := a.sam(tree, a.deploying()...)
	a.mustBe("CREATE_COMPLETE", printed)
	if n := len(a.graph.tenant.Subscriptions()); n != 1 {
		t.Fatalf("there are %d subscriptions, want 1", n)
	}
	user := a.graph.newUser("sato")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := a.graph.revocations(user); n != 1 {
		t.Errorf("the user was signed out %d times, want once", n)
	}
	if status, printed := a.sam(tree, a.deploying()...); status != 0 || !strings.Contains(printed, "No changes to deploy") {
		t.Errorf("the second deployment ends with %d:\n%s", status, printed)
	}
	_, printed = a.sam(tree, a.deploying("DryRun=true")...)
	a.mustBe("UPDATE_COMPLETE", printed)
	second := a.graph.newUser("suzuki")
	a.logged("StamperFunction", map[string]any{"user": second, "reason": "dry_run"})
	if got := a.remove(); got != "DELETE_COMPLETE" {
		t.Errorf("the stack is %s", got)
	}
	if left := a.graph.tenant.Subscriptions(); len(left) != 0 || a.graph.revocations(second) != 0 {
		t.Errorf("after the deletion there are the subscriptions %v", left)
	}
	got := a.deploy(nil)
	if _, failures := a.status(); got != "ROLLBACK_COMPLETE" || !says(failures[0], "/aws/lambda/sessionstamp-stamper' already exists", "HandlerErrorCode: AlreadyExists") {
		t.Errorf("the log that was retained is not in the way: %s, %q", got, failures)
	}
}

// TestDeploymentFails: an app that trusts nobody lets the deployment fail with the
// keeper's sentence, and nothing is left but the table, which nobody deletes unasked.
func TestDeploymentFails(t *testing.T) {
	t.Parallel()
	a, tree := newAccount(t), released(t)
	a.aws.SetFederation(true)
	status, printed := a.sam(tree, a.deploying()...)
	a.mustBe("ROLLBACK_COMPLETE", printed)
	if _, failures := a.status(); status == 0 || len(failures) != 1 || !says(failures[0], "Received response status [FAILED]", "AADSTS70") {
		t.Errorf("exit status %d, %q\n%s", status, failures, printed)
	}
	a.remove()
	allow := a.aws.Forbid(awstest.Actions("iam:CreateRole"))
	got := a.deploy(nil)
	allow()
	if _, failures := a.status(); got != "ROLLBACK_COMPLETE" || len(failures) != 1 || !says(failures[0], "not authorized to perform: iam:CreateRole") {
		t.Errorf("without a right the stack is %s, %q", got, failures)
	}
	a.remove()
	a.trust()
	if got := a.deploy(nil); got != "CREATE_COMPLETE" {
		t.Fatalf("with all that it takes the stack is %s", got)
	}
	got = a.deploy(map[string]string{"ExcludedUpnPatterns": "svc-.*@" + federated})
	if _, failures := a.status(); got != "UPDATE_ROLLBACK_COMPLETE" || !says(failures[0], "EXCLUDED_UPN_PATTERNS") {
		t.Errorf("with a setting that protects nobody the stack is %s, %q", got, failures)
	}
	user := a.graph.newUser("ito")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
}
