package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// stories are what can happen to a deployment. Each has a world of its own. If a user is
// signed out late for the second time, or wrongly, the emulator fails the story.
var stories = map[string]struct {
	parameters map[string]string
	play       func(*world)
}{
	"first deployment": {play: firstDeployment},
	"webhook down":     {play: webhookDown},
	"settings refused": {parameters: map[string]string{"ExcludedUpnPatterns": "svc-.*@" + federated}, play: settingsRefused},
	"take down":        {play: takeDown},
	"brake":            {parameters: map[string]string{"StampsPerDay": "1"}, play: brake},
	"pause":            {play: pause},
	"killed mid-batch": {play: killed},
	"signals":          {parameters: map[string]string{"SignalMode": "enforce"}, play: signals},
	"shared signals":   {parameters: map[string]string{"SignalMode": "enforce"}, play: sharedSignals},
}

// TestStories plays all stories, and then compares what the functions did at AWS with
// what their roles allow.
func TestStories(t *testing.T) {
	t.Parallel()
	seen, played := new(grants), make(chan string, len(stories))
	t.Run("all", func(t *testing.T) {
		for name, story := range stories {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, seen, story.parameters)
				story.play(w)
				played <- name
			})
		}
	})
	seen.check(t, imagined(t, nil), len(played) == len(stories))
}

// firstDeployment: the stack is made, Graph tells of a new user, who is stamped and read
// back; an existing one is left alone, and whoever forges a notification is not believed.
func firstDeployment(w *world) {
	existing := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "shimizu@" + federated, Created: time.Now().Add(-400 * 24 * time.Hour)})
	w.subscribe()
	if n := len(w.graph.tenant.Subscriptions()); n != 1 {
		w.t.Fatalf("there are %d subscriptions, want 1", n)
	}
	w.poll()
	user := w.graph.newUser("sato")
	w.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user was signed out %d times, want once", n)
	}
	for _, metric := range []string{"UsersStamped", "SecondsToStamp"} {
		w.measured("StamperFunction", metric)
	}
	if w.hops.most == 0 {
		w.t.Error("what the stamper puts back does not tell of its chain, so Lambda could not stop it, nor the test")
	}
	w.post(w.notification(existing, "forged"))
	w.measured("WebhookFunction", "NotificationsForged")
	w.schedule("KeeperSchedule")
	w.measured("KeeperFunction", "SubscriptionHoursLeft")
	w.schedule("SweeperSchedule")
	w.measured("SweeperFunction", "SweepFinished")
	if w.graph.revocations(existing) != 0 {
		w.t.Error("an existing user was signed out")
	}
	w.empty("DeadLetterQueue")
	w.tellVersions("WebhookFunction", "StamperFunction", "KeeperFunction", "SweeperFunction")
}

// tellVersions checks that functions tell which version they are.
func (w *world) tellVersions(functions ...string) {
	w.t.Helper()
	for _, id := range functions {
		w.logged(id, map[string]any{"version": builtVersion})
	}
}

// webhookDown: Graph cannot reach the webhook. The sweep finds the user, and the stamper
// counts one as missed.
func webhookDown(w *world) {
	w.subscribe()
	w.schedule("SweeperSchedule") // from now on there is a delta link
	w.graph.notices.cut(true)
	user := w.graph.newUser("hayashi")
	w.poll()
	w.schedule("SweeperSchedule")
	w.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user was signed out %d times, want once", n)
	}
	w.measured("StamperFunction", "UsersMissed")
}

// settingsRefused: an exclusion that protects nobody, and an app that may not sign in,
// are refused with a sentence, and what is right is accepted.
func settingsRefused(w *world) {
	user := w.graph.newUser("svc-mail")
	w.graph.tenant.Exclude(user)
	if a := w.customResource("Create"); a.Status != "FAILED" || !says(a.Reason, "EXCLUDED_UPN_PATTERNS") {
		w.t.Errorf("CloudFormation was told %+v", a)
	}
	if n := len(w.graph.tenant.Subscriptions()); n != 0 {
		w.t.Errorf("there are %d subscriptions all the same", n)
	}
	// CloudFormation then deletes what it has made.
	if a := w.customResource("Delete"); a.Status != "SUCCESS" {
		w.t.Errorf("the deletion was answered with %+v", a)
	}
	w.deploy(map[string]string{"ExcludedUpnPatterns": "svc-*@" + federated})
	w.start()
	w.graph.reader.Disable()
	if a := w.customResource("Create"); a.Status != "FAILED" || len(a.Reason) < 40 {
		w.t.Errorf("with an app that is switched off CloudFormation was told %+v", a)
	}
}

// takeDown: the subscription goes with the stack, and nobody makes it again.
func takeDown(w *world) {
	w.subscribe()
	if a := w.customResource("Update"); a.Status != "SUCCESS" || len(w.graph.tenant.Subscriptions()) != 1 {
		w.t.Fatalf("the update was answered with %+v, and there are the subscriptions %v", a, w.graph.tenant.Subscriptions())
	}
	if a := w.customResource("Delete"); a.Status != "SUCCESS" {
		w.t.Fatalf("the deletion was answered with %+v", a)
	}
	// The schedule is gone by then, but an event of it may still be on its way.
	w.schedule("KeeperSchedule")
	if left := w.graph.tenant.Subscriptions(); len(left) != 0 {
		w.t.Errorf("after the deletion there are the subscriptions %v", left)
	}
}

// brake: of two new users one is stamped. The other waits until a person lets go on.
func brake(w *world) {
	w.subscribe()
	w.poll()
	first := w.graph.newUser("suzuki")
	w.until("the first user is stamped", func() bool { return w.graph.revocations(first) == 1 })
	second := w.graph.newUser("takahashi")
	attention := w.measured("StamperFunction", "NeedsAttention")
	if attention["Reason"] != "brake_reached" {
		w.t.Errorf("a person is asked because of %v, want brake_reached", attention["Reason"])
	}
	if n := w.graph.revocations(second); n != 0 {
		w.t.Fatalf("beyond the brake %d users were signed out", n)
	}
	w.invoke("SweeperFunction", `{"release":true}`)
	w.until("the second user is stamped", func() bool { return w.graph.revocations(second) == 1 })
	w.empty("DeadLetterQueue")
}

// pause: nobody is stamped from a person's order to the next one, whatever is deployed in
// between, and the sweep says so each time. Then everybody is. A stack can be deleted in a
// pause.
func pause(w *world) {
	w.subscribe()
	w.poll()
	w.invoke("SweeperFunction", `{"pause":true}`)
	user := w.graph.newUser("kobayashi")
	w.logged("StamperFunction", map[string]any{"user": user, "reason": "paused"})
	if a := w.customResource("Update"); a.Status != "SUCCESS" {
		w.t.Errorf("the update was answered with %+v", a)
	}
	w.schedule("SweeperSchedule")
	if attention := w.measured("SweeperFunction", "NeedsAttention"); attention["Reason"] != "paused" {
		w.t.Errorf("a person is asked because of %v, want paused", attention["Reason"])
	}
	if finished := w.measured("SweeperFunction", "SweepFinished"); fmt.Sprint(finished["SweepFinished"]) != "1" {
		w.t.Errorf("in a pause the alarm sweep would ring: %v", finished)
	}
	if n := w.graph.revocations(user); n != 0 {
		w.t.Fatalf("in a pause %d users were signed out", n)
	}
	w.invoke("SweeperFunction", `{"resume":true}`)
	w.until("the user is stamped", func() bool { return w.graph.revocations(user) == 1 })
	w.invoke("SweeperFunction", `{"pause":true}`)
	if a := w.customResource("Delete"); a.Status != "SUCCESS" {
		w.t.Errorf("the deletion was answered with %+v", a)
	}
	w.empty("DeadLetterQueue")
}

// killed: a worker is killed while Graph has its calls. The users are stamped all the
// same, once each.
func killed(w *world) {
	w.subscribe()
	calling := make(chan struct{}, 10)
	remove := w.graph.Inject(msgraphtest.Fault{Latency: patience, Match: func(r msgraphtest.Request) bool {
		if revoking(r) {
			calling <- struct{}{}
		}
		return revoking(r)
	}})
	users := []string{w.graph.newUser("watanabe"), w.graph.newUser("ito"), w.graph.newUser("nakamura")}
	w.poll()
	select {
	case <-calling:
	case <-w.ctx.Done():
		w.t.Fatal("the stamper has not called")
	}
	remove()
	if !w.functions["StamperFunction"].program.Kill() {
		w.t.Fatal("there was nobody to kill")
	}
	for _, user := range users {
		w.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
		if n := w.graph.revocations(user); n != 1 {
			w.t.Errorf("a user was signed out %d times, want once", n)
		}
	}
	w.empty("DeadLetterQueue")
}

// notification is the body of a POST with one notification about a user.
func (w *world) notification(user, clientState string) string {
	body, err := json.Marshal(object{"value": []any{object{
		"changeType": "updated", "clientState": clientState, "resource": "Users/" + user,
		"resourceData":   object{"id": user, "@odata.type": "#Microsoft.Graph.User"},
		"subscriptionId": uuid.NewString(), "tenantId": w.graph.tenant.ID(),
		"subscriptionExpirationDateTime": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// post posts to the webhook as Graph does. It is taken, whatever it is.
func (w *world) post(body string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.stack.output("NotificationUrl"), strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := w.graph.notices.RoundTrip(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		w.t.Fatalf("a POST is answered with %s, want 202", fmt.Sprint(answer.StatusCode))
	}
}

// says tells whether a text holds all of its parts.
func says(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
