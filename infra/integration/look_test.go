package integration

import (
	"slices"
)

// schedule starts a function as its schedule does, and returns its answer.
func (w *world) schedule(id string) map[string]any {
	w.t.Helper()
	schedules, err := w.stack.Schedules()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, schedule := range schedules {
		for name, f := range w.functions {
			if schedule.LogicalID == id && schedule.Function == f.ARN {
				w.seen.add(access{Mode: w.given["AuthMode"], Function: "schedule", Action: "lambda:InvokeFunction", Resource: f.ARN})
				return w.invoke(name, schedule.Input)
			}
		}
	}
	w.t.Fatalf("no schedule %s starts a function", id)
	return nil
}

// part is the one part that the sweeper's answer has.
func (w *world) part(answer map[string]any, part string) map[string]any {
	w.t.Helper()
	object, ok := answer[part].(map[string]any)
	if !ok || len(answer) != 1 {
		w.t.Fatalf("the sweeper answered %v, want %s", answer, part)
	}
	return object
}

// ledgerState is the state of a user in the ledger, "" without an entry.
func (w *world) ledgerState(user string) string {
	w.t.Helper()
	doc, _ := w.entry(user)["doc"].(map[string]any)
	fields, _ := doc["M"].(map[string]any)
	state, _ := fields["state"].(map[string]any)
	text, _ := state["S"].(string)
	return text
}

// expires tells whether a user's entry has a number in the attribute by which the
// table's items are deleted.
func (w *world) expires(user string) bool {
	w.t.Helper()
	var out struct {
		TimeToLiveDescription struct{ AttributeName string }
	}
	if err := w.cloud.call(w.ctx, "DynamoDB_20120810.DescribeTimeToLive", map[string]string{"TableName": w.ref("Table")}, &out); err != nil {
		w.t.Fatal(err)
	}
	attribute, _ := w.entry(user)[out.TimeToLiveDescription.AttributeName].(map[string]any)
	return attribute["N"] != nil
}

// entry is the ledger's item of a user, nil if there is none.
func (w *world) entry(user string) map[string]any {
	w.t.Helper()
	item, err := w.cloud.item(w.ctx, w.ref("Table"), w.graph.tenant.ID()+"#user#"+user)
	if err != nil {
		w.t.Fatal(err)
	}
	return item
}

// clientState is the secret by which the webhook knows Graph.
func (w *world) clientState() string {
	w.t.Helper()
	var out struct{ SecretString string }
	if err := w.cloud.call(w.ctx, "secretsmanager.GetSecretValue", map[string]string{"SecretId": w.ref("ClientStateSecret")}, &out); err != nil {
		w.t.Fatal(err)
	}
	return out.SecretString
}

// send puts a message into a queue of the stack.
func (w *world) send(queue, body string) {
	w.t.Helper()
	if err := w.cloud.send(w.ctx, w.ref(queue), body); err != nil {
		w.t.Fatal(err)
	}
}

// receive waits until a queue of the stack has a message, and takes all that it has.
func (w *world) receive(queue string) []message {
	w.t.Helper()
	for {
		messages, err := w.cloud.receive(w.ctx, w.ref(queue), 10, 5)
		if err != nil {
			w.t.Fatalf("wait for a message in %s: %v", queue, err)
		}
		if len(messages) > 0 {
			return messages
		}
	}
}

func (w *world) queued(queue string) (visible, taken, delayed string) {
	w.t.Helper()
	visible, taken, delayed, err := w.cloud.queued(w.ctx, w.ref(queue))
	if err != nil {
		w.t.Fatal(err)
	}
	return visible, taken, delayed
}

// empty checks that a queue holds nothing at all.
func (w *world) empty(queue string) {
	w.t.Helper()
	if visible, taken, delayed := w.queued(queue); visible != "0" || taken != "0" || delayed != "0" {
		w.t.Errorf("%s holds %s messages, %s with a worker and %s delayed, want none", queue, visible, taken, delayed)
	}
}

// handled waits until the revoker has ended so many requests for a reason.
func (w *world) handled(reason string, requests float64) {
	w.t.Helper()
	sum := 0.0
	if _, err := w.functions["RevokerFunction"].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		reasons, _ := record["reasons"].(map[string]any)
		n, _ := reasons[reason].(float64)
		sum += n
		return sum >= requests
	}); err != nil {
		w.t.Fatalf("%g requests ended with %s, want %g", sum, reason, requests)
	}
}

// measured checks that a function has written a metric of that name, of this stack.
func (w *world) measured(function, metric string) {
	w.t.Helper()
	if _, err := w.functions[function].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		return slices.Contains(metricsOf(record), metric) && record["Stack"] == "sessionstamp"
	}); err != nil {
		w.t.Errorf("%s has not written the metric %s", function, metric)
	}
}

// metricsOf are the names of the metrics in a record of the embedded metric format,
// in our namespace.
func metricsOf(record map[string]any) []string {
	var names []string
	header, _ := record["_aws"].(map[string]any)
	directives, _ := header["CloudWatchMetrics"].([]any)
	for _, directive := range directives {
		d, _ := directive.(map[string]any)
		if d["Namespace"] != "sessionstamp" {
			continue
		}
		metrics, _ := d["Metrics"].([]any)
		for _, metric := range metrics {
			m, _ := metric.(map[string]any)
			if name, ok := m["Name"].(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// host is where the front is.
func (t *telephone) host() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.front.host
}
