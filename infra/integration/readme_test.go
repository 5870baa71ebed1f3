package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeKnowsTheStack checks that README.md tells of every alarm, and that the
// parameters, outputs and titles it names are there.
func TestReadmeKnowsTheStack(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := strings.ReplaceAll(string(raw), "\n", " ")
	stack := imagined(t, nil)
	outputs, err := stack.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("outputs? `(\\w+)`").FindAllStringSubmatch(readme, -1) {
		if _, ok := outputs[found[1]]; !ok {
			t.Errorf("README.md names the output %s, the stack has %d others", found[1], len(outputs))
		}
	}
	for name := range outputs {
		if name != "NotificationUrl" && name != "TableName" && !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not say what the output %s is for", name)
		}
	}
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		name := strings.TrimPrefix(properties(t, stack, id)["AlarmName"].(string), "sessionstamp-")
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not say what the alarm %s means", name)
		}
	}
	board := properties(t, stack, "Dashboard")["DashboardBody"].(string)
	for _, title := range []string{"Subscription: hours left", "Who was stamped"} {
		if !strings.Contains(board, title) || !strings.Contains(readme, "*"+title+"*") {
			t.Errorf("README.md and the dashboard do not both speak of %q", title)
		}
	}
}

// TestSumsAreFilled checks that an alarm on a sum of metrics has a value although one
// of them has none: CloudWatch has no sum otherwise, and the alarm never rings.
func TestSumsAreFilled(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		queries, ok := properties(t, stack, id)["Metrics"].([]any)
		if !ok {
			continue
		}
		for _, query := range queries {
			expression, ok := query.(map[string]any)["Expression"].(string)
			if ok && !strings.Contains(expression, "FILL(") {
				t.Errorf("%s has no value while one of its metrics has none: %s", id, expression)
			}
		}
	}
}

// TestCustomResourceKeepsItsName pins the name of the custom resource. Under another
// one an update would set the system up as the new resource, and then take it down
// by the deletion of the old.
func TestCustomResourceKeepsItsName(t *testing.T) {
	t.Parallel()
	if ids := imagined(t, nil).IDs("Custom::Subscription"); !slices.Equal(ids, []string{"Subscription"}) {
		t.Errorf("custom resources %q, want Subscription alone", ids)
	}
}
