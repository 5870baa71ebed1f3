package signin_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// What Graph says is no failure to sign in, and of those failures only a refusal and a
// missing credential last. Where time has run out, only an answer counts.
func TestFailed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		operation                string
		status                   int
		failed, failsLate, lasts bool
	}{
		"Graph":         {"getUser", 401, false, false, true},
		"refused":       {directory.Token, 401, true, true, true},
		"throttled":     {directory.Token, 429, true, true, false},
		"Entra fails":   {directory.Token, 503, true, true, false},
		"no answer":     {directory.Token, 0, true, false, false},
		"no secret":     {directory.ClientSecret, 0, true, false, true},
		"no AWS token":  {directory.WebIdentityToken, 0, true, false, true},
		"expired, late": {directory.Certificate, 401, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over, cancel := context.WithCancel(t.Context())
			cancel()
			err := fmt.Errorf("wrapped: %w", &directory.Error{Operation: tt.operation, StatusCode: tt.status})
			failed, failsLate := signin.Failed(t.Context(), err), signin.Failed(over, err)
			if failed != tt.failed || failsLate != tt.failsLate || signin.Lasts(err) != tt.lasts {
				t.Errorf("failed %t, late %t, lasts %t", failed, failsLate, signin.Lasts(err))
			}
		})
	}
	if err := errors.New("of another kind"); signin.Failed(t.Context(), err) || signin.Lasts(err) {
		t.Error("an error of another kind is one of the sign-in")
	}
}
