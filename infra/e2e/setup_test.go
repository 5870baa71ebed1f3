package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
)

// administering is what somebody may who sets the apps up, besides reading the tenant.
var administering = []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}

// TestSetup: where all is there, nothing is done; and all that was made can be taken away.
func TestSetup(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.limit(person, access.Deploy)
	d := a.desk(person)
	app := d.ways(t, slices.Concat(everything[:2], administering))["env"]
	if status, out, said := d.run(t, app, "setup", "--yes"); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, said, out)
	}
	if status, out, said := d.run(t, app, "setup", "--yes"); status != 0 || !strings.Contains(out, "Nothing would change.") {
		t.Errorf("the second setup: exit status %d: %s%s", status, said, out)
	}
	if status, out, said := d.run(t, app, "setup", "--yes", "--undo"); status != 0 {
		t.Errorf("the undoing: exit status %d: %s%s", status, said, out)
	}
	if left := a.graph.tenant.Subscriptions(); len(left) != 0 {
		t.Errorf("after the undoing there are the subscriptions %v", left)
	}
}

// TestSetupByTwo: one has AWS and no app to sign in to Entra with, the other Entra and nothing
// of AWS. What passes between them is a line.
func TestSetupByTwo(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.limit(person, access.Deploy)
	amazon, microsoft := a.desk(person), newDeskAt(t, a.graph)
	admin := microsoft.ways(t, append([]string{"User.Read"}, administering...))["browser"]
	line := func(status int, out, said string) string {
		t.Helper()
		words := strings.Fields(out)
		at := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "sessionstamp/v1/") })
		if status != 0 || at < 0 {
			t.Fatalf("exit status %d: %s%s", status, said, out)
		}
		return words[at]
	}
	asked := line(amazon.run(t, way{}, "setup", "--yes", "--aws"))
	answered := line(microsoft.run(t, admin, "setup", "--yes", "--entra", asked))
	status, out, said := amazon.run(t, way{}, "setup", "--yes", "--aws", answered)
	a.mustBe("CREATE_COMPLETE", said+out)
	if n := len(a.graph.tenant.Subscriptions()); n != 1 || status != 0 {
		t.Errorf("%d subscriptions, exit status %d: %s%s", n, status, said, out)
	}
}
