package revocation_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// A story is what becomes of user 1, from the first message until the queue is
// empty.
type story struct {
	name    string
	arrange func(*world)
	// want are verdict and reason of every outcome, repetitions left out.
	want []string
	// state is how user 1 stands in the ledger at the end.
	state revocation.State
	// calls reached Graph, and signOuts took effect.
	calls, signOuts int
	// dead is the number of dead letters.
	dead int
}

func TestStories(t *testing.T) {
	t.Parallel()
	reached := make(map[revocation.Reason]bool)
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) { // one after the other: they share reached
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s.arrange(w)
				w.run()
				s.check(t, w)
				maps.Copy(reached, w.ledger.reasons)
				for _, o := range w.observer.outcomes {
					reached[o.Reason] = true
				}
			})
		})
	}
	for _, reason := range allReasons(t) {
		if !reached[reason] {
			t.Errorf("no story reaches reason %s", reason)
		}
	}
}

func (s story) check(t *testing.T, w *world) {
	t.Helper()
	if diff := cmp.Diff(s.want, w.outcomes("")); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	entry := w.entry(1)
	if entry.State != s.state {
		t.Errorf("state %q in the ledger, want %q", entry.State, s.state)
	}
	if said := "done " + string(entry.Reason); entry.State == revocation.StateReleased && said != s.want[len(s.want)-1] {
		t.Errorf("the ledger says %q of who was %q", said, s.want)
	}
	var calls, signOuts int
	if u := w.graph.users[userID(1)]; u != nil {
		calls, signOuts = len(u.calls), len(u.signOuts)
	}
	if calls != s.calls || signOuts != s.signOuts {
		t.Errorf("called %d times and signed out %d times, want %d and %d", calls, signOuts, s.calls, s.signOuts)
	}
	if got := len(w.queue.DeadLetters()); got != s.dead {
		t.Errorf("%d dead letters, want %d", got, s.dead)
	}
}

// allReasons lists the Reason constants of the package.
func allReasons(t *testing.T) []revocation.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []revocation.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, revocation.Reason(code))
		return true
	})
	if len(reasons) < 30 {
		t.Fatalf("only %d reasons were found in reason.go", len(reasons))
	}
	return reasons
}
