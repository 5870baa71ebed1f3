package e2e

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

// mustBe checks the status that the stack has after something was done.
func (a *account) mustBe(want, done string) {
	a.t.Helper()
	if got, failures := a.status(); got != want {
		a.t.Fatalf("the stack is %s, want %s: %q\n%s", got, want, failures, done)
	}
}

// TestDeployment: a stack that works is changed, and is removed.
func TestDeployment(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.aws.SetFederation(true)
	a.trust()
	if got := a.deploy(nil); got != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", got)
	}
	if got := a.deploy(map[string]string{"DryRun": "true"}); got != "UPDATE_COMPLETE" {
		t.Fatalf("the stack is %s", got)
	}
	user := a.graph.newUser("suzuki")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "dry_run"})
	if got := a.remove(); got != "DELETE_COMPLETE" {
		t.Errorf("the stack is %s", got)
	}
	if left := a.graph.tenant.Subscriptions(); len(left) != 0 || a.graph.revocations(user) != 0 {
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
	a := newAccount(t)
	a.aws.SetFederation(true)
	got := a.deploy(nil)
	if _, failures := a.status(); got != "ROLLBACK_COMPLETE" || len(failures) != 1 || !says(failures[0], "Received response status [FAILED]", "AADSTS70") {
		t.Errorf("the stack is %s, %q", got, failures)
	}
	a.remove()
	allow := a.aws.Forbid(awstest.Actions("iam:CreateRole"))
	got = a.deploy(nil)
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
