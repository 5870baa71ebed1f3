package main

import (
	"strings"
	"testing"
	"time"

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

// TestSignalNames: those who are known have names, and nobody is looked up of the others.
func TestSignalNames(t *testing.T) {
	t.Parallel()
	onCrew(t, 2, func(t *testing.T, k *crew) {
		signalled(k.deployed)
		k.log("StamperFunction", -time.Hour, map[string]any{"message": "user handled", "user": k.ids[1], "source": "signal", "provider": "a", "reason": "reported"})
		k.log("ResolverFunction", -time.Hour, map[string]any{"message": "signal handled", "provider": "a", "reason": "subject_unknown"})
		k.write(t)
		status, stdout, stderr := k.run(t.Context(), nil, "history", "--signals", "--names", "--stack", "sessionstamp", "-o", "csv")
		if status != fine || strings.Count(stdout, "@corp.example") != 1 || !strings.Contains(stdout, ",u1@corp.example,") || !strings.Contains(stdout, ",,,a,scripts,,subject_unknown") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
	})
}
