package integration

import (
	"maps"
	"slices"
	"testing"
)

// TestDeployment plays every story, and then compares what the functions did in AWS
// with what their roles allow.
func TestDeployment(t *testing.T) {
	t.Parallel()
	seen := new(accesses)
	played := 0
	t.Run("story", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(stories)) {
			story := stories[name]
			t.Run(name, func(t *testing.T) {
				played++
				t.Parallel()
				story.play(newWorld(t, seen, story.parameters, story.entra))
			})
		}
	})
	if t.Failed() {
		return // what was not done has not been seen either
	}
	checkPolicies(t, seen, played == len(stories))
}
