package msgraph_test

import (
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

func TestModeChoosesTheSource(t *testing.T) {
	t.Parallel()
	o := msgraph.CredentialOptions{Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID}
	for _, mode := range directory.AuthModes() {
		auth := sources()
		auth.Mode = mode
		if _, err := msgraph.NewCredential(o, auth); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if _, err := msgraph.NewCredential(o, msgraph.Auth{Mode: mode}); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), string(mode)) {
			t.Errorf("%s without a source: %v", mode, err)
		}
		if _, err := msgraph.NewCredential(msgraph.CredentialOptions{}, auth); leaktest.Seen(t, err) == nil {
			t.Errorf("%s without a cloud", mode)
		}
	}
	auth := sources()
	auth.Mode = "password"
	if _, err := msgraph.NewCredential(o, auth); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), "web-identity, certificate, client-secret") {
		t.Errorf("an unknown mode: %v", err)
	}
}

func TestExchangeAudience(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"global": exchange, "usgovernment-l4": exchange + "USGov", "usgovernment-l5": exchange + "USGov", "china": exchange + "China",
	}
	for _, cloud := range msgraph.Clouds() {
		if got := cloud.ExchangeAudience(); got != want[cloud.Name] {
			t.Errorf("%s: %s, want %s", cloud.Name, got, want[cloud.Name])
		}
	}
}
