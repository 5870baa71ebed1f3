package directory_test

import (
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Only what is known to be stored is looked for.
func TestAuthModeStored(t *testing.T) {
	t.Parallel()
	for mode, want := range map[directory.AuthMode]bool{
		directory.AuthWebIdentity: false, directory.AuthCertificate: true, directory.AuthClientSecret: true, "charm": false, "": false,
	} {
		if got := mode.Stored(); got != want {
			t.Errorf("%q is stored: %t", mode, got)
		}
	}
}

func TestAuthModeUnknown(t *testing.T) {
	t.Parallel()
	want := `no way to sign in is called "charm"; choose one of web-identity, certificate, client-secret`
	if err := directory.AuthMode("charm").Unknown(); err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, mode := range directory.AuthModes() {
		if !strings.Contains(want, string(mode)) {
			t.Errorf("%s is not named", mode)
		}
	}
}
