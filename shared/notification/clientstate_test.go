package notification_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

func TestClientStateIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const secret = "cAnAry-4711"
	state := notification.NewClientState(secret)
	change := notification.Change{ClientState: state}
	lifecycle := notification.Lifecycle{ClientState: state}
	values := map[string]any{
		"itself":     state,
		"pointer":    &state,
		"change":     change,
		"changes":    []*notification.Change{&change},
		"lifecycle":  lifecycle,
		"collection": notification.Collection{Changes: []notification.Change{change}},
		"unexported": struct{ hidden notification.ClientState }{state},
		"map":        map[notification.ClientState]notification.ClientState{state: state},
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed := everyForm(t, value)
			for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
				if strings.Contains(printed, form) {
					t.Errorf("%q appears in:\n%s", form, printed)
				}
			}
		})
	}
	if state.String() != "[redacted]" || fmt.Sprint(state) != "[redacted]" {
		t.Errorf("String() = %q, Sprint = %q", state.String(), fmt.Sprint(state))
	}
}

// everyForm prints a value in all the ways that could find their way to a log.
func everyForm(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%40v", "%T"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("value", "value", value)
	}
	if err := json.NewEncoder(&out).Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestLifecycleQueueMessage(t *testing.T) {
	t.Parallel()
	event := notification.Lifecycle{
		SubscriptionID: subscription,
		ClientState:    notification.NewClientState("s3cr3t"),
		TenantID:       tenant,
		Event:          notification.ReauthorizationRequired,
	}
	plain := `{"subscription":"` + subscription + `","tenant":"` + tenant + `","event":"reauthorizationRequired"`
	checkMessage(t, event, plain+`}`)
	event.Received = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	checkMessage(t, event, plain+`,"received":"2026-11-22T12:00:00Z"}`)
}

// checkMessage checks how an event is queued, and that all but the clientState comes
// out of the queue again.
func checkMessage(t *testing.T, event notification.Lifecycle, want string) {
	t.Helper()
	got, err := json.Marshal(event)
	if err != nil || string(got) != want {
		t.Errorf("got %s and %v, want %s", got, err, want)
	}
	var again notification.Lifecycle
	event.ClientState = notification.ClientState{}
	if err := json.Unmarshal(got, &again); err != nil || again != event {
		t.Errorf("%s is read as %+v and %v", got, again, err)
	}
}

func TestCanonicalGUID(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in, want string
	}{
		"lower case":   {tenant, tenant},
		"upper case":   {strings.ToUpper(tenant), tenant},
		"empty":        {"", ""},
		"braces":       {"{" + tenant + "}", ""},
		"no hyphens":   {strings.ReplaceAll(tenant, "-", ""), ""},
		"misplaced":    {"84bd81586-d4d-4958-8b9f-9d6445542f95", ""},
		"not hex":      {"g4bd8158-6d4d-4958-8b9f-9d6445542f95", ""},
		"not ASCII":    {"é4bd815-6d4d-4958-8b9f-9d6445542f95", ""},
		"hyphens only": {strings.Repeat("-", 36), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := notification.CanonicalGUID(test.in)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("CanonicalGUID(%q) = %q, %t", test.in, got, ok)
			}
		})
	}
}
