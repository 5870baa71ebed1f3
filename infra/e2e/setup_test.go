package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// administering is what somebody may who sets the apps up, besides reading the tenant.
var administering = []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}

// configured has AWS's configuration file name the region, and nothing else.
func (d *desk) configured(t *testing.T, region string) {
	t.Helper()
	d.env = slices.DeleteFunc(d.env, func(v string) bool {
		return strings.HasPrefix(v, "AWS_REGION=") || strings.HasPrefix(v, "AWS_DEFAULT_REGION=")
	})
	folder := filepath.Join(d.home, ".aws")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte("[default]\nregion = "+region+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSetup: in a national cloud, which only setup has to be told, in a region that only AWS's
// configuration file names, and while Entra does not know the issuer yet, all is made that works;
// where all is there, nothing is done; and all that was made can be taken away.
func TestSetup(t *testing.T) {
	t.Parallel()
	a := newAccountAt(t, newGraph(t, msgraphtest.Options{Apps: msgraphtest.Registration{Issuer: 10 * time.Second}}))
	a.limit(person, access.Deploy)
	d := a.desk(person)
	d.configured(t, mototest.Region)
	app := d.ways(t, slices.Concat(everything[:2], administering))["env"]
	a.graph.Inject(msgraphtest.Fault{Status: http.StatusNotFound, Match: func(r msgraphtest.Request) bool { return strings.HasSuffix(r.Host, ".com") }})
	run := func(says string, args ...string) {
		t.Helper()
		if status, out, said := d.run(t, app, args...); status != 0 || !strings.Contains(said+out, says) {
			t.Fatalf("%s: exit status %d: %s%s", args, status, said, out)
		}
	}
	run("AADSTS700211", "setup", "--yes", "--cloud", "china")
	user := a.graph.newUser("kato")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	run("Nothing would change.", "setup", "--yes")
	run("", "doctor")
	run("", "why", user, "--stack", stackName)
	run("", "report", "--stack", stackName, "-o", "json")
	run("", "history", "--names", "--stack", stackName)
	run("", "stamp", "--all", "--dry-run", "--stack", stackName)
	a.listens(true)
	run("", "setup", "--yes", "--signals", "off")
	a.listens(false)
	user = a.graph.newUser("mori")
	a.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	run("", "doctor")
	run("", "setup", "--yes", "--undo")
	a.nothingLeft()
}

// listens checks whether there is all that hears of signals, or nothing of it.
func (a *account) listens(want bool) {
	a.t.Helper()
	var queues struct{ QueueUrls []string }
	if err := a.cloud.call(a.ctx, "AmazonSQS.ListQueues", object{}, &queues); err != nil {
		a.t.Fatal(err)
	}
	n := 0
	for _, url := range queues.QueueUrls {
		if strings.Contains(url, "Signal") {
			n++
		}
	}
	if there := map[bool]int{true: 3}[want]; n != there {
		a.t.Errorf("there are %d queues of signals, want %d", n, there)
	}
	for function, want := range map[string]bool{"receiver": want, "resolver": want, "stamper": true} {
		path := "/2015-03-31/functions/" + stackName + "-" + function + "/configuration"
		if _, err := a.as(person).send(a.ctx, "lambda", http.MethodGet, path, http.Header{}, nil); (err == nil) != want {
			a.t.Errorf("the %s is there: %t, want %t: %v", function, err == nil, want, err)
		}
	}
}

// nothingLeft checks that a setup has taken away what it has made.
func (a *account) nothingLeft() {
	a.t.Helper()
	if left := a.graph.tenant.Subscriptions(); len(left) != 0 {
		a.t.Errorf("after the undoing there are the subscriptions %v", left)
	}
	if status, _ := a.status(); status != "DELETE_COMPLETE" {
		a.t.Errorf("after the undoing the stack is %s", status)
	}
}

// TestStoredSecret: a deployment that signs in by a client secret is set up, the secret is renewed
// while it runs, and all goes away with it.
func TestStoredSecret(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.limit(person, access.Deploy)
	d := a.desk(person)
	app := d.ways(t, slices.Concat(everything[:2], administering))["env"]
	do := func(args ...string) (out string) {
		t.Helper()
		status, out, said := d.run(t, app, args...)
		if status != 0 {
			t.Fatalf("%s: exit status %d: %s%s", args, status, said, out)
		}
		return said + out
	}
	do("setup", "--yes", "--auth", "client-secret")
	stamps := func(name string) {
		t.Helper()
		a.logged("StamperFunction", map[string]any{"user": a.graph.newUser(name), "reason": "read_back"})
	}
	stamps("kato")
	before := a.storedSecret()
	if done := do("credential", "renew", "--yes"); a.storedSecret() == before {
		t.Errorf("the stored secret is the one before: %s", done)
	}
	for _, function := range []string{"StamperFunction", "KeeperFunction", "SweeperFunction"} {
		a.functions[function].program.Kill() // what starts now has no token
	}
	stamps("ito")
	a.schedule("KeeperSchedule")
	a.schedule("SweeperSchedule")
	do("doctor")
	do("setup", "--yes", "--undo")
	a.nothingLeft()
	var left struct{ SecretList []any }
	if err := a.cloud.call(a.ctx, "secretsmanager.ListSecrets", object{}, &left); err != nil || len(left.SecretList) > 0 {
		t.Errorf("after the undoing there are the secrets %v, %v", left.SecretList, err)
	}
}

// storedSecret is the one by which the functions sign in.
func (a *account) storedSecret() string {
	a.t.Helper()
	var stored struct{ SecretString string }
	if err := a.cloud.call(a.ctx, "secretsmanager.GetSecretValue", object{"SecretId": stackName + "/entra", "VersionStage": "AWSCURRENT"}, &stored); err != nil {
		a.t.Fatal(err)
	}
	return stored.SecretString
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
