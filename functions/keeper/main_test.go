package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
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
	if _, err := programtest.Invoke(t, handler, `{}`); err == nil || !strings.HasPrefix(err.Error(), "The table in which") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(metrics.String(), `"KeeperFailed":1`) || strings.Contains(metrics.String(), "SubscriptionHoursLeft") {
		t.Errorf("metrics:\n%s", metrics.String())
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
