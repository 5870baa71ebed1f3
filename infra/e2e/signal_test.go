package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// A source is an identity provider that the deployment listens to.
type source struct {
	*world
	id, secret string
}

// newSource registers a sender of webhooks as the command does: its secret, then what is
// known of it.
func (w *world) newSource() source {
	w.t.Helper()
	s := source{w, strings.ReplaceAll(uuid.NewString(), "-", ""), newSecret()}
	w.register(s.id, signal.Record{Name: "script", Kind: signal.KindWebhook, Domains: []string{federated}, Added: time.Now().UTC()},
		signal.Credential{Secrets: []string{s.secret}})
	return s
}

func newSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()+rand.Text()))
}

// register puts a source into the registry, which has no other, and its secret beside it.
func (w *world) register(id string, record signal.Record, credential signal.Credential) {
	w.t.Helper()
	text, wrong := json.Marshal(credential)
	document, err := json.Marshal(signal.Registry{Sources: map[string]signal.Record{id: record}})
	var doc any
	if err := errors.Join(wrong, err, json.Unmarshal(document, &doc)); err != nil {
		w.t.Fatal(err)
	}
	_, wrong = w.cloud.createSecret(w.ctx, stackName+"/signal/"+id, string(text))
	err = w.cloud.call(w.ctx, "DynamoDB_20120810.PutItem", object{"TableName": w.stack.ref("Table"), "Item": object{
		"pk": attribute(w.graph.tenant.ID() + "#" + store.NameSignals), "version": attribute(1.0), "write": attribute(uuid.NewString()), "doc": attribute(doc)}}, nil)
	if err := errors.Join(wrong, err); err != nil {
		w.t.Fatal(err)
	}
}

// attribute is a value of JSON as [DynamoDB] writes it.
//
// [DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html#Programming.LowLevelAPI.DataTypeDescriptors
func attribute(v any) any {
	switch v := v.(type) {
	case object:
		all := make(object)
		for name, item := range v {
			all[name] = attribute(item)
		}
		return object{"M": all}
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, attribute(item))
		}
		return object{"L": list}
	case float64:
		return object{"N": fmt.Sprint(v)}
	case bool:
		return object{"BOOL": v}
	case nil:
		return object{"NULL": true}
	}
	return object{"S": v}
}

// request is the POST by which the source says what has become of a user.
func (s source) request(kind, upn string, at time.Time) *http.Request {
	s.t.Helper()
	body, err := json.Marshal(object{"type": kind, "timestamp": at.UTC().Format(time.RFC3339Nano),
		"data": object{"subject": object{"format": "upn", "value": upn}, "actor": "user"}})
	id, sent := "msg_"+uuid.NewString(), fmt.Sprint(time.Now().Unix())
	signature, wrong := signaltest.SignWebhook(s.secret, id, sent, body)
	request, unmade := http.NewRequestWithContext(s.ctx, http.MethodPost, s.stack.output("SignalUrl")+s.id, bytes.NewReader(body))
	if err := errors.Join(err, wrong, unmade); err != nil {
		s.t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {sent}, "Webhook-Signature": {signature}}
	return request
}

// reports has the source say what has become of a user, and returns how it is answered.
func (s source) reports(kind, upn string, at time.Time) (status int) {
	s.t.Helper()
	answer, err := s.graph.notices.RoundTrip(s.request(kind, upn, at))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// signals: a provider tells of a new password and of a disabled user. Who signed in before is
// signed out, once; what a stranger says reaches nobody.
func signals(w *world) {
	w.subscribe()
	w.poll()
	changed, changedUPN := w.member("matsumoto")
	disabled, disabledUPN := w.member("inoue")
	spared, sparedUPN := w.member("kimura")
	s := w.newSource()
	stranger := source{w, s.id, newSecret()}
	if got := stranger.reports("user.disabled", sparedUPN, time.Now()); got != http.StatusUnauthorized {
		w.t.Errorf("a stranger is answered %d, want 401", got)
	}
	unknown := source{w, strings.Repeat("0", len(s.id)), s.secret}
	if got := unknown.reports("user.disabled", sparedUPN, time.Now()); got != http.StatusNotFound {
		w.t.Errorf("a source that nobody has made is answered %d, want 404", got)
	}
	at := time.Now().Add(-10 * time.Second)
	w.graph.tenant.Report(changed, at)
	w.graph.tenant.Report(disabled, at)
	for kind, upn := range map[string]string{"user.password_changed": changedUPN, "user.disabled": disabledUPN} {
		if got := s.reports(kind, upn, at); got != http.StatusNoContent {
			w.t.Fatalf("%s is answered %d, want 204", kind, got)
		}
	}
	w.renewed(changed)
	w.renewed(disabled)
	w.tellVersions("ReceiverFunction", "ResolverFunction")
	if w.graph.revocations(spared) != 0 {
		w.t.Error("a stranger has signed somebody out")
	}
	w.empty("SignalDeadLetterQueue")
}

// member adds a user who was stamped long ago.
func (w *world) member(name string) (id, upn string) {
	old := time.Now().Add(-400 * 24 * time.Hour)
	upn = name + "@" + federated
	return w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: upn, Created: old, Stamp: &old}), upn
}

// renewed waits until a user was signed out because of a signal, once.
func (w *world) renewed(user string) {
	w.t.Helper()
	w.logged("StamperFunction", map[string]any{"user": user, "source": "signal", "reason": "called"})
	w.logged("StamperFunction", map[string]any{"user": user, "reason": "read_back"})
	if n := w.graph.revocations(user); n != 1 {
		w.t.Errorf("the user was signed out %d times, want once", n)
	}
}

// sharedSignals: the keeper makes the stream of a transmitter, which proves itself and then
// tells of a new password. With the stack the stream goes.
func sharedSignals(w *world) {
	transmitter := signaltest.New(signaltest.Options{Push: w.graph.notices})
	transmitter.StartTLS()
	w.t.Cleanup(transmitter.Close)
	w.graph.believe(transmitter.Socket().Certificate())
	known, err := stream.Discover(w.ctx, transmitter.Client(), transmitter.Issuer())
	if err != nil {
		w.t.Fatal(err)
	}
	before := len(transmitter.Faults())                                              // asking about tokens is none of the framework
	known.TokenEndpoint, known.Scope = transmitter.TokenURL(), "ssf.read ssf.manage" // as its administrator tells
	id := strings.Repeat("1f", 16)
	w.register(id, signal.Record{Name: "provider", Kind: signal.KindSSF, Domains: []string{federated}, Stream: known, Added: time.Now().UTC()},
		signal.Credential{Secrets: []string{"Bearer " + rand.Text()}, ClientID: signaltest.ClientID, ClientSecret: signaltest.ClientSecret})
	w.subscribe()
	w.poll()
	w.schedule("KeeperSchedule") // makes it
	w.schedule("KeeperSchedule") // has it verified, now that the receiver knows it
	if n := transmitter.Deliver(w.ctx); n == 0 {
		w.t.Fatalf("the receiver does not take the verification: %+v", transmitter.Deliveries())
	}
	user, upn := w.member("hashimoto")
	at := time.Now().Add(-10 * time.Second)
	w.graph.tenant.Report(user, at)
	if n := transmitter.Emit(signaltest.PasswordChanged(signaltest.Email(upn), at)); n != 1 {
		w.t.Fatalf("there are %d streams, want 1", n)
	}
	transmitter.Deliver(w.ctx)
	w.renewed(user)
	if a := w.customResource("Delete"); a.Status != "SUCCESS" {
		w.t.Errorf("the deletion was answered with %+v", a)
	}
	if n := transmitter.Emit(signaltest.PasswordChanged(signaltest.Email(upn), at)); n != 0 {
		w.t.Error("the stream outlives the stack")
	}
	for _, fault := range transmitter.Faults()[before:] {
		w.t.Error(fault)
	}
	w.empty("SignalDeadLetterQueue")
}

// TestSignalsOff checks that with SignalMode off nobody listens: there is no function, no
// queue, no right and no alarm of signals.
func TestSignalsOff(t *testing.T) {
	t.Parallel()
	on, off := imagined(t, nil), imagined(t, map[string]string{"SignalMode": "off"})
	var gone []string
	for id := range on.section("Resources") {
		kind := on.resource(id)["Type"].(string)
		if !has(off, kind, id) && has(on, kind, id) {
			gone = append(gone, id)
		}
	}
	for _, role := range off.resources("AWS::IAM::Role") {
		if strings.Contains(fmt.Sprint(off.statements(role)), "/signal/") {
			t.Errorf("%s may read secrets of sources", role)
		}
	}
	want := []string{"ReceiverFunction", "ReceiverLogGroup", "ReceiverRole", "ResolverFunction", "ResolverLogGroup", "ResolverRole", "SignalDeadLetterQueue",
		"SignalEventSource", "SignalQueue", "SignalQueuePolicy", "UrgentSignalEventSource", "UrgentSignalQueue"}
	slices.Sort(gone)
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Errorf("switched off (-want +got):\n%s", diff)
	}
	metrics := 0
	for _, id := range off.resources("AWS::CloudWatch::Alarm") {
		metrics += len(alarmMetrics(off.properties(id)))
	}
	if metrics != 11 {
		t.Errorf("alarms are on %d metrics, want 11", metrics)
	}
	if board := off.properties("Dashboard")["DashboardBody"].(string); !json.Valid([]byte(board)) || strings.Contains(board, "resolver") {
		t.Errorf("the dashboard is %s", board)
	}
	for name, o := range off.section("Outputs") {
		if condition := o.(object)["Condition"]; (condition == "SignalsOn") != (name == "SignalUrl" || name == "RedriveSignals" || name == "ResolverSubject") {
			t.Errorf("the output %s is there if %v", name, condition)
		}
	}
}

// has tells whether a stack has a resource.
func has(s *stack, kind, id string) bool { return slices.Contains(s.resources(kind), id) }

// TestSignalQueues pins how signals wait.
func TestSignalQueues(t *testing.T) {
	t.Parallel()
	s := imagined(t, nil)
	for _, mapping := range []string{"SignalEventSource", "UrgentSignalEventSource"} {
		queue, source, dead := s.properties(s.named(mapping, "EventSourceArn")), s.properties(mapping), s.properties("SignalDeadLetterQueue")
		timeout, hidden := s.properties("ResolverFunction")["Timeout"].(int), queue["VisibilityTimeout"].(int)
		for what, holds := range map[string]bool{
			"the queue hides longer than a resolver takes": hidden > timeout && hidden < 2*timeout,
			"Graph may be away for ten hours":              hidden*queue["RedrivePolicy"].(object)["maxReceiveCount"].(int) == 10*3600,
			"which is less than a signal is kept":          queue["MessageRetentionPeriod"] == 24*3600,
			"dead letters are kept for longer":             dead["MessageRetentionPeriod"] == 4*24*3600,
			"all are encrypted":                            queue["SqsManagedSseEnabled"] == true && dead["SqsManagedSseEnabled"] == true,
			"part of a batch may fail":                     cmp.Equal(source["FunctionResponseTypes"], []any{"ReportBatchItemFailures"}),
			"concurrency is limited at the source":         source["ScalingConfig"].(object)["MaximumConcurrency"] == 2,
		} {
			if !holds {
				t.Errorf("%s, not so: %s", mapping, what)
			}
		}
	}
}
