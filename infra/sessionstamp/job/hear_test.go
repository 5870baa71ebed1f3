package job

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// TestHear: a record says no more than is true of any request for the user.
func TestHear(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 29, 1, 0, 0, 0, time.UTC)
	later, call := began.Add(6*time.Minute), began.Add(time.Second)
	called := End{User: "u", Fate: Called, Reason: stamp.ReasonCalled, Called: call}
	for name, c := range map[string]struct {
		end     End
		reason  stamp.Reason
		at      time.Time
		signOut bool
		want    Fate
		tells   bool
	}{
		"called":                        {End{}, stamp.ReasonCalled, call, true, Called, true},
		"called, told again":            {called, stamp.ReasonCalled, call, true, Called, false},
		"called once more":              {called, stamp.ReasonCalled, later, false, Called, true},
		"read back":                     {called, stamp.ReasonReadBack, later, false, Cured, true},
		"read back, call not told":      {End{}, stamp.ReasonReadBack, later, false, Cured, true},
		"read back, of a sign-out":      {called, stamp.ReasonReadBack, later, true, Called, false},
		"stamped since":                 {called, stamp.ReasonKnownStamped, later, false, Cured, true},
		"stamped before":                {End{}, stamp.ReasonStamped, call, false, Spared, true},
		"stamped before the sign-out":   {End{}, stamp.ReasonStamped, call, true, Open, false},
		"waited for":                    {End{}, stamp.ReasonReadBackPending, call, false, Called, true},
		"waited for, an earlier call":   {End{}, stamp.ReasonReadBackPending, call, true, Open, false},
		"still empty":                   {called, stamp.ReasonStillEmpty, later, true, Failed, true},
		"still empty, before":           {called, stamp.ReasonStillEmpty, began, true, Called, false},
		"still empty, never called":     {End{}, stamp.ReasonStillEmpty, later, true, Open, false},
		"refused":                       {End{}, stamp.ReasonRefused, call, true, Failed, true},
		"excluded":                      {End{}, stamp.ReasonExcluded, call, true, Spared, true},
		"existing, to the machine":      {End{}, stamp.ReasonExisting, call, false, Open, false},
		"given up, an older one":        {End{}, stamp.ReasonGaveUp, later, false, Open, false},
		"given up":                      {End{}, stamp.ReasonGaveUp, began.Add(97 * time.Hour), false, Failed, true},
		"nothing after the end":         {End{Fate: Cured}, stamp.ReasonRefused, later, false, Cured, false},
		"a reason that nobody has seen": {End{}, "", later, false, Open, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, moment := Handled{At: c.at, User: "u", Verdict: stamp.Done, Reason: c.reason}, time.Time{}
			if c.signOut {
				moment = began
			}
			next, tells := hear(c.end, r, began, moment)
			if tells != c.tells || tells && next.Fate != c.want {
				t.Errorf("got %q, %t, want %q, %t", next.Fate, tells, c.want, c.tells)
			}
		})
	}
}
