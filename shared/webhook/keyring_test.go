package webhook

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

func TestKeyringFit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 128)
	for name, test := range map[string]struct {
		current, previous, state string
		want                     bool
	}{
		"current":                   {"a", "b", "a", true},
		"previous":                  {"a", "b", "b", true},
		"both the same":             {"a", "a", "a", true},
		"neither":                   {"a", "b", "c", false},
		"longest":                   {long, "", long, true},
		"one letter short":          {long, "", long[1:], false},
		"other case":                {"a", "", "A", false},
		"empty against no previous": {"a", "", "", false},
		"empty against no current":  {"", "b", "", false},
		"empty against nothing":     {"", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := keyring{current: newKey(test.current), previous: newKey(test.previous)}
			if got := keys.fit(notification.NewClientState(test.state)); got != test.want {
				t.Errorf("fit = %t, want %t", got, test.want)
			}
		})
	}
}

// TestKeyEqual shows that the digest of the empty secret, which anybody can
// compute, opens nothing.
func TestKeyEqual(t *testing.T) {
	t.Parallel()
	empty, full := newKey(""), newKey("a")
	digest := sha256.Sum256(nil)
	if empty.equal(&digest) != 0 {
		t.Error("the empty secret fits")
	}
	digest = sha256.Sum256([]byte("a"))
	if full.equal(&digest) != 1 {
		t.Error("the secret does not fit itself")
	}
}
