// Package screen is the frame of what a person sees: a table for at most 80 columns, CSV
// for Excel, JSON for programs, and a line of progress. Text is measured in the cells of a
// terminal ([UAX #11], by go-runewidth). A character of ambiguous width is one cell, as in
// the terminals of today, whatever the locale is.
//
// [UAX #11]: https://www.unicode.org/reports/tr11/
package screen

import (
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// cells measures text. The default of go-runewidth asks the environment.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

// Width returns how many cells a text takes, without escape sequences in it.
func Width(text string) int { return cells.StringWidth(text) }

// Cut shortens a text to so many cells, with … at its end if something is lost. What is
// seen as one character stays whole.
func Cut(text string, most int) string {
	if most <= 0 {
		return ""
	}
	return cells.Truncate(text, most, "…")
}

// Clean replaces by � what would move the cursor, end the line or turn the direction of
// the text. Names in a directory come from strangers.
func Clean(text string) string {
	return strings.Map(func(char rune) rune {
		if hostile(char) {
			return unicode.ReplacementChar
		}
		return char
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// hostile tells whether a character does something to a terminal beside being drawn.
func hostile(char rune) bool {
	return unicode.IsControl(char) || unicode.In(char, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
