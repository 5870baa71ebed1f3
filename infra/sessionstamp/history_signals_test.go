package main

import (
	"slices"
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

// TestWithoutRepeats: who was signed out is told once, though the stamper looks again; what
// another provider says, or the same one later, is told too.
func TestWithoutRepeats(t *testing.T) {
	t.Parallel()
	at := func(minutes int, provider string, reason stamp.Reason) past {
		return past{Entry: stamp.Entry{User: "u", Called: time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute), Reason: reason}, provider: provider}
	}
	pasts := []past{
		at(90, "a", stamp.ReasonKnownStamped), at(6, "b", stamp.ReasonKnownStamped), at(6, "a", stamp.ReasonKnownStamped),
		at(5, "a", stamp.ReasonReadBackPending), at(1, "a", stamp.ReasonCalled), at(0, "a", stamp.ReasonStamped),
	}
	var got []float64
	for _, p := range withoutRepeats(pasts) {
		got = append(got, p.Called.Sub(time.Unix(0, 0)).Minutes())
	}
	if want := []float64{90, 6, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("told are those of the minutes %v, want %v", got, want)
	}
}

// TestSignalNames: those who are known have names, also where they stand twice, and nobody is looked up of the others.
func TestSignalNames(t *testing.T) {
	t.Parallel()
	onCrew(t, 2, func(t *testing.T, k *crew) {
		signalled(k.deployed)
		k.log("StamperFunction", -time.Hour, map[string]any{"message": "user handled", "user": k.ids[1], "source": "signal", "provider": "a", "reason": "reported"})
		k.log("StamperFunction", -time.Minute, map[string]any{"message": "user handled", "user": k.ids[1], "source": "signal", "provider": "a", "reason": "excluded"})
		k.log("ResolverFunction", -time.Hour, map[string]any{"message": "signal handled", "provider": "a", "reason": "subject_unknown"})
		k.write(t)
		status, stdout, stderr := k.run(t.Context(), nil, "history", "--signals", "--names", "--stack", "sessionstamp", "-o", "csv")
		if status != fine || strings.Count(stdout, "@corp.example") != 2 || !strings.Contains(stdout, ",u1@corp.example,") || !strings.Contains(stdout, ",,,a,scripts,,subject_unknown") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
	})
}
