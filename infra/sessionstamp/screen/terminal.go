package screen

import (
	"context"
	"os"

	"golang.org/x/term"
)

// Columns is how wide a screen is at most, in cells.
const Columns = 80

// Terminal is what a stream can show.
type Terminal struct {
	// Columns is how many cells a line may have: 80, or fewer on a narrow terminal.
	Columns int
	// Live tells that a line can be drawn over.
	Live bool
	// Colours tells that colours are wanted.
	Colours bool
}

// TerminalOf looks at a stream of this process. env is os.Getenv.
func TerminalOf(f *os.File, env func(string) string) Terminal {
	handle := int(f.Fd())
	width, _, err := term.GetSize(handle)
	if err != nil {
		width = Columns
	}
	is := term.IsTerminal(handle)
	return terminal(is, is && escapes(f), width, env)
}

// IsTerminal tells whether a person is at the other end of a stream of this process.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// ReadHidden reads a line from a terminal, which does not show it. Where ctx ends before, the
// terminal is left as it was.
func ReadHidden(ctx context.Context, f *os.File) (string, error) {
	handle := int(f.Fd())
	before, err := term.GetState(handle)
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	read := make(chan answer, 1)
	// It ends with the line or with the process: nothing ends the reading of a terminal.
	go func() {
		line, err := term.ReadPassword(handle)
		read <- answer{line, err}
	}()
	select {
	case a := <-read:
		return string(a.line), a.err
	case <-ctx.Done():
		_ = term.Restore(handle, before) // nothing is left to be done
		return "", ctx.Err()
	}
}

// terminal decides. It knows https://no-color.org, and TERM=dumb for shells in editors.
func terminal(is, escapes bool, width int, env func(string) string) Terminal {
	const narrowest = 20
	live := is && env("TERM") != "dumb"
	t := Terminal{Columns: Columns, Live: live, Colours: live && escapes && env("NO_COLOR") == ""}
	if live && width > 0 {
		t.Columns = min(max(width, narrowest), Columns)
	}
	return t
}

// Colour is one of a terminal's (ECMA-48, select graphic rendition).
type Colour string

// The colours there are, by what they say.
const (
	Good   Colour = "\x1b[32m"
	Wrong  Colour = "\x1b[31m"
	Notice Colour = "\x1b[33m"
	Strong Colour = "\x1b[1m"
	Faint  Colour = "\x1b[2m"
)

// Paint colours a text where colours are wanted. Measure and shorten it before.
func (t Terminal) Paint(c Colour, text string) string {
	if !t.Colours || text == "" {
		return text
	}
	return string(c) + text + "\x1b[0m"
}
