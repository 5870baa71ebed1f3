package secrets

import (
	"encoding/json"
	"strings"
	"time"
)

// byteOrderMark is what some editors of Windows write before a text.
const byteOrderMark = "\ufeff"

// unmarshal reads the JSON that a person has stored. A byte order mark before it is
// passed over, and so are raw line breaks within a text, which JSON does not allow:
// they come from pasting a PEM file.
func unmarshal(text string, v any) error {
	text = strings.TrimPrefix(text, byteOrderMark)
	if !json.Valid([]byte(text)) {
		text = strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(text)
	}
	return json.Unmarshal([]byte(text), v)
}

// expiry is the end of a credential as it is stored beside it. One that can't be read
// is none: nobody must be kept from signing in by it.
type expiry struct {
	time.Time
	bad bool
}

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (e *expiry) UnmarshalJSON(text []byte) error {
	if e.Time.UnmarshalJSON(text) != nil {
		*e = expiry{bad: true}
	}
	return nil
}
