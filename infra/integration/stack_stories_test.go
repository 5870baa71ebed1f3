package integration

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// stackLife: the stack is created, updated with another URL, and deleted.
func stackLife(w *world) {
	w.subscribe()
	first := w.graph.tenant.Subscriptions()
	if len(first) != 1 || !strings.Contains(first[0].NotificationURL, "://a1b2c3d4e5.execute-api.") {
		w.t.Fatalf("after the creation there are the subscriptions %v, want one with the URL of the API", first)
	}
	old := w.customProperties()
	w.maker.apiID = "z9y8x7w6v5"
	w.deploy()
	if a := w.customResource("Update", old); a.Status != "SUCCESS" {
		w.t.Fatalf("the update was answered with %+v", a)
	}
	second := w.graph.tenant.Subscriptions()
	if len(second) != 1 || !strings.Contains(second[0].NotificationURL, "://z9y8x7w6v5.execute-api.") {
		w.t.Fatalf("after the update there are the subscriptions %v, want one with the new URL", second)
	}
	if a := w.customResource("Delete", nil); a.Status != "SUCCESS" {
		w.t.Fatalf("the deletion was answered with %+v", a)
	}
	// The schedule is gone by then, but an event of it may still be on its way.
	w.schedule("KeeperSchedule")
	if left := w.graph.tenant.Subscriptions(); len(left) != 0 {
		w.t.Errorf("after the deletion there are the subscriptions %v", left)
	}
}

// setUpFailsAtSignIn: the administrator has stored something else than the secret.
func setUpFailsAtSignIn(w *world) {
	w.graph.app.RemoveSecret(secretText)
	a := w.customResource("Create", nil)
	if a.Status != "FAILED" || !says(a.Reason, "does not know the client secret", "make a new client secret") {
		w.t.Errorf("CloudFormation was told %+v", a)
	}
	// CloudFormation then deletes what it has made.
	if a := w.customResource("Delete", nil); a.Status != "SUCCESS" {
		w.t.Errorf("the deletion was answered with %+v", a)
	}
}

// setUpFailsAtTheDoor: Graph cannot reach the URL.
func setUpFailsAtTheDoor(w *world) {
	w.graph.notices.cut(true)
	a := w.customResource("Create", nil)
	if a.Status != "FAILED" || !says(a.Reason, "did not answer Microsoft Graph's validation request", "curl -i -X POST") {
		w.t.Errorf("CloudFormation was told %+v", a)
	}
	w.graph.notices.cut(false)
	if a := w.customResource("Create", nil); a.Status != "SUCCESS" {
		w.t.Errorf("the second try was answered with %+v", a)
	}
}

// deletedWithoutGraph: nothing keeps a stack from being deleted.
func deletedWithoutGraph(w *world) {
	w.subscribe()
	w.graph.Inject(msgraphtest.Fault{Status: http.StatusServiceUnavailable, Code: "serviceNotAvailable"})
	if a := w.customResource("Delete", nil); a.Status != "SUCCESS" {
		w.t.Errorf("the deletion was answered with %+v", a)
	}
	w.logged("KeeperFunction", map[string]any{"level": "ERROR", "message": "the subscription to Microsoft Graph may be left behind"})
}

// credentialRotated: the app has another secret, first at Microsoft, then here. The
// same process goes on with it.
func credentialRotated(w *world) {
	w.subscribe()
	w.graph.app.AddSecret("def8Q~another-invented-secret")
	w.graph.app.RemoveSecret(secretText)
	if _, err := w.functions["SweeperFunction"].program.Invoke(w.ctx, []byte("{}")); err == nil || !says(err.Error(), "AADSTS7000215") {
		w.t.Fatalf("with the wrong secret a sweep ends with %v, want Entra's refusal", err)
	}
	err := w.cloud.call(w.ctx, "secretsmanager.PutSecretValue", map[string]string{
		"SecretId": w.given["CredentialSecretArn"], "SecretString": `{"clientSecret":"def8Q~another-invented-secret"}`}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.schedule("SweeperSchedule")
}

// clientStateRotated: whatever Graph sends with the old secret or the new one is taken,
// by a webhook that has been running and by one that has just started.
func clientStateRotated(w *world) {
	w.subscribe()
	old := w.clientState()
	if len(old) != 64 || strings.ContainsFunc(old, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c)
	}) {
		w.t.Error("the clientState is not 64 letters and digits")
	}
	user := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "mori@" + federated})
	w.post(w.notification(user, old))
	now := strings.Repeat("n", 64)
	if err := w.cloud.call(w.ctx, "secretsmanager.PutSecretValue", map[string]string{
		"SecretId": w.ref("ClientStateSecret"), "SecretString": now}, nil); err != nil {
		w.t.Fatal(err)
	}
	w.post(w.notification(user, old))
	w.functions["WebhookFunction"].program.Close()
	w.post(w.notification(user, old))
	w.post(w.notification(user, now))
	if visible, _, _ := w.queued("NotificationQueue"); visible != "4" {
		w.t.Errorf("%s of 4 notifications were queued", visible)
	}
	// Webhooks may not have heard of the new secret yet, so the keeper waits.
	kept := w.schedule("KeeperSchedule")
	if found := fmt.Sprint(kept["found"]); found != "[healthy]" {
		w.t.Errorf("right after the rotation the keeper found %s, want all healthy", found)
	}
}
