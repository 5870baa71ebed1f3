package directory

import (
	"fmt"
	"io"
)

// redacted stands wherever a [Secret] would have been printed.
const redacted = "[redacted]"

// Secret is a text that nobody may read in a log, such as the secretText of a new
// password. It prints as "[redacted]" wherever it is formatted, logged or encoded.
// The zero value is the empty one.
type Secret struct {
	// The text is behind a pointer since package fmt, when it complains of a wrong
	// verb further out, prints by reflection: of a pointer only the address.
	text *string
}

// NewSecret hides a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text, "" if there is none. It is the only way to it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format hides the text from every verb of package fmt.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// MarshalText hides the text from encoders, package log/slog's among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
