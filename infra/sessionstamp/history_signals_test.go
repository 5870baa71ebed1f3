package main

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// TestSignalPattern: CloudWatch refuses a longer one.
func TestSignalPattern(t *testing.T) {
	t.Parallel()
	if n := len(signalPattern(ofStamper, aUser)); n > 1024 {
		t.Errorf("%d characters", n)
	}
}

// TestCountEnded: who is reported twice is one person; of whom nobody knows who it was, each
// report counts.
func TestCountEnded(t *testing.T) {
	t.Parallel()
	var pasts []past
	for _, user := range []string{"a", "b", "a", "", ""} {
		pasts = append(pasts, past{Entry: stamp.Entry{User: user, Reason: stamp.ReasonExcluded}}, past{Entry: stamp.Entry{User: "c"}})
	}
	if n := countEnded(pasts, stamp.ReasonExcluded); n != 4 {
		t.Errorf("%d, want 4", n)
	}
}
