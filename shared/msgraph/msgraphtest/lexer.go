package msgraphtest

import "strings"

// token is a word, a quoted string or a punctuation mark of a $filter.
type token struct {
	kind tokenKind
	text string
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	stringToken
	markToken
)

// lex splits a $filter into its tokens, the last of which is an endToken. A
// quote within a string is doubled.
func lex(text string) ([]token, error) {
	var tokens []token
	for rest := strings.TrimLeft(text, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		t, n := lexOne(rest)
		if n == 0 {
			return nil, badFilter("There is an unterminated string literal in '%s'.", text)
		}
		tokens = append(tokens, t)
		rest = rest[n:]
	}
	return append(tokens, token{endToken, "end of the expression"}), nil
}

// lexOne reads the token that s begins with and tells its length, 0 for a
// string without an end.
func lexOne(s string) (token, int) {
	switch s[0] {
	case '\'':
		return lexString(s)
	case '(', ')', ',':
		return token{markToken, s[:1]}, 1
	}
	n := strings.IndexAny(s, " (),'")
	if n < 0 {
		n = len(s)
	}
	return token{wordToken, s[:n]}, n
}

func lexString(s string) (token, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return token{stringToken, b.String()}, i + 1
		}
		b.WriteByte('\'')
		i++
	}
	return token{}, 0
}
