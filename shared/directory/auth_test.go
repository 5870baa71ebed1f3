package directory_test

import (
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
