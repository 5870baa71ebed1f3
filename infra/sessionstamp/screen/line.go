package screen

import (
	"io"
	"strings"
)

// A Line is one of a terminal that is drawn over itself. It serves one goroutine.
type Line struct {
	w       io.Writer
	columns int
	drawn   int // cells
}

// NewLine is one on a terminal of so many columns. Nothing is drawn yet.
func NewLine(w io.Writer, columns int) *Line { return &Line{w: w, columns: columns} }

// Draw draws over the text before with blanks, which every console understands. The last cell
// stays free: some consoles go to the next line after it.
func (l *Line) Draw(text string) {
	text = Cut(text, l.columns-1)
	width := Width(text)
	_, _ = io.WriteString(l.w, "\r"+text+strings.Repeat(" ", max(0, l.drawn-width)))
	l.drawn = width
}

// Clear takes the line away.
func (l *Line) Clear() {
	if l.drawn > 0 {
		_, _ = io.WriteString(l.w, "\r"+strings.Repeat(" ", l.drawn)+"\r")
		l.drawn = 0
	}
}
