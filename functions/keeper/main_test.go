package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	programtest.CheckFaults(t, func(env program.Environment) error {
		_, err := build(env)
		return err
	}, 10)
}

// A keeper without configuration comes up all the same, says why it can do
// nothing, and answers CloudFormation.
func TestMisconfigured(t *testing.T) {
	t.Parallel()
	env, log, _ := programtest.New(t, nil, programtest.Denied)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "TENANT_ID") != 1 {
		t.Errorf("the log tells the faults not once:\n%s", log.String())
	}
	url, answers := cloudFormation(t)
	for _, kind := range []string{"Create", "Delete"} {
		if _, err := programtest.Invoke(t, handler, string(request(t, kind, "", url))); err != nil {
			t.Error(err)
		}
	}
	if len(*answers) != 2 || !strings.Contains((*answers)[0], `"FAILED"`) || !strings.Contains((*answers)[0], "TENANT_ID") ||
		!strings.Contains((*answers)[1], `"SUCCESS"`) {
		t.Errorf("answers: %q", *answers)
	}
}

// The function fails where the keeper does, in the keeper's words.
func TestFails(t *testing.T) {
	t.Parallel()
	env, _, metrics := programtest.New(t, programtest.Variables(), programtest.Denied)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := programtest.Invoke(t, handler, `{}`); leaktest.Seen(t, err) == nil || !strings.HasPrefix(err.Error(), "The table in which") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(metrics.String(), `"KeeperFailed":1`) || strings.Contains(metrics.String(), "SubscriptionHoursLeft") {
		t.Errorf("metrics:\n%s", metrics.String())
	}
}

// Advice names the portal of the tenant's cloud.
func TestPortal(t *testing.T) {
	t.Parallel()
	variables := programtest.Variables()
	variables["CLOUD"] = "china"
	env, _, _ := programtest.New(t, variables, programtest.Denied)
	f, err := build(env)
	if err != nil {
		t.Fatal(err)
	}
	advised := f.keeper.Explain(&directory.Error{Operation: directory.Token, Code: "AADSTS7000222"})
	if told := leaktest.Seen(t, advised).Error(); !strings.Contains(told, "Open https://entra.microsoftonline.cn,") {
		t.Errorf("told: %s", told)
	}
}

// The function tells on schedule when the stored credential expires, read anew.
func TestTellsExpiry(t *testing.T) {
	t.Parallel()
	vault := programtest.NewVault(t, map[string]string{
		programtest.CredentialSecret:  `{"clientSecret":"a8Q~x","expires":"` + time.Now().Add(1000*time.Hour).Format(time.RFC3339) + `"}`,
		programtest.ClientStateSecret: programtest.ClientState,
	})
	env, log, metrics := programtest.New(t, programtest.Variables(), vault)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = programtest.Invoke(t, handler, `{}`) // fails: there is no Graph
	if want := `"DaysToCredentialExpiry":41.6`; !strings.Contains(metrics.String(), want) {
		t.Errorf("the metrics lack %s:\n%s\n%s", want, metrics.String(), log.String())
	}
}

// An execution environment that goes on after a rotation tells of the new credential at
// its next run.
func TestTellsExpiryAfterRotation(t *testing.T) {
	t.Parallel()
	now := time.Now()
	stored := func(days int) string {
		return `{"clientSecret":"a8Q~x","expires":"` + now.Add(time.Duration(days)*24*time.Hour).UTC().Format(time.RFC3339) + `"}`
	}
	vault := programtest.NewVault(t, map[string]string{
		programtest.CredentialSecret:  stored(31),
		programtest.ClientStateSecret: programtest.ClientState,
	})
	env, log, metrics := programtest.New(t, programtest.Variables(), vault)
	env.Now = func() time.Time { return now }
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"30.9", "179.9"} {
		_, _ = programtest.Invoke(t, handler, `{}`) // fails: there is no Graph
		said := strings.Split(metrics.String(), `"DaysToCredentialExpiry":`)
		if !strings.HasPrefix(said[len(said)-1], want) {
			t.Errorf("the metrics do not end with %s days:\n%s\n%s", want, metrics.String(), log.String())
		}
		vault.Put(programtest.CredentialSecret, stored(180))
		now = now.Add(time.Hour)
	}
}

// What is stored expires, and an AWS role does not.
func TestKnowsWhatExpires(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]bool{"client-secret": true, "certificate": true, "web-identity": false} {
		variables := programtest.Variables()
		variables["AUTH_MODE"] = mode
		env, _, _ := programtest.New(t, variables, programtest.Denied)
		f, err := build(env)
		if err != nil {
			t.Fatal(err)
		}
		if f.stored != want {
			t.Errorf("%s: the credential expires: %t, want %t", mode, f.stored, want)
		}
	}
}
