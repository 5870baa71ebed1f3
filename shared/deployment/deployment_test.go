package deployment_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as in the functions

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

var clouds = []string{"global", "china"}

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	client = "66666666-7777-8888-9999-aaaaaaaaaaaa"
	secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf"
)

// good are variables without a fault, of all functions together.
func good() map[string]string {
	return map[string]string{
		"TENANT_ID":               tenant,
		"STACK_NAME":              "sessionstamp",
		"METRICS_NAMESPACE":       "sessionstamp",
		"TABLE_NAME":              "sessionstamp-Table-1",
		"NOTIFICATION_QUEUE_URL":  "https://sqs.eu-central-1.amazonaws.com/123456789012/notification",
		"LIFECYCLE_QUEUE_URL":     "https://sqs.eu-central-1.amazonaws.com/123456789012/lifecycle",
		"CLIENT_STATE_SECRET_ARN": secret,
		"CLIENT_ID":               strings.ToUpper(client),
		"CLOUD":                   "global",
		"AUTH_MODE":               "certificate",
		"CREDENTIAL_SECRET_ARN":   secret,
		"NOTIFICATION_URL":        "https://abc.execute-api.eu-central-1.amazonaws.com/graph",
		"FEDERATED_DOMAINS":       "contoso.com, corp.contoso.com",
		"EXCLUDED_USERS":          " 0000000A-0000-0000-0000-000000000001 ,0000000b-0000-0000-0000-000000000002,",
		"EXCLUDED_UPN_PATTERNS":   "svc-*@contoso.com",
		"EXCLUDED_GROUPS":         "0000000c-0000-0000-0000-000000000003",
		"NEW_USER_WINDOW_HOURS":   "24",
		"BACKFILL_MODE":           "enforce",
		"BACKFILL_HOURS":          "22:00-05:00",
		"BACKFILL_TIME_ZONE":      "Asia/Tokyo",
		"CEILING_PER_RUN":         "200",
		"CEILING_PER_HOUR":        "0",
		"CEILING_SHARE_PERCENT":   "5",
		"DRY_RUN":                 "true",
		"REPLICATION_LAG_SECONDS": "300",
	}
}

func lookup(variables map[string]string) deployment.Lookup {
	var environ []string
	for name, value := range variables {
		environ = append(environ, name+"="+value)
	}
	return deployment.Environ(environ)
}

// readers read the configuration of each function.
var readers = map[string]func(deployment.Lookup) error{
	"webhook": func(l deployment.Lookup) error { _, err := deployment.ReadWebhook(l); return err },
	"revoker": func(l deployment.Lookup) error { _, err := deployment.ReadRevoker(l, clouds); return err },
	"keeper":  func(l deployment.Lookup) error { _, err := deployment.ReadKeeper(l, clouds); return err },
	"sweeper": func(l deployment.Lookup) error { _, err := deployment.ReadSweeper(l, clouds); return err },
	"rotator": func(l deployment.Lookup) error { _, err := deployment.ReadRotator(l, clouds); return err },
}

func TestRead(t *testing.T) {
	t.Parallel()
	env := lookup(good())
	stack := deployment.Stack{Tenant: tenant, Name: "sessionstamp", Namespace: "sessionstamp"}
	app := deployment.App{ClientID: client, Cloud: "global", Mode: directory.AuthCertificate, CredentialSecret: secret}
	hours, err := revocation.ParseHours("22:00-05:00", "Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	users := deployment.Users{
		Table: "sessionstamp-Table-1", NotificationQueue: good()["NOTIFICATION_QUEUE_URL"],
		FederatedDomains: []string{"contoso.com", "corp.contoso.com"},
		ExcludedGroups:   []string{"0000000c-0000-0000-0000-000000000003"},
		Policy: revocation.Policy{
			NewUserWindow: 24 * time.Hour,
			Exclusions: revocation.Exclusions{
				IDs:      []string{"0000000a-0000-0000-0000-000000000001", "0000000b-0000-0000-0000-000000000002"},
				Patterns: []string{"svc-*@contoso.com"},
			},
			Backfill: revocation.Backfill{
				Mode: revocation.ModeEnforce, Hours: hours,
				Ceilings: revocation.Ceilings{PerRun: 200, PerHour: 0, Share: 0.05},
			},
		},
		ReplicationLag: 5 * time.Minute, DryRun: true,
	}
	webhook, err := deployment.ReadWebhook(env)
	compare(t, err, webhook, deployment.Webhook{
		Stack: stack, NotificationQueue: users.NotificationQueue, LifecycleQueue: good()["LIFECYCLE_QUEUE_URL"], ClientStateSecret: secret,
	})
	keeper, err := deployment.ReadKeeper(env, clouds)
	compare(t, err, keeper, deployment.Keeper{
		Stack: stack, App: app, ClientStateSecret: secret, Table: users.Table, NotificationURL: good()["NOTIFICATION_URL"], DryRun: true,
	})
	revoker, err := deployment.ReadRevoker(env, clouds)
	compare(t, err, revoker, deployment.Revoker{Stack: stack, App: app, Users: users})
	sweeper, err := deployment.ReadSweeper(env, clouds)
	compare(t, err, sweeper, deployment.Sweeper{Stack: stack, App: app, Users: users})
	rotator, err := deployment.ReadRotator(env, clouds)
	compare(t, err, rotator, deployment.Rotator{Stack: stack, App: app, ClientStateSecret: secret, Table: users.Table})
}

func compare[C any](t *testing.T, err error, got, want C) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// Without a stored secret none is asked for, and what is set instead is not read.
func TestAuthModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[directory.AuthMode]string{
		directory.AuthWebIdentity: "", directory.AuthCertificate: secret, directory.AuthClientSecret: secret,
	} {
		variables := good()
		variables["AUTH_MODE"] = string(mode)
		if want == "" {
			delete(variables, "CREDENTIAL_SECRET_ARN")
		}
		c, err := deployment.ReadRotator(lookup(variables), clouds)
		if err != nil || c.Mode != mode || c.CredentialSecret != want {
			t.Errorf("%s was read as %+v: %v", mode, c.App, err)
		}
		delete(variables, "CREDENTIAL_SECRET_ARN")
		if _, err := deployment.ReadRotator(lookup(variables), clouds); (leaktest.Seen(t, err) == nil) != (want == "") {
			t.Errorf("%s without a secret: %v", mode, err)
		}
		variables["CREDENTIAL_SECRET_ARN"] = "hunter2"
		if c, _ := deployment.ReadRotator(lookup(variables), clouds); want == "" && c.CredentialSecret != "" {
			t.Errorf("%s has the secret %q", mode, c.CredentialSecret)
		}
	}
}

// Whatever is left out by permission has a meaning.
func TestOptional(t *testing.T) {
	t.Parallel()
	variables := good()
	for _, name := range []string{"FEDERATED_DOMAINS", "EXCLUDED_USERS", "EXCLUDED_UPN_PATTERNS", "EXCLUDED_GROUPS", "BACKFILL_HOURS", "BACKFILL_TIME_ZONE"} {
		variables[name] = ""
	}
	c, err := deployment.ReadRevoker(lookup(variables), clouds)
	if err != nil {
		t.Fatal(err)
	}
	if groups := c.Groups(nil); groups != nil {
		t.Error("groups are excluded that nobody named")
	}
	if c.Policy.Backfill.Hours != (revocation.Hours{}) || len(c.FederatedDomains) > 0 || len(c.Policy.Exclusions.IDs) > 0 {
		t.Errorf("empty variables were read as %+v", c.Users)
	}
}

// bad are variables each of which has a fault.
func bad() map[string]string {
	variables := make(map[string]string)
	for name := range good() {
		variables[name] = "hunter2:hunter2"
	}
	variables["EXCLUDED_UPN_PATTERNS"] = "ok@contoso.com,hunter2,["
	variables["EXCLUDED_USERS"] = tenant + ",hunter2"
	variables["FEDERATED_DOMAINS"] = "contoso.com,@hunter2"
	variables["NOTIFICATION_URL"] = "http://hunter2/"
	variables["CEILING_SHARE_PERCENT"] = "101"
	variables["NEW_USER_WINDOW_HOURS"] = "721"
	variables["REPLICATION_LAG_SECONDS"] = "881"
	variables["CEILING_PER_RUN"] = "-1"
	variables["DRY_RUN"] = "yes"
	delete(variables, "STACK_NAME")
	delete(variables, "METRICS_NAMESPACE")
	variables["TABLE_NAME"] = " "
	return variables
}

// TestFaults pins the texts of all faults of every function.
func TestFaults(t *testing.T) {
	t.Parallel()
	stored := bad() // where the secret is looked at
	stored["AUTH_MODE"] = "client-secret"
	for name, variables := range map[string]map[string]string{"missing": {}, "wrong": bad(), "wrong-secret": stored} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			for _, function := range slices.Sorted(maps.Keys(readers)) {
				faults, ok := errors.AsType[deployment.Faults](leaktest.Seen(t, readers[function](lookup(variables))))
				if !ok {
					t.Fatalf("%s: found no faults", function)
				}
				text.WriteString(function + "\n")
				for _, line := range faults.List() {
					text.WriteString("  " + line + "\n")
				}
			}
			if strings.Contains(text.String(), "hunter2") {
				t.Error("a fault quotes what was set, which may be a secret")
			}
			goldentest.Compare(t, "testdata/faults-"+name+".golden", text.String())
		})
	}
}

// Each variable is checked by itself: one fault makes one sentence, and that of
// the right variable.
func TestOneFault(t *testing.T) {
	t.Parallel()
	for name, value := range bad() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			variables := good()
			variables[name] = value
			var named int
			for function, read := range readers {
				faults, _ := errors.AsType[deployment.Faults](leaktest.Seen(t, read(lookup(variables))))
				for _, fault := range faults {
					if named++; fault.Variable != name || fault.Meaning == "" {
						t.Errorf("%s: a fault of %s is told as %q", function, name, leaktest.Seen(t, fault).Error())
					}
				}
			}
			if named == 0 {
				t.Errorf("nobody has noticed %s=%q", name, value)
			}
		})
	}
}

func TestFaultsAreOneLine(t *testing.T) {
	t.Parallel()
	err := readers["webhook"](lookup(map[string]string{"TENANT_ID": tenant, "STACK_NAME": "s", "METRICS_NAMESPACE": "n", "CLIENT_STATE_SECRET_ARN": secret}))
	want := "the configuration has faults: NOTIFICATION_QUEUE_URL (the SQS queue of users to look at) is missing; " +
		"LIFECYCLE_QUEUE_URL (the SQS queue of lifecycle notifications) is missing. Correct the parameters of the stack and deploy again"
	if leaktest.Seen(t, err) == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The settings that follow from a configuration pass the checks of those that
// they are for.
func TestSettings(t *testing.T) {
	t.Parallel()
	variables := good()
	for _, extreme := range []struct{ lag, window string }{{"1", "1"}, {"880", "720"}} {
		variables["REPLICATION_LAG_SECONDS"], variables["NEW_USER_WINDOW_HOURS"] = extreme.lag, extreme.window
		c, err := deployment.ReadSweeper(lookup(variables), clouds)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Settings().Validate(); err != nil {
			t.Error(err)
		}
		r := deployment.Revoker(c)
		if s := r.Settings(); s.CallTimeout+s.ReplicationLag > revocation.MaxDelay {
			t.Errorf("lag %s and call timeout %s are longer than a queue's longest delay", s.ReplicationLag, s.CallTimeout)
		}
	}
}
