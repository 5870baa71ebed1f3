package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
)

// alarmMetrics are the metrics that an alarm is billed for.
func alarmMetrics(alarm object) (all []object) {
	for _, query := range alarm["Metrics"].([]any) {
		if stat, ok := query.(object)["MetricStat"].(object); ok {
			all = append(all, stat["Metric"].(object))
		}
	}
	return all
}

// TestAlarms checks that they look at what is written, that silence is seen at once, and
// that the dashboard has all of them.
func TestAlarms(t *testing.T) {
	t.Parallel()
	written := []string{metrics.SubscriptionHoursLeft, metrics.SweepFinished, metrics.UsersStamped, metrics.UsersMissed, metrics.NeedsAttention}
	s, count := imagined(t, nil), 0
	for _, id := range s.resources("AWS::CloudWatch::Alarm") {
		alarm := s.properties(id)
		for _, m := range alarmMetrics(alarm) {
			count++
			if m["Namespace"] == stackName && !slices.Contains(written, m["MetricName"].(string)) {
				t.Errorf("nobody writes the metric %s of %s", m["MetricName"], id)
			}
		}
		if expression := alarm["Metrics"].([]any)[0].(object)["Expression"].(string); !strings.Contains(expression, "FILL(") {
			t.Errorf("%s waits for data that may never come: %s", id, expression)
		}
		if diff := cmp.Diff([]any{s.ref("AlarmTopic")}, alarm["AlarmActions"]); diff != "" {
			t.Errorf("%s goes elsewhere: %s", id, diff)
		}
		if !strings.Contains(s.properties("Dashboard")["DashboardBody"].(string), `"`+s.attribute(id, "Arn")+`"`) {
			t.Errorf("the dashboard does not show %s", id)
		}
	}
	if count != 14 {
		t.Errorf("alarms are on %d metrics, want 14", count)
	}
	const theirs, address = "arn:aws:sns:eu-central-1:123456789012:theirs", "it@a.example"
	for to, want := range map[string]string{"": s.ref("AlarmTopic"), address: s.ref("AlarmTopic"), theirs: theirs} {
		s := imagined(t, map[string]string{"AlarmsTo": to})
		ours, mails := len(s.resources("AWS::SNS::Topic")) > 0, len(s.resources("AWS::SNS::Subscription")) > 0
		if got := texts(s.properties("MissedAlarm")["AlarmActions"])[0]; got != want || ours != (to != theirs) || mails != (to == address) {
			t.Errorf("AlarmsTo=%q: alarms go to %s, want %s; a topic of our own: %t, a mail: %t", to, got, want, ours, mails)
		}
	}
}

// TestDashboard checks that what should be zero stands first.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var board struct {
		Widgets []struct {
			X, Y, Width int
			Properties  struct {
				Title   string
				Metrics []any
			}
		}
	}
	if err := json.Unmarshal([]byte(imagined(t, nil).properties("Dashboard")["DashboardBody"].(string)), &board); err != nil {
		t.Fatal(err)
	}
	for i, metric := range []string{metrics.UsersMissed, "ApproximateNumberOfMessagesVisible", metrics.NeedsAttention} {
		w := board.Widgets[i]
		if !strings.HasPrefix(w.Properties.Title, "Should be 0: ") || w.Y != 0 || w.X != 8*i || !strings.Contains(fmt.Sprint(w.Properties.Metrics), metric) {
			t.Errorf("widget %d is %+v, want %s, which should be 0", i, w, metric)
		}
	}
}
