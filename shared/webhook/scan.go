package webhook

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A scanner walks once through JSON (RFC 8259) without building anything of it. Package
// encoding/json takes three times as long for a delivery, by reflection. The scanner
// reads all that package json accepts, and finds the same in it: FuzzDecode compares
// them. It checks nothing that it passes over but strings and the balance of brackets.
//
// The first fault ends every walk: it moves the scanner to the end of the text.
type scanner struct {
	in     string
	pos    int
	failed bool
}

func (s *scanner) fail() { s.failed, s.pos = true, len(s.in) }

// peek passes over white space and returns the byte after it, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.in); s.pos++ {
		switch c := s.in[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// expect passes over one byte, and white space before it.
func (s *scanner) expect(want byte) {
	if s.peek() != want {
		s.fail()
		return
	}
	s.pos++
}

// object calls member for the name of each member. It has to pass over the value.
func (s *scanner) object(member func(name string)) {
	s.list('{', '}', func() {
		name, ok := unquote(s.value())
		if s.expect(':'); !ok {
			s.fail()
		}
		member(name)
	})
}

// list passes over a list in brackets, whose parts are separated by commas.
func (s *scanner) list(opening, closing byte, part func()) {
	s.expect(opening)
	for more := s.peek() != closing; more && !s.failed; {
		part()
		if more = s.peek() == ','; more {
			s.pos++
		}
	}
	s.expect(closing)
}

// value passes over a value, or a name, and returns it: all up to the comma, the colon or
// the closing bracket behind it.
func (s *scanner) value() string {
	s.peek()
	start, depth := s.pos, 0
	for ; s.pos < len(s.in); s.pos++ {
		c := s.in[s.pos]
		switch c {
		case '"':
			s.quoted()
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth < 0 || depth == 0 && (c == ',' || c == ':') {
			return strings.TrimSpace(s.in[start:s.pos])
		}
	}
	s.fail()
	return ""
}

// quoted passes over a string, up to the quotation mark at its end: the first one that no
// backslash stands before, which is not itself behind a backslash.
func (s *scanner) quoted() {
	for rest := s.in[s.pos+1:]; ; rest = s.in[s.pos+1:] {
		n := strings.IndexByte(rest, '"')
		if n < 0 {
			s.fail()
			return
		}
		s.pos += n + 1
		if backslashes := n - len(strings.TrimRight(rest[:n], `\`)); backslashes%2 == 0 {
			return
		}
	}
}

// unquote returns the text of a JSON string. Escapes and what is not ASCII are left to
// package encoding/json.
func unquote(raw string) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	for i := range len(raw) {
		if c := raw[i]; c == '\\' || c >= utf8.RuneSelf {
			var read string
			err := json.Unmarshal([]byte(raw), &read)
			return read, err == nil
		}
	}
	return raw[1 : len(raw)-1], true
}
