package integration

import (
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// late is older than a notification may be late, and young enough to be new.
const late = 20 * time.Minute

// ago adds a user who was created some time ago, and of whom nobody was told.
func (w *world) ago(name string, age time.Duration) string {
	return w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: name + "@" + federated, Created: time.Now().Add(-age)})
}

// sweepOnSchedule: a user of whom no notification told is found and stamped.
func sweepOnSchedule(w *world) {
	w.subscribe()
	user, existing := w.ago("hayashi", late), w.ago("shimizu", 400*24*time.Hour)
	report := w.part(w.schedule("SweeperSchedule"), "report")
	if report["finished"] != true || fmt.Sprint(report["candidates"]) != "2" {
		w.t.Errorf("the sweep reports %v, want it finished with 2 candidates", report)
	}
	w.poll()
	w.logged("RevokerFunction", map[string]any{"user": user, "reason": "revoked", "source": "sweep"})
	if w.graph.revocations(existing) != 0 {
		w.t.Error("an existing user was signed out")
	}
	for _, metric := range []string{"SweepFinished", "SweepCandidates", "SweepUnstamped", "BackfillStopped"} {
		w.measured("SweeperFunction", metric)
	}
}

// sweepByHand: existing users are stamped up to a ceiling, and a person lifts it.
func sweepByHand(w *world) {
	w.subscribe()
	newer, older := w.ago("yamaguchi", 300*24*time.Hour), w.ago("matsumoto", 400*24*time.Hour)
	w.graph.tenant.AllowRevoke(newer, older)
	w.poll()
	for _, user := range []string{newer, older} {
		w.post(w.notification(user, w.clientState()))
	}
	w.handled("existing_user", 2)
	if n := w.graph.revocations(newer) + w.graph.revocations(older); n != 0 {
		w.t.Errorf("%d existing users were signed out before the backfill asked for them", n)
	}
	report := w.part(w.invoke("SweeperFunction", `{"full":true}`), "report")
	if fmt.Sprint(report["members"]) != "2" || fmt.Sprint(report["backfill"]) == "0" {
		w.t.Errorf("the sweep reports %v, want two members, and somebody from the backfill", report)
	}
	w.logged("RevokerFunction", map[string]any{"user": newer, "reason": "revoked", "source": "sweep"})
	w.send("NotificationQueue", fmt.Sprintf(`{"tenant":%q,"user":%q,"source":"operator","seen":%q,"backfill":true}`,
		w.graph.tenant.ID(), older, time.Now().UTC().Format(time.RFC3339)))
	w.handled("ceiling_run", 1)
	if n := w.graph.revocations(newer) + w.graph.revocations(older); n != 1 {
		w.t.Errorf("%d existing users were signed out, want 1 below the ceiling", n)
	}
	lifted := w.part(w.invoke("SweeperFunction", `{"lift":true}`), "lifted")
	if lifted["stopped"] != "ceiling_run" {
		w.t.Errorf("what was lifted is %v, want the ceiling of the run", lifted)
	}
	if _, err := w.functions["SweeperFunction"].program.Invoke(w.ctx, []byte(`{"dryrun":true}`)); err == nil {
		w.t.Error("an order with a mistake in it was carried out")
	}
}

// dryRun: everything is decided and nothing is changed, by the deployment and by the
// order.
func dryRun(w *world) {
	w.customResource("Create", nil)
	user := w.ago("inoue", late)
	preview := w.part(w.invoke("SweeperFunction", `{"dryRun":true}`), "preview")
	if fmt.Sprint(preview["newest_new"]) != "["+user+"]" {
		w.t.Errorf("the preview is %v, want the user in it", preview)
	}
	w.empty("NotificationQueue")
	w.poll()
	w.schedule("SweeperSchedule")
	w.handled("dry_run", 1)
	if state := w.ledgerState(user); state != "spared" {
		w.t.Errorf("the ledger has the user as %q, want spared", state)
	}
	if writes := w.graph.Counts().Writes; writes != 0 || len(w.graph.tenant.Subscriptions()) != 0 {
		w.t.Errorf("a dry run has written %d times to Graph, and left the subscriptions %v", writes, w.graph.tenant.Subscriptions())
	}
}
