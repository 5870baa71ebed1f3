package e2e

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// TestHanded: an operator, who may not sign anybody out, hands orders to a deployment. In a pause
// it signs out nobody; then each user once, as the history tells. And whoever deploys brings a
// stack that was deployed by hand to this version, which changes nothing else of it. Who may add
// sources of signals, and nothing else, adds one, replaces its secret, and removes it.
func TestHanded(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.aws.SetFederation(true)
	a.trust()
	if got := a.deploy(map[string]string{"StampsPerDay": "50"}); got != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", got)
	}
	a.limit(operator, access.Operator)
	a.limit(person, access.Deploy)
	a.limit(registrar, access.Signals)
	d := a.desk(operator)
	app := d.ways(t, everything[:2])["env"]
	old := time.Now().AddDate(-1, 0, 0)
	lacks := a.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "sato@" + federated, Created: old})
	has := a.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "suzuki@" + federated, Created: old, Stamp: &old})
	a.graph.tenant.Approve(lacks, time.Time{})
	a.graph.tenant.Approve(has, time.Now())
	stamp := "stamp sato@" + federated + " --yes --stack sessionstamp"
	signout := "signout suzuki@" + federated + " --yes --expect 1 --reason CA-1234 --stack sessionstamp"
	for _, step := range []struct {
		args       string
		status     int
		says       string
		lacks, has int    // how often they are signed out by then
		as         string // "" is the operator
	}{
		{args: "pause"},
		{args: stamp, status: 1, says: "paused"},
		{args: signout, status: 1, says: "paused"},
		{args: "resume"},
		{args: stamp, says: "✓ 1 stamped, and read back.", lacks: 1},
		{args: stamp, says: "stamp", lacks: 1},
		{args: signout, says: "✓ 1 signed out, and read back.", lacks: 1, has: 1},
		{args: "history suzuki@" + federated + " --stack sessionstamp", says: "person", lacks: 1, has: 1},
		{args: "report --stack sessionstamp -o json", says: `"byPerson": 2`, lacks: 1, has: 1},
		{args: "update --yes", says: builtVersion, lacks: 1, has: 1, as: person},
		{args: "update --yes", says: builtVersion, lacks: 1, has: 1, as: person},
		{args: "signal add ad --name AD --domain " + federated + " -o json", says: "whsec_", lacks: 1, has: 1, as: registrar},
		{args: "signal rotate AD -o json", says: "whsec_", lacks: 1, has: 1, as: registrar},
		{args: "signal rotate AD --finish", says: "only the new secret", lacks: 1, has: 1, as: registrar},
		{args: "signal list", says: "AD", lacks: 1, has: 1, as: registrar},
		{args: "signal remove AD --yes", says: "its secret is deleted", lacks: 1, has: 1, as: registrar},
	} {
		d.env = append(d.env, a.environment(cmp.Or(step.as, operator))...) // the last one counts
		status, out, said := d.run(t, app, strings.Fields(step.args)...)
		if status != step.status || !strings.Contains(said+out, step.says) {
			t.Errorf("%s: exit status %d: %s%s", step.args, status, said, out)
		}
		if a.graph.revocations(lacks) != step.lacks || a.graph.revocations(has) != step.has {
			t.Fatalf("%s: they are signed out %d and %d times", step.args, a.graph.revocations(lacks), a.graph.revocations(has))
		}
	}
	a.mustBe("UPDATE_COMPLETE", "update")
	if is, _ := a.formation.find(stackName); is.tags[setup.VersionTag] != builtVersion || is.stack.given["StampsPerDay"] != "50" {
		t.Errorf("the stack has %v, %v", is.tags, is.stack.given)
	}
	d.env = append(d.env, a.environment(operator)...)
	_, preview, _ := d.run(t, app, "sweep", "--preview", "-o", "json")
	if !json.Valid([]byte(preview)) {
		t.Errorf("the preview is %s", preview)
	}
	user := a.graph.newUser("kato")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
}
