package webhook

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// tokenKey is the query parameter that makes a POST a handshake.
	tokenKey = "validationToken"
	// maxToken is the longest token that is sent back, in bytes. The tokens that
	// were seen have about 120.
	maxToken = 2048
)

// Why a handshake was refused. None of them quotes the token.
var (
	errQuery     = errors.New("query string cannot be read")
	errTokens    = errors.New("more than one validationToken")
	errTokenSize = errors.New("validationToken is empty or too long")
	errTokenText = errors.New("validationToken holds markup or what is no text")
)

// handshake sends the token back. The body is left alone: a handshake has none,
// and net/http gets rid of a small one by itself.
//
// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks,
// "notificationUrl validation"
func handshake(w http.ResponseWriter, tokens []string, r *Receipt) {
	token, err := oneToken(tokens)
	if err != nil {
		refuse(w, r, err)
		return
	}
	// The charset is spelled out, as in Microsoft's own samples, so that no
	// browser guesses another one.
	w.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
	answer(w, r, http.StatusOK)
	_, _ = io.WriteString(w, token) //nolint:gosec // oneToken has refused what a browser could run; if it fails, Graph has gone
}

// oneToken returns the token if it can be sent back as it is. Microsoft asks for
// HTML and script in it to be escaped, but also for it to come back unchanged. Both
// hold only if a token that could be markup is refused. All else is opaque: quotes
// and ampersands are nothing without a tag around them, and [protect] keeps
// browsers from taking plain text for a page.
func oneToken(tokens []string) (string, error) {
	if len(tokens) != 1 {
		return "", errTokens
	}
	token := tokens[0]
	if token == "" || len(token) > maxToken {
		return "", errTokenSize
	}
	if !utf8.ValidString(token) || strings.ContainsFunc(token, isMarkup) {
		return "", errTokenText
	}
	return token, nil
}

// isMarkup tells whether a character opens or closes a tag, or is a control
// character, which no text has.
func isMarkup(c rune) bool {
	return c == '<' || c == '>' || unicode.IsControl(c)
}
