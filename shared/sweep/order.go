package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
)

// An Order is what a Sweeper is to do.
type Order string

// The orders.
const (
	// OrderUsual: an increment, and a full round if one is due.
	OrderUsual Order = `{}`
	// OrderFull asks for a full round, and runs.
	OrderFull Order = `{"full":true}`
	// OrderPreview asks for a preview and changes nothing: see [Report.Reasons].
	OrderPreview Order = `{"preview":true}`
	// OrderRelease opens the brake: what a person does who has seen that the users
	// stamped so far were the right ones.
	OrderRelease Order = `{"release":true}`
	// OrderReleaseSignals opens the brake of signals in the same way.
	OrderReleaseSignals Order = `{"releaseSignals":true}`
	// OrderPause stops all stamping at once, approved requests included.
	OrderPause Order = `{"pause":true}`
	// OrderResume lets it go on.
	OrderResume Order = `{"resume":true}`
)

// errOrder is the cause of every refusal. It quotes nothing of what came.
var errOrder = errors.New(`order of a sweep: want {}, {"full":true}, {"preview":true}, {"release":true}, {"releaseSignals":true}, {"pause":true} or {"resume":true}, and nothing else`)

// DecodeOrder reads an order. It takes the seven texts that there are, with any blanks
// between, and nothing else: a person who mistypes a preview, or names it twice, must not
// get a real one.
func DecodeOrder(event []byte) (Order, error) {
	var text bytes.Buffer
	if err := json.Compact(&text, event); err != nil {
		return "", errOrder
	}
	switch o := Order(text.String()); o {
	case OrderUsual, OrderFull, OrderPreview, OrderRelease, OrderReleaseSignals, OrderPause, OrderResume:
		return o, nil
	}
	return "", errOrder
}
