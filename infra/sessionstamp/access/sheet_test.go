package access_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
)

// TestSheetIsTrue compares the sheet with what is deployed and documented elsewhere.
func TestSheetIsTrue(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(access.NewSheet())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), `""`) || strings.Contains(string(text), "null") {
		t.Error("something is empty")
	}
	template, deploy := read(t, "template.yaml"), read(t, "infra/docs/deploy.md")
	for _, p := range access.NewSheet().Permissions {
		if !strings.Contains(deploy, p.ID) || !strings.Contains(deploy, p.Name) {
			t.Errorf("deploy.md has no %s %s", p.Name, p.ID)
		}
	}
	for _, match := range regexp.MustCompile(`RetentionInDays: (\d+)`).FindAllStringSubmatch(template, -1) {
		if !strings.Contains(string(text), match[1]+" days") || !strings.Contains(string(text), match[1]+" 日") {
			t.Errorf("the sheet does not say %s days", match[1])
		}
	}
	for _, property := range regexp.MustCompile(`(?m)^\t\t"([a-zA-Z]+)",$`).FindAllStringSubmatch(read(t, "shared/msgraph/users.go"), -1) {
		if strings.Count(string(text), property[1]) < 2 {
			t.Errorf("the sheet does not name %s", property[1])
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
