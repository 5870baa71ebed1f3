package setup

import (
	"context"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Nothing tells whether a run of the plan would change nothing. The steps look, and do nothing;
// one that cannot look may have to do something.
func Nothing(ctx context.Context, f Facts, p Plan, w World) bool {
	if !f.AWS.Stack.runs() || p.Mandate != Whole && p.Mandate != AWSLast {
		return false
	}
	p.Values = slices.Clone(p.Values) // a step fills in what it finds
	r := &runner{World: w, plan: p, tell: func(Event) {}, apps: make(map[string]directory.App)}
	for _, s := range r.steps() {
		if s.name == "trusted" { // it changes nothing
			continue
		}
		if done, err := s.look(ctx); err != nil || !done {
			return false
		}
	}
	return true
}
