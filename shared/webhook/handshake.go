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
	errTokenText = errors.New("validationToken holds what would need escaping")
)

// handshake sends the token back. The body is left alone: a handshake has none,
// and net/http gets rid of a small one by itself.
//
// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks,
// "notificationUrl validation"
func (h *Handler) handshake(w http.ResponseWriter, tokens []string, r *Receipt) {
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

// oneToken returns the token if it is one that Graph could have made. Microsoft
// asks for HTML and script in it to be escaped, but also for it to come back
// unchanged. Both hold only if a token that would need escaping is refused.
func oneToken(tokens []string) (string, error) {
	if len(tokens) != 1 {
		return "", errTokens
	}
	token := tokens[0]
	if token == "" || len(token) > maxToken {
		return "", errTokenSize
	}
	if !utf8.ValidString(token) || strings.ContainsFunc(token, needsEscaping) {
		return "", errTokenText
	}
	return token, nil
}

// needsEscaping tells whether a character means something to HTML, or nothing to
// the eye, such as control characters and those that turn the direction of text.
func needsEscaping(c rune) bool {
	return strings.ContainsRune("<>&\"'`", c) || !unicode.IsPrint(c)
}
