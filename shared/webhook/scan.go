package webhook

import (
	"bytes"
	"encoding/json"
)

// maxDepth is how deep JSON may nest, as in package encoding/json.
const maxDepth = 10_000

// A scanner walks once through JSON (RFC 8259) without building anything of it. Package
// encoding/json takes three times as long for a delivery, by reflection. The scanner
// accepts the same texts; FuzzDecode compares them.
//
// The first fault ends every walk: it moves the scanner to the end of the text.
type scanner struct {
	in     []byte
	pos    int
	depth  int
	failed bool
	reader reader
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
	if s.peek() != want || want == 0 {
		s.fail()
		return
	}
	s.pos++
}

// end fails unless nothing but white space is left.
func (s *scanner) end() {
	if s.peek(); s.pos < len(s.in) {
		s.fail()
	}
}

// members ranges over the names of an object. The body of the loop passes over the value.
func (s *scanner) members(yield func(name []byte) bool) {
	s.list('{', '}', func() bool {
		name := s.name()
		return !s.failed && yield(name) && !s.failed
	})
}

// elements ranges over an array. The body of the loop passes over the element.
func (s *scanner) elements(yield func() bool) {
	s.list('[', ']', func() bool { return yield() && !s.failed })
}

// list passes over a list in brackets, whose parts are separated by commas.
func (s *scanner) list(opening, closing byte, part func() bool) {
	s.expect(opening)
	if s.depth++; s.depth > maxDepth {
		s.fail()
	}
	for more := s.peek() != closing && !s.failed; more; {
		if !part() {
			return
		}
		if more = s.peek() == ','; more {
			s.pos++
		}
	}
	s.depth--
	s.expect(closing)
}

// name passes over the name of a member and its colon.
func (s *scanner) name() []byte {
	s.peek()
	start := s.pos
	escaped := s.text()
	raw := s.in[start:s.pos]
	s.expect(':')
	if s.failed {
		return nil
	}
	if escaped {
		name, _ := unquote(raw)
		return []byte(name)
	}
	return raw[1 : len(raw)-1]
}

// skip passes over a value and returns it.
func (s *scanner) skip() []byte {
	first := s.peek()
	start := s.pos
	switch first {
	case '{':
		for range s.members {
			s.skip()
		}
	case '[':
		for range s.elements {
			s.skip()
		}
	case '"':
		s.text()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
	return s.in[start:s.pos]
}

func (s *scanner) literal(want string) {
	if !bytes.HasPrefix(s.in[s.pos:], []byte(want)) {
		s.fail()
		return
	}
	s.pos += len(want)
}

// plain tells which bytes of a string mean themselves.
var plain = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

// text passes over a string, and tells whether it has escapes.
func (s *scanner) text() (escaped bool) {
	if s.pos == len(s.in) || s.in[s.pos] != '"' {
		s.fail()
		return false
	}
	for i := s.pos + 1; i < len(s.in); i++ {
		for i < len(s.in)-1 && plain[s.in[i]] {
			i++
		}
		switch s.in[i] {
		case '"':
			s.pos = i + 1
			return escaped
		case '\\':
			i, escaped = i+escapeLen(s.in[i+1:]), true
		default:
			s.fail()
			return false
		}
	}
	s.fail()
	return false
}

// escapeLen is how many bytes after a backslash belong to it. A wrong escape has all of
// them, so that the string never ends.
func escapeLen(after []byte) int {
	if len(after) == 0 {
		return 0
	}
	switch after[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(after) >= 5 && isHex(after[1]) && isHex(after[2]) && isHex(after[3]) && isHex(after[4]) {
			return 5
		}
	}
	return len(after)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number passes over a number.
func (s *scanner) number() {
	s.optional("-")
	if s.optional("0") == 0 && s.digits() == 0 {
		s.fail()
		return
	}
	if s.optional(".") > 0 && s.digits() == 0 {
		s.fail()
		return
	}
	if s.optional("eE") > 0 {
		s.optional("+-")
		if s.digits() == 0 {
			s.fail()
		}
	}
}

// optional passes over one byte if it is one of those given.
func (s *scanner) optional(one string) int {
	if s.pos < len(s.in) && bytes.IndexByte([]byte(one), s.in[s.pos]) >= 0 {
		s.pos++
		return 1
	}
	return 0
}

// digits passes over digits and tells how many.
func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.in) && '0' <= s.in[s.pos] && s.in[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// unquote returns the text of a JSON value that is a string. Escapes and what is not
// ASCII are left to package encoding/json.
func unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	for _, c := range raw {
		if c == '\\' || c >= 0x80 {
			var text string
			err := json.Unmarshal(raw, &text)
			return text, err == nil
		}
	}
	return string(raw[1 : len(raw)-1]), true
}
