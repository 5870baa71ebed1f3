package secretstest_test

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/secretstest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
)

// TestClientStates reads by package secrets what the process keeps: of a secret that
// was never rotated, and of one that was.
func TestClientStates(t *testing.T) {
	t.Parallel()
	const first, second = leak.Canary + "1", leak.Canary + "2"
	kept := new(memory.Secrets)
	kept.CreateSecret("id", directory.NewSecret(first))
	states := func() (current, previous string) {
		t.Helper()
		current, previous, err := secrets.NewClientState(secrets.Config{
			Manager: secretstest.Manager{Versions: kept}, ARN: "id",
			Settings: secrets.DefaultSettings, Log: leaktest.Log(t), Now: time.Now,
		}).ClientStates(t.Context())
		if leaktest.Seen(t, err) != nil {
			t.Fatal("the clientStates can't be read")
		}
		return current, previous
	}
	if current, previous := states(); current != first || previous != "" {
		t.Error("of a secret that was never rotated, not its only version was read")
	}
	token := kept.RotateSecret("id", "token")
	if kept.PutSecretValue(t.Context(), "id", token, directory.NewSecret(second)) != nil ||
		kept.UpdateSecretVersionStage(t.Context(), "id", "AWSCURRENT", "first", token) != nil {
		t.Fatal("the secret can't be rotated")
	}
	if current, previous := states(); current != second || previous != first {
		t.Error("of a secret that was rotated, not the two versions were read")
	}
}
