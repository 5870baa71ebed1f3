package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// stories are what can happen to a deployment. Each has a world of its own. That a
// user is revoked twice, or wrongly, fails every one of them: the emulator tells.
var stories = map[string]struct {
	parameters map[string]string
	entra      msgraphtest.Options
	play       func(*world)
}{
	"notification to stamp":      {play: notificationToStamp},
	"duplicate":                  {play: duplicate},
	"forged":                     {play: forged},
	"poison":                     {play: poison},
	"partial batch failure":      {play: partialBatchFailure},
	"killed before the call":     {play: func(w *world) { killed(w, false) }},
	"killed after the call":      {play: func(w *world) { killed(w, true) }},
	"terminated during the call": {play: terminated},
	"call without an answer":     {play: unanswered},
	"throttled":                  {play: throttled},
	"credential rotated":         {play: credentialRotated},
	"client state rotated":       {play: clientStateRotated},
	"client secret replaced":     {play: clientSecretReplaced, entra: lateNews},
	"client state replaced":      {play: clientStateReplaced},
	"certificate replaced":       {play: certificateReplaced, entra: shortTokens, parameters: map[string]string{"AuthMode": "certificate"}},
	"nothing stored":             {play: nothingStored, parameters: withoutCredential},
	"set-up without trust":       {play: setUpWithoutTrust, parameters: withoutCredential},
	"stack created to deleted":   {play: stackLife},
	"set-up fails at sign-in":    {play: setUpFailsAtSignIn},
	"set-up fails at the door":   {play: setUpFailsAtTheDoor},
	"stack deleted without help": {play: deletedWithoutGraph},
	"lifecycle event":            {play: lifecycleEvent},
	"sweep on schedule":          {play: sweepOnSchedule},
	"sweep by hand": {play: sweepByHand, parameters: map[string]string{
		"BackfillMode": "enforce", "CeilingPerRun": "1", "CeilingSharePercent": "100"}},
	"dry run": {play: dryRun, parameters: map[string]string{"DryRun": "true"}},
	"excluded group": {play: excludedGroup, parameters: map[string]string{
		"ExcludedGroups": groupID, "FederatedDomains": federated, "ExcludedUpnPatterns": "svc-*@" + federated}},
}

// notificationToStamp is what all of it is for.
func notificationToStamp(w *world) {
	w.subscribe()
	w.poll()
	user := w.graph.newUser("tanaka")
	w.logged("RevokerFunction", map[string]any{"message": "user handled", "user": user, "reason": "revoked", "source": "notification"})
	w.logged("RevokerFunction", map[string]any{"message": "user handled", "user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user's sessions were revoked %d times, want once", n)
	}
	if state := w.ledgerState(user); state != "stamped" {
		w.t.Errorf("the ledger has the user as %q, want stamped", state)
	}
	if !w.expires(user) {
		w.t.Error("the ledger's entry has no time at which DynamoDB deletes it")
	}
	for _, metric := range []string{"UsersStamped", "SecondsToStamp"} {
		w.measured("RevokerFunction", metric)
	}
	w.measured("WebhookFunction", "NotificationsReceived")
	w.measured("KeeperFunction", "SubscriptionHoursLeft")
}

// duplicate: Graph tells of one change several times.
func duplicate(w *world) {
	w.subscribe()
	w.graph.SetDelivery(msgraphtest.Delivery{Copies: msgraphtest.Copies{Min: 4, Max: 4}, Shape: msgraphtest.MixedSequence})
	w.poll()
	user := w.graph.newUser("suzuki")
	w.logged("RevokerFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user's sessions were revoked %d times, want once", n)
	}
}

// forged: somebody has found the URL.
func forged(w *world) {
	w.subscribe()
	user := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "sato@" + federated})
	w.post(w.notification(user, "guessed"))
	record := w.logged("WebhookFunction", map[string]any{"message": "webhook received", "kind": "delivery"})
	if dropped := fmt.Sprint(record["dropped"]); dropped != "map[forged:1]" {
		w.t.Errorf("the log has dropped %s, want one that was forged", dropped)
	}
	w.measured("WebhookFunction", "NotificationsDropped")
	w.empty("NotificationQueue")
	// The same body with the right secret is taken, so the test can fail.
	w.post(w.notification(user, w.clientState()))
	if visible, _, _ := w.queued("NotificationQueue"); visible != "1" {
		w.t.Errorf("the queue has %s messages after a genuine notification, want 1", visible)
	}
	if got := w.front("GET", "/notifications", ""); got != http.StatusNotFound {
		w.t.Errorf("GET is answered with %d, want 404 by the API", got)
	}
}

// poison: a message that nobody can read does not take its neighbours with it.
func poison(w *world) {
	w.subscribe()
	w.send("NotificationQueue", `{"tenant":"nobody's"}`)
	w.send("LifecycleQueue", `{"event":"party"}`)
	w.poll()
	user := w.graph.newUser("ito")
	w.logged("RevokerFunction", map[string]any{"user": user, "reason": "revoked"})
	for queue, text := range map[string]string{"NotificationDeadLetterQueue": "nobody's", "LifecycleDeadLetterQueue": "party"} {
		dead := w.receive(queue)
		if len(dead) != 1 || !bodyHolds(dead, text) {
			w.t.Errorf("%s holds %v, want the poisoned message alone", queue, dead)
		}
	}
	for function, reason := range map[string]string{"RevokerFunction": "invalid request", "KeeperFunction": "not a lifecycle notification"} {
		record := w.logged(function, map[string]any{"message": "message left to the queue", "receive_count": "5"})
		if !says(fmt.Sprint(record["error"]), reason) {
			w.t.Errorf("the log says %q, want it to say %q", record["error"], reason)
		}
	}
}

// partialBatchFailure: of one batch, only what failed comes again.
func partialBatchFailure(w *world) {
	w.subscribe()
	var users []string
	for i := range 3 {
		user := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: fmt.Sprint("yamada", i, "@", federated)})
		w.post(w.notification(user, w.clientState()))
		users = append(users, user)
	}
	w.send("NotificationQueue", `{"tenant":"nobody's"}`)
	handled, err := w.pollerOf("RevokerFunction").once(w.ctx)
	if err != nil || handled != 4 {
		w.t.Fatalf("a batch of %d messages was handled (%v), want 4", handled, err)
	}
	for _, user := range users {
		if w.graph.revocations(user) != 1 {
			w.t.Errorf("user %s was not revoked once", user)
		}
	}
	again := slices.DeleteFunc(w.receive("NotificationQueue"), func(m message) bool {
		return m.Attributes["ApproximateReceiveCount"] == "1" // Graph tells of our own revocations
	})
	if len(again) != 1 || !bodyHolds(again, "nobody's") {
		w.t.Errorf("%v came again, want what failed alone", again)
	}
	if _, _, delayed := w.queued("NotificationQueue"); delayed != "3" {
		w.t.Errorf("%s messages wait to read stamps back, want 3", delayed)
	}
}

// killed: the worker dies while its call is under way, before or after the call has
// taken effect.
func killed(w *world, after bool) {
	w.subscribe()
	user := w.stuck("watanabe", after)
	if after {
		w.until("the call has taken effect", func() bool { return w.graph.revocations(user) == 1 })
	}
	if !w.functions["RevokerFunction"].program.Kill() {
		w.t.Fatal("there was nobody to kill")
	}
	if state := w.ledgerState(user); state != "claimed" {
		w.t.Fatalf("the dead worker left the user as %q, want claimed", state)
	}
	w.recovers(user)
}

// terminated: Lambda takes the worker's machine away, and says so half a second before.
func terminated(w *world) {
	w.subscribe()
	user := w.stuck("takahashi", false)
	// The process stays, because aws-lambda-go waits for another event, and is killed
	// in the end; what it was at, it has given up and told of before that.
	w.functions["RevokerFunction"].program.Close()
	w.handled("outcome_unknown", 1)
	w.recovers(user)
}

// unanswered: Graph does not answer, so nobody knows whether the call took effect.
func unanswered(w *world) {
	w.subscribe()
	w.recovers(w.stuck("kimura", false))
}

// stuck begins to work off the queues, and returns a new user whose revocation hangs,
// before or after it has taken effect.
func (w *world) stuck(name string, after bool) (user string) {
	w.t.Helper()
	calling := make(chan struct{})
	w.graph.Inject(msgraphtest.Fault{Latency: patience, After: after, Times: 1, Match: func(r msgraphtest.Request) bool {
		if revoking(r) {
			close(calling)
		}
		return revoking(r)
	}})
	w.poll()
	user = w.graph.newUser(name)
	select {
	case <-calling:
	case <-w.ctx.Done():
		w.t.Fatal("the revoker has not called")
	}
	return user
}

// recovers waits until a user is stamped after all, once, and in time: what was left
// behind keeps others away for the time of a call and the replication lag, which is 21
// seconds here, and a call without an answer is waited for as long before.
func (w *world) recovers(user string) {
	w.t.Helper()
	began := time.Now()
	w.until("the user is stamped", func() bool { return w.graph.revocations(user) == 1 })
	if took := time.Since(began); took > 90*time.Second {
		w.t.Errorf("the user was stamped after %s", took)
	}
	w.logged("RevokerFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user's sessions were revoked %d times, want once", n)
	}
	w.empty("NotificationDeadLetterQueue")
}

// throttled: AWS refuses some calls of everybody.
func throttled(w *world) {
	w.subscribe()
	for _, f := range w.functions {
		refused := make(map[string]int)
		f.recorder.refuse(func(action string) bool {
			refused[action]++
			return strings.HasPrefix(action, "sqs:Send") && refused[action] <= 2 ||
				strings.HasPrefix(action, "dynamodb:") && refused[action]%4 == 1 ||
				strings.HasPrefix(action, "secretsmanager:") && refused[action] <= 1
		})
	}
	w.functions["WebhookFunction"].program.Close() // it asks for its secret again
	w.poll()
	user := w.graph.newUser("nakamura")
	w.logged("RevokerFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user's sessions were revoked %d times, want once", n)
	}
	w.empty("NotificationDeadLetterQueue")
}

// lifecycleEvent: Graph asks whether we still are who we say.
func lifecycleEvent(w *world) {
	w.subscribe()
	w.poll()
	before := w.graph.tenant.Subscriptions()
	w.graph.tenant.ChallengeSubscriptions()
	if _, err := w.functions["KeeperFunction"].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		return says(fmt.Sprint(record["found"]), "challenged")
	}); err != nil {
		w.t.Fatal("the keeper has not heard of the challenge")
	}
	if err := w.functions["KeeperFunction"].recorder.wait(w.ctx, "sqs:DeleteMessage"); err != nil {
		w.t.Errorf("the event is left in the queue: %v", err)
	}
	after := w.graph.tenant.Subscriptions()
	if len(after) != 1 || after[0].ID != before[0].ID {
		w.t.Errorf("there are the subscriptions %v, want the one that there was", after)
	}
}

// excludedGroup: exclusions of all kinds keep users from being touched.
func excludedGroup(w *world) {
	w.graph.tenant.AddGroup(groupID)
	w.subscribe()
	w.poll()
	member, service, other := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: "kobayashi@" + federated}), w.graph.newUser("svc-mail"), w.graph.newUser("kato")
	w.graph.tenant.AddGroup(groupID, member)
	w.graph.tenant.Exclude(member, service)
	w.post(w.notification(member, w.clientState()))
	w.logged("RevokerFunction", map[string]any{"user": other, "reason": "revoked"})
	w.handled("excluded", 2)
	for _, user := range []string{member, service} {
		if state := w.ledgerState(user); state != "spared" {
			w.t.Errorf("the ledger has the excluded user as %q, want spared", state)
		}
	}
}

const groupID = "7c1b5b8e-8a8f-4f0e-9d1c-2f1e6a3b4c5d"

// notification is the body of a POST with one notification about a user.
func (w *world) notification(user, clientState string) string {
	subscriptions := w.graph.tenant.Subscriptions()
	body, err := json.Marshal(map[string]any{"value": []any{map[string]any{
		"changeType": "updated", "clientState": clientState, "resource": "Users/" + user,
		"resourceData":   map[string]string{"id": user, "@odata.type": "#Microsoft.Graph.User"},
		"subscriptionId": subscriptions[0].ID, "tenantId": w.graph.tenant.ID(),
		"subscriptionExpirationDateTime": "2099-01-01T00:00:00Z",
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// post posts to the webhook as Graph does. It is taken, whatever it is.
func (w *world) post(body string) {
	w.t.Helper()
	if got := w.front(http.MethodPost, "/notifications", body); got != http.StatusAccepted {
		w.t.Fatalf("a POST is answered with %d, want 202", got)
	}
}

// front sends a request to the HTTP API and returns the status.
func (w *world) front(method, path, body string) int {
	w.t.Helper()
	at := w.graph.notices.host()
	request, err := http.NewRequestWithContext(w.ctx, method, "https://"+at+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := w.graph.notices.RoundTrip(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}
