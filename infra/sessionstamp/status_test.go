package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// TestMatters: what is wrong with a deployment, and what is not.
func TestMatters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*condition)
		want   string
	}{
		"all is well":      {func(*condition) {}, ""},
		"update failed":    {func(s *condition) { s.Status, s.Failure = "UPDATE_ROLLBACK_COMPLETE", "no" }, "status.update_failed true"},
		"under way":        {func(s *condition) { s.Status = "CREATE_IN_PROGRESS"; s.dead.Visible = 1 }, "status.not_serving true"},
		"switched off":     {func(s *condition) { s.trigger = "Disabled" }, "status.stopped true"},
		"taken down":       {func(s *condition) { s.Keeper = keeper.Record{TakenDown: true} }, "status.taken_down true"},
		"no subscription":  {func(s *condition) { s.Keeper = keeper.Record{} }, "status.no_subscription true"},
		"ended":            {func(s *condition) { s.Keeper.Expires = at.Add(-1) }, "status.subscription_ended true"},
		"no sweep":         {func(s *condition) { s.swept = at.Add(-4 * time.Hour) }, "status.no_sweep true"},
		"no sweep, young":  {func(s *condition) { s.swept, s.Created = time.Time{}, at.Add(-time.Hour) }, ""},
		"no sweep, paused": {func(s *condition) { s.swept, s.Brake.Paused = time.Time{}, at }, "status.paused true"},
		"dead letters":     {func(s *condition) { s.dead.Hidden = 1 }, "status.dead_letters true"},
		"dry run":          {func(s *condition) { s.Parameters["DryRun"] = "true" }, "status.dry_run false"},
		"existing":         {func(s *condition) { s.Sweep.Counts.Existing = 1 }, "status.existing false"},
		"excluded":         {func(s *condition) { s.ended = []past{{Entry: stamp.Entry{Reason: stamp.ReasonExcluded}}} }, "status.signals_excluded false"},
		"an alarm":         {func(s *condition) { s.alarms[0].State = "ALARM" }, "alarm.age true"},
		"an unknown alarm": {func(s *condition) { s.alarms[0] = stack.Alarm{State: "ALARM", Description: "new"} }, " true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := condition{
				Stack:  &stack.Stack{Status: "CREATE_COMPLETE", Created: at.AddDate(0, -1, 0), Parameters: map[string]string{}},
				Memory: stack.Memory{Keeper: keeper.Record{ID: "s", Expires: at.Add(time.Hour)}},
				now:    at, trigger: "Enabled", swept: at.Add(-time.Hour), alarms: []stack.Alarm{{Logical: "AgeAlarm", State: "OK"}},
			}
			c.change(&s)
			var got []string
			for _, m := range s.matters() {
				got = append(got, string(m.key)+" "+strconv.FormatBool(m.wrong))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
