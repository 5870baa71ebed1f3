package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// starts is how often each program is started; make bench gives it.
var starts = flag.Int("starts", 0, "how often TestColdStarts, which is then to run alone, starts each program, to tell what that takes and hold the limits; 0: once, without either")

// A coldStart is a program that is started for an event.
type coldStart struct {
	function, work string
	event          func(*world) []byte
	check          func(w *world, answer []byte, sent int) // of messages
	most           cost                                    // 0: no limit
}

// cost is what a start takes. A megabyte is 1,000,000 bytes.
type cost struct {
	size   float64 // of the program, MB
	took   time.Duration
	memory float64 // MB
	calls  int     // of AWS
}

// coldStarts are all programs. Sweep and keeper come first, while there is nobody
// in the tenant.
var coldStarts = []coldStart{
	{function: "KeeperFunction", work: "the subscription is in order", event: scheduled("KeeperSchedule"), check: answered},
	{function: "SweeperFunction", work: "nothing has changed", event: scheduled("SweeperSchedule"), check: answered},
	{function: "WebhookFunction", work: "a delivery of 1 notification", event: (*world).delivery, check: taken,
		most: cost{size: 15, took: 100 * time.Millisecond, memory: 64}},
	{function: "ReceiverFunction", work: "one signal", event: (*world).signal, check: taken,
		most: cost{size: 18, took: 100 * time.Millisecond, memory: 64}}, // it reads the table, too
	{function: "ResolverFunction", work: "a batch of 10 signals", event: (*world).signals, check: allResolved,
		most: cost{memory: 128}},
	{function: "StamperFunction", work: "a batch of 100 new users", event: (*world).newUsers, check: allStamped,
		most: cost{memory: 128}},
}

// TestColdStarts starts every program for one event, and checks that it does all of
// what the event asks for. With -starts it also tells what that takes: from before the
// process is made until its answer has arrived at the Runtime API, and how much memory
// the process had resident at most.
//
// Nothing is subtracted from the time. It holds what Graph's emulator takes, over TLS
// and with the sign-in, what moto takes to tell the secrets, and what DynamoDB's and
// SQS's stand-in takes: see [instant]. AWS's and Microsoft's own time, and the way there,
// come on top. On Lambda a process has less of a processor, a whole one at [1,769 MB].
//
// Of 100 new users 20 are stamped at once, and the others at the pace of one process, 10 a
// second: that alone takes eight seconds.
//
// [1,769 MB]: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
func TestColdStarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, new(grants), map[string]string{"StampsPerDay": "100000"}) // the brake is not to be reached
	aws := newInstant(t, w.cloud.endpoint)
	w.cloud.endpoint = aws.URL
	w.start()
	w.subscribe()
	w.graph.SetDelivery(msgraphtest.Delivery{Off: true}) // nobody else is to be started
	if *starts > 0 {
		t.Logf(columns, "program", "first event", "stripped", "cold start", "peak memory", "AWS calls")
	}
	for _, c := range coldStarts {
		var best cost
		for range max(*starts, 1) {
			best = best.better(w.startCold(c, aws))
		}
		if *starts > 0 {
			t.Log(c.row(best))
			c.hold(t, best)
		}
	}
}

// better is the shorter time of two starts, and the larger memory.
func (c cost) better(other cost) cost {
	if c.took == 0 {
		return other
	}
	c.took, c.memory, c.calls = min(c.took, other.took), max(c.memory, other.memory), max(c.calls, other.calls)
	return c
}

// startCold starts a program that has not run before, and ends it.
func (w *world) startCold(c coldStart, aws *instant) cost {
	w.t.Helper()
	w.run(c.function)
	f := w.functions[c.function]
	event := c.event(w)
	aws.take()
	began := time.Now()
	answer, err := f.program.Invoke(w.ctx, event)
	took := time.Since(began)
	if err != nil {
		w.t.Fatal(err)
	}
	var peak float64
	if *starts > 0 {
		peak = peakMemory(w.t, f.program.PID())
	}
	f.program.Kill()
	sent, calls := aws.take()
	c.check(w, answer, sent)
	program, err := os.Stat(filepath.Join(programs(w.t), c.name()))
	if err != nil {
		w.t.Fatal(err)
	}
	return cost{size: float64(program.Size()) / 1e6, took: took, memory: peak, calls: calls}
}

// peakMemory is the most memory that a process has had resident so far, in MB, and
// [VmHWM] in Linux's words. The maximum that wait4 tells of a child is another: it
// counts what the parent had resident when it made the child.
//
// [VmHWM]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatalf("the peak memory of a process is read from /proc, so make bench needs Linux: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		var kibibytes float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kibibytes); err == nil && kibibytes > 0 {
			return kibibytes * 1024 / 1e6
		}
	}
	t.Fatalf("no VmHWM in\n%s", status)
	return 0
}

// name is that of the program.
func (c coldStart) name() string { return strings.ToLower(strings.TrimSuffix(c.function, "Function")) }

// row is a line of the table, with the limits.
func (c coldStart) row(best cost) string {
	of := func(limit float64) string {
		if limit == 0 {
			return ""
		}
		return fmt.Sprintf(" of %.0f", limit)
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf(columns, c.name(), c.work,
		fmt.Sprintf("%.1f%s MB", best.size, of(c.most.size)),
		fmt.Sprintf("%.0f%s ms", ms(best.took), of(ms(c.most.took))),
		fmt.Sprintf("%.0f%s MB", best.memory, of(c.most.memory)), best.calls)
}

// columns are those of the table.
const columns = "%-8s %-29s %-15s %-14s %-13s %v"

// hold fails the test where a start takes more than it may.
func (c coldStart) hold(t *testing.T, best cost) {
	t.Helper()
	if c.most.size > 0 && best.size > c.most.size {
		t.Errorf("the %s is %.1f MB large, want at most %.0f", c.name(), best.size, c.most.size)
	}
	if c.most.took > 0 && best.took >= c.most.took {
		t.Errorf("the %s takes %s to start and answer, want less than %s; or the machine is busy", c.name(), best.took, c.most.took)
	}
	if c.most.memory > 0 && best.memory >= c.most.memory {
		t.Errorf("the %s needs %.0f MB, want less than %.0f", c.name(), best.memory, c.most.memory)
	}
}

// scheduled is the event of a schedule.
func scheduled(id string) func(*world) []byte {
	return func(w *world) []byte {
		return []byte(w.stack.properties(id)["Target"].(object)["Input"].(string))
	}
}

// answered checks an answer of which nothing more is known than that it is none of an
// error.
func answered(w *world, answer []byte, _ int) {
	if !json.Valid(answer) {
		w.t.Errorf("the answer is %s", answer)
	}
}

// delivery is the POST of one notification, as API Gateway hands it over.
func (w *world) delivery() []byte {
	w.t.Helper()
	front := w.graph.notices.front
	body := w.notification(w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: uuid.NewString() + "@" + federated}), w.clientState())
	r := httptest.NewRequestWithContext(w.ctx, http.MethodPost, "https://"+front.host+"/notifications", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	event, err := front.event(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return event
}

// clientState is that of the subscription, derived as keeper and webhook do.
func (w *world) clientState() string {
	w.t.Helper()
	var out struct{ SecretString string }
	if err := w.cloud.call(w.ctx, "secretsmanager.GetSecretValue", object{"SecretId": w.stack.ref("ClientStateSecret")}, &out); err != nil {
		w.t.Fatal(err)
	}
	return webhook.ClientState(out.SecretString, w.graph.tenant.ID())
}

func taken(w *world, answer []byte, sent int) {
	if !says(string(answer), `"statusCode":20`) || sent != 1 {
		w.t.Errorf("the answer is %s, and %d messages were queued, want 202 or 204, and 1", answer, sent)
	}
}

// signal is the POST of a provider, as API Gateway hands it over.
func (w *world) signal() []byte {
	w.t.Helper()
	event, err := w.graph.notices.front.event(w.newSource().request("user.disabled", uuid.NewString()+"@"+federated, time.Now()))
	if err != nil {
		w.t.Fatal(err)
	}
	return event
}

// signals is a batch as large as one of signals can be, each of another user who was disabled.
func (w *world) signals() []byte {
	w.t.Helper()
	p, s := w.newPoller("UrgentSignalEventSource"), w.newSource()
	now := time.Now().UTC()
	var batch []message
	for range p.batch {
		upn := uuid.NewString() + "@" + federated
		w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: upn})
		body, err := json.Marshal(signal.Message{Tenant: w.graph.tenant.ID(), Source: s.id, Received: now, Signal: &signal.Signal{
			Source: s.id, Kind: signal.UserDisabled, Subject: signal.Subject{Format: signal.UPN, Value: upn}, At: now.Truncate(time.Second), ID: s.id}})
		if err != nil {
			w.t.Fatal(err)
		}
		batch = append(batch, message{MessageID: uuid.NewString(), Body: string(body), Attributes: map[string]string{"ApproximateReceiveCount": "1"}})
	}
	event, err := p.event(batch)
	if err != nil {
		w.t.Fatal(err)
	}
	return event
}

// allResolved checks that a request for each of 10 users was queued.
func allResolved(w *world, answer []byte, sent int) {
	if string(answer) != `{"batchItemFailures":[]}` || sent != 10 {
		w.t.Errorf("the resolver answered %s and queued %d messages, want no failure and 10", answer, sent)
	}
}

// newUsers is a batch as large as a batch can be, each message for a new user.
func (w *world) newUsers() []byte {
	w.t.Helper()
	p := w.newPoller("NotificationEventSource")
	var batch []message
	for range p.batch {
		user := w.graph.tenant.AddUser(msgraphtest.NewUser{UPN: uuid.NewString() + "@" + federated})
		batch = append(batch, message{MessageID: user, Attributes: map[string]string{"ApproximateReceiveCount": "1"},
			Body: fmt.Sprintf(`{"tenant":%q,"user":%q,"source":"notification","seen":%q}`,
				w.graph.tenant.ID(), user, time.Now().UTC().Format(time.RFC3339))})
	}
	event, err := p.event(batch)
	if err != nil {
		w.t.Fatal(err)
	}
	return event
}

// allStamped checks that each of 100 users was revoked in this one start, and that
// their stamps will be read back. That nobody is revoked twice, the emulator checks.
func allStamped(w *world, answer []byte, sent int) {
	if string(answer) != `{"batchItemFailures":[]}` || sent != 100 {
		w.t.Errorf("the stamper answered %s and queued %d messages, want no failure and 100", answer, sent)
		return
	}
	stamped := 0
	for _, user := range w.graph.tenant.Users() {
		stamped += len(user.Revocations)
	}
	if stamped == 0 || stamped%100 != 0 {
		w.t.Errorf("of 100 users at a time %d were stamped in all", stamped)
	}
}
