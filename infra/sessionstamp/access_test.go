package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// TestPermissions: the sheet is for a printer, and so as long as it must be.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		status, stdout, stderr := play(t.Context(), nil, "permissions", "--lang", string(l))
		if status != fine || stderr != "" {
			t.Errorf("exit status %d, %q", status, stderr)
		}
		goldentest.Compare(t, "permissions."+string(l)+".txt", stdout)
		goOn(t, stdout)
		for line := range strings.SplitSeq(stdout, "\n") {
			if tooWide(line, screen.Columns) {
				t.Errorf("too wide: %q", line)
			}
		}
	}
	for _, format := range []string{"json", "csv"} {
		_, stdout, _ := play(t.Context(), nil, "permissions", "-o", format)
		goldentest.Compare(t, "permissions."+format, stdout)
	}
}

// TestPolicy: standard output holds the policy alone, for IAM; what else is to say is beside.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range policyNames {
		_, policy, _ := play(t.Context(), nil, "policy", name, "--region", "ap-northeast-1", "--account", "111122223333")
		goldentest.Compare(t, "policy-"+name+".json", policy)
		for _, l := range languages() {
			status, stdout, stderr := play(t.Context(), nil, "policy", name, "-o", "json", "--lang", string(l))
			var p access.Policy
			if err := json.Unmarshal([]byte(stdout), &p); err != nil || status != fine || !p.Allows("cloudformation:DescribeStacks", "arn:aws:cloudformation:x:1:stack/sessionstamp/1") {
				t.Errorf("exit status %d, %v: %s", status, err, stdout)
			}
			goldentest.Compare(t, "policy-"+name+"."+string(l)+".txt", stderr)
			checkScreen(t, stderr)
			goOn(t, "\n"+stderr)
		}
	}
	_, china, _ := play(t.Context(), nil, "policy", "helpdesk", "--region", "cn-north-1", "--stack", "other", "-o", "csv")
	if !strings.Contains(china, "arn:aws-cn:cloudformation:cn-north-1:*:stack/other/*") {
		t.Error(china)
	}
	for args, want := range map[string]string{
		"policy": "deploy|operator|signals|helpdesk", "policy admin": "deploy|operator|signals|helpdesk", "policy deploy --stack *": "--stack NAME", "policy deploy --account 1": "111122223333",
	} {
		if status, stdout, stderr := play(t.Context(), nil, strings.Fields(args)...); status != wrongUse || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, %s", args, status, stderr)
		}
	}
}
