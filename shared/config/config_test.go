package config_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/config"
)

var clouds = []string{"global", "china"}

// valid is a whole environment of the keeper, which holds all settings.
var valid = map[string]string{
	"TENANT_ID": "0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0", "STACK_NAME": "sessionstamp", "METRICS_NAMESPACE": "sessionstamp",
	"TABLE_NAME": "table", "NOTIFICATION_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/q",
	"CLIENT_STATE_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:state-AbCdEf",
	"CLIENT_ID":               "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02", "STAMPER_CLIENT_ID": "", "CLOUD": "global", "AUTH_MODE": "web-identity",
	"CREDENTIAL_SECRET_ARN": "", "NOTIFICATION_URL": "https://hook.example/graph", "SIGNAL_URL": "https://hook.example/idp/",
	"FEDERATED_DOMAINS": "", "EXCLUDED_USERS": "", "EXCLUDED_UPN_PATTERNS": "", "EXCLUDED_GROUPS": "",
	"NEW_USER_WINDOW_HOURS": "72", "STAMPS_PER_DAY": "0", "DRY_RUN": "false", "SIGNAL_MODE": "report",
}

// with is valid with one value changed.
func with(name, value string) config.Lookup {
	env := maps.Clone(valid)
	env[name] = value
	return lookup(env)
}

func lookup(env map[string]string) config.Lookup {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// faultsOf are the faults that the keeper tells of.
func faultsOf(t *testing.T, l config.Lookup) config.Faults {
	t.Helper()
	_, err := config.ReadKeeper(l, clouds)
	if err == nil {
		return nil
	}
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		t.Fatalf("%v is no Faults", err)
	}
	return faults
}

const id = "6f1f1b0c-7a67-4c85-9ad6-10b5f3c2d9aa"

// ids is a list of n object ids.
func ids(n int) string { return strings.TrimSuffix(strings.Repeat(id+",", n), ",") }

// others are n ids that differ.
func others(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%08d%s", i, id[8:])
	}
	return strings.Join(list, ",")
}

// Each of these was accepted once, protected nobody, or let the keeper deploy what
// another function could not work with.
func TestRefusedAtDeployment(t *testing.T) {
	t.Parallel()
	const patterns, domains, users, groups = "EXCLUDED_UPN_PATTERNS", "FEDERATED_DOMAINS", "EXCLUDED_USERS", "EXCLUDED_GROUPS"
	tests := []struct{ name, variable, value, says string }{
		{"semicolon", patterns, "breakglass1@contoso.com;breakglass2@contoso.com", "separate patterns by commas"},
		{"bar", patterns, "breakglass1@contoso.com|breakglass2@contoso.com", "separate patterns by commas"},
		{"quotes", patterns, `"svc-*@contoso.com"`, "without quotes"},
		{"apostrophes", patterns, `'svc-*@contoso.com'`, "without quotes"},
		{"backslash", patterns, `CONTOSO\svc-*`, "backslash"},
		{"regular expression", patterns, "svc-.*@contoso.com", "regular expression"},
		{"mailto", patterns, "mailto:x@contoso.com", "mailto:"},
		{"no local part", patterns, "@contoso.com", "nothing before the @"},
		{"zero-width space before", patterns, "\u200bx@contoso.com", "invisible"},
		{"zero-width space behind", patterns, "x@contoso.com\u200b", "invisible"},
		{"BOM before", patterns, "\ufeffx@contoso.com", "invisible"},
		{"BOM behind", patterns, "x@contoso.com\ufeff", "invisible"},
		{"brackets", patterns, "[ext]*@contoso.com", "regular expression"},
		{"cut off", patterns, "x@contoso.com,", "cut the list off"},
		{"blank between", patterns, "x@contoso.com y@contoso.com", "blank"},
		{"no @", patterns, "breakglass", "matches nobody"},
		{"everybody", patterns, "*", "matches everybody"},
		{"domain with a hyphen first", domains, "-contoso.com", "not a domain"},
		{"half a class", patterns, "[svc-*@contoso.com", "regular expression"},
		{"escaped comma in domains", domains, `contoso.com\,fabrikam.com`, "escaped"},
		{"escaped comma in patterns", patterns, `a@contoso.com\,b@contoso.com`, "escaped"},
		{"91 users", users, ids(91), "group"},
		{"91 groups", groups, ids(91), "group"},
		{"21 groups", groups, others(21), "20 at most"},
		{"users between blanks", users, id + " " + id, "not an object ID"},
		{"user by name", users, "x@contoso.com", "not an object ID"},
		{"empty entry", groups, id + ",," + id, "entry 2"},
		{"domain with a BOM", domains, "\ufeffcontoso.com", "not a domain"},
		{"window", "NEW_USER_WINDOW_HOURS", "0", "from 1 to 168"},
		{"brake", "STAMPS_PER_DAY", "-1", "whole number"},
		{"dry run", "DRY_RUN", "yes", "not one of true, false"},
		{"signal mode", "SIGNAL_MODE", "on", "not one of off, report, enforce"},
		{"mode", "AUTH_MODE", "password", "not one of"},
		{"cloud", "CLOUD", "moon", "not one of global, china"},
		{"queue", "NOTIFICATION_QUEUE_URL", "queue", "https://"},
		{"no https", "NOTIFICATION_URL", "http://hook.example", "https://"},
		{"no address for signals", "SIGNAL_URL", "", "is missing"},
		{"ARN", "CLIENT_STATE_SECRET_ARN", "name", "ARN"},
		{"stamper's app", "STAMPER_CLIENT_ID", "sessionstamp-stamper", "GUID"},
		{"tenant", "TENANT_ID", "contoso.com", "GUID"},
		{"nothing", "TABLE_NAME", " ", "is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			faults := faultsOf(t, with(tt.variable, tt.value))
			if len(faults) != 1 {
				t.Fatalf("%d faults: %v", len(faults), faults)
			}
			t.Log(faults[0])
			if !strings.HasPrefix(faults[0], tt.variable+" (") || !strings.Contains(faults[0], tt.says) {
				t.Errorf("got %q, want one that says %q", faults[0], tt.says)
			}
		})
	}
}

// What does not fit into the environment together is refused, with the longest list.
func TestSettingsThatDoNotFit(t *testing.T) {
	t.Parallel()
	env := maps.Clone(valid)
	env["EXCLUDED_USERS"], env["EXCLUDED_GROUPS"] = ids(60), ids(40)
	faults := faultsOf(t, lookup(env))
	if len(faults) != 1 || !strings.HasPrefix(faults[0], "EXCLUDED_USERS") || !strings.Contains(faults[0], "4096") {
		t.Errorf("got %v", faults)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	env := maps.Clone(valid)
	env["EXCLUDED_USERS"] = " " + strings.ToUpper(id) + " , " + id
	env["EXCLUDED_UPN_PATTERNS"] = "svc-*@contoso.com, adm/*@contoso.com"
	env["FEDERATED_DOMAINS"], env["STAMPS_PER_DAY"] = "contoso.com", "500"
	k, err := config.ReadKeeper(lookup(env), clouds)
	s, errWorker := config.ReadWorker(lookup(env), clouds)
	w, errWebhook := config.ReadWebhook(lookup(env))
	if err := errors.Join(err, errWorker, errWebhook); err != nil {
		t.Fatal(err)
	}
	if k.Tenant != strings.ToLower(valid["TENANT_ID"]) || w.Tenant != k.Tenant || k.NotificationURL != valid["NOTIFICATION_URL"] {
		t.Errorf("keeper %+v", k)
	}
	p := s.Policy
	if p.NewUserWindow != 72*time.Hour || p.ReplicationLag == 0 || !slices.Equal(p.Exclusions.IDs, []string{id}) || len(p.Exclusions.Patterns) != 2 || s.StampsPerDay != 500 {
		t.Errorf("stamper %+v", s)
	}
}

// All faults are told at once, and no value.
func TestTellsAllFaults(t *testing.T) {
	t.Parallel()
	faults := faultsOf(t, lookup(map[string]string{"TENANT_ID": "hunter2", "AUTH_MODE": "client-secret", "CREDENTIAL_SECRET_ARN": "hunter2"}))
	if len(faults) != 15 || strings.Contains(faults.Error(), "hunter2") {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	l := config.Environ([]string{"A=1", "A=2=3", "broken"})
	if v, ok := l("A"); v != "2=3" || !ok {
		t.Errorf("A is %q", v)
	}
	if _, ok := l("broken"); ok {
		t.Error("a variable without a value was read")
	}
}
