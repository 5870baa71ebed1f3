package rotation_test

import (
	"errors"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A step that has nothing to do is no rotation that failed. One that nobody knows is: what
// calls it so never replaces a secret.
func TestStray(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step    rotation.Step
		arrange func(*world, string) // with the token of a rotation that has begun
		want    bool
	}{
		"rotation is off": {rotation.CreateSecret, func(w *world, _ string) { w.vault.off = true }, true},
		"unknown version": {rotation.CreateSecret, func(w *world, token string) { delete(w.vault.versions, token) }, true},
		"late":            {rotation.TestSecret, func(w *world, token string) { w.vault.versions[token].stages = []string{awsPrevious} }, true},
		"unknown step":    {"dropSecret", func(*world, string) {}, false},
		"out of order":    {rotation.SetSecret, func(*world, string) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, kinds[0], func(t *testing.T, w *world) {
				token := w.vault.rotateSecret(w.token())
				test.arrange(w, token)
				if err := leaktest.Seen(t, w.do(test.step, token)); err == nil || rotation.Stray(err) != test.want {
					t.Errorf("stray is %t, want %t: %v", rotation.Stray(err), test.want, err)
				}
			})
		})
	}
	if err := errors.New("down"); rotation.Stray(err) || rotation.Stray(nil) {
		t.Error("anything is stray")
	}
}
