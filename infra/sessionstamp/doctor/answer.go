package doctor

// Reason says why a piece of evidence is missing.
type Reason string

// The reasons.
const (
	// Unasked is the zero value: this run had no way, or no need, to ask.
	Unasked Reason = ""
	NoRight Reason = "no right"
	Failed  Reason = "failed"
)

// A Gap is why there is no answer.
type Gap struct {
	Reason Reason
	// Right is the permission of Graph or the action of AWS that was refused, empty where
	// that is not told.
	Right string
	// Err is what happened where Reason is Failed; nil: not known.
	Err error
}

// An Answer is one piece of evidence: a value, or why there is none. The zero Answer was
// not asked for, so that what nobody fills in is never taken for a fact.
type Answer[T any] struct {
	value T
	asked bool
	gap   Gap
}

// Asked makes an Answer of what was found. That nothing was found is an answer, too.
func Asked[T any](value T) Answer[T] { return Answer[T]{value: value, asked: true} }

// NotAsked makes an Answer of why nothing is known.
func NotAsked[T any](gap Gap) Answer[T] { return Answer[T]{gap: gap} }

// Get returns the value, and whether it was asked for.
func (a Answer[T]) Get() (value T, asked bool) { return a.value, a.asked }

// missing returns why there is no value, and whether there is none.
func (a Answer[T]) missing() (Gap, bool) { return a.gap, !a.asked }
