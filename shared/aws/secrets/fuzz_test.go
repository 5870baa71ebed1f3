package secrets

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// FuzzClientState makes sure that a clientState can be sent and compared.
func FuzzClientState(f *testing.F) {
	for _, seed := range []string{"", "a", " a", "a\n", "é", "\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkClientState(text); leaktest.Seen(t, err) == nil && (text == "" || len(text) > 128 || !printable(text)) {
			t.Errorf("%q was taken for a clientState", text)
		}
	})
}
