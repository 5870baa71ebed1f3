package graphclient_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A secret that was replaced while a copy of it is in use is read again when Entra
// refuses it, and nobody notices.
func TestSecretIsReplaced(t *testing.T) {
	t.Parallel()
	emulator := msgraphtest.New(msgraphtest.Options{})
	t.Cleanup(emulator.Close)
	tenant := emulator.AddTenant(msgraphtest.TenantOptions{})
	app := tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"Domain.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: "new~secret"}},
	})
	var reads atomic.Int64
	manager := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stored := "new~secret"
		if reads.Add(1) == 1 {
			stored = "old~secret"
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"SecretString":"{\"clientSecret\":\"`+stored+`\"}"}`)
	})
	env, log, _ := programtest.New(t, nil, manager)
	env.Transport = emulator
	client, err := graphclient.New(env, tenant.ID(), deployment.App{ClientID: app.ID(), Cloud: "global", CredentialSecret: "arn"})
	if err != nil {
		t.Fatal(err)
	}
	if reads.Load() != 0 {
		t.Error("the secret is read before anybody needs it")
	}
	for range 3 {
		if _, err := client.Domains(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if reads.Load() != 2 {
		t.Errorf("the secret was read %d times, want 2", reads.Load())
	}
	if strings.Contains(log.String(), "~secret") {
		t.Errorf("the log holds a secret:\n%s", log.String())
	}
}

func TestUnknownCloud(t *testing.T) {
	t.Parallel()
	env, _, _ := programtest.New(t, nil, programtest.Denied)
	if _, err := graphclient.New(env, programtest.Tenant, deployment.App{ClientID: "c", Cloud: "moon"}); err == nil || !strings.Contains(err.Error(), "global") {
		t.Errorf("got %v, want an error that names the clouds", err)
	}
	if clouds := graphclient.Clouds(); len(clouds) < 2 || clouds[0] != "global" {
		t.Errorf("clouds %q", clouds)
	}
}
