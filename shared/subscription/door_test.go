package subscription_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// TestNewDoor sets the system up seconds after its gateway was made. A run on a
// schedule leaves it to the next one.
func TestNewDoor(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.unreachable = true
		count := w.calls()
		if _, err := w.keeper().Keep(t.Context()); leaktest.Seen(t, err) == nil || count("create") != 1 {
			t.Errorf("Keep: %v after %d tries, want one and an error", err, count("create"))
		}
		time.AfterFunc(20*time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.unreachable = false
		})
		report, err := w.keeper().SetUp(t.Context())
		if err != nil || report.SubscriptionID == "" {
			t.Errorf("SetUp: %+v, %v; want it to wait for the door", report, err)
		}
		w.checkQuiet()
	})
}

// TestClosedDoor says so in the end.
func TestClosedDoor(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.unreachable = true
		begun := time.Now()
		_, err := w.keeper().SetUp(t.Context())
		a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err))
		if took := time.Since(begun); !ok || a.Cause != subscription.CauseNotificationURL || took < time.Minute || took > 3*time.Minute {
			t.Errorf("SetUp: %v after %s, want it to try for a minute or two", err, took)
		}
	})
}
