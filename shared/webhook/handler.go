package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/url"
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
	// retryAfter is in seconds. Microsoft does not document whether Graph heeds it.
	retryAfter = "10"
)

// errHandshake does not quote the token.
var errHandshake = errors.New("query string cannot be read, or validationToken is doubled, empty, too long or no plain text")

// ServeHTTP answers one call of Graph:
//
//   - 200 with the token to a POST with a validationToken that Graph can have made, 400
//     to one with another or with a query string that can't be read
//   - 202 to any other POST, when everything worth keeping is queued
//   - 503 where the body broke off, the secret can't be read or the queue refused
//   - 405 to any other method
//
// It sends nothing back but the token.
func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	protect(w.Header())
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	receipt := &Receipt{Received: h.config.Now().UTC()}
	defer h.report(req.Context(), receipt)

	// Graph keeps the query string of notificationUrl, which is ours and can be read.
	// (URL.Query would hide the fault.)
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil || query.Has(tokenKey) {
		handshake(w, query[tokenKey], err, receipt)
		return
	}
	h.receive(w, req, receipt)
}

// protect keeps browsers from making a page of an answer, and caches from keeping it.
func protect(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'")
	header.Set("Cache-Control", "no-store")
}

// handshake sends the token back. The body is left alone: a handshake has none,
// and net/http gets rid of a small one by itself.
//
// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks,
// "notificationUrl validation"
func handshake(w http.ResponseWriter, tokens []string, err error, r *Receipt) {
	if err != nil || len(tokens) != 1 || !harmless(tokens[0]) {
		r.Err = errHandshake
		answer(w, r, http.StatusBadRequest)
		return
	}
	// The charset is spelled out, as in Microsoft's own samples, so that no
	// browser guesses another one.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	answer(w, r, http.StatusOK)
	_, _ = io.WriteString(w, tokens[0]) //nolint:gosec // a browser could run nothing of what is harmless; if it fails, Graph has gone
}

// harmless tells whether a token can be sent back as it is. Microsoft asks for HTML and
// script in it to be escaped, but also for it to come back unchanged. Both hold only if
// a token that could be markup is refused. All else is opaque: quotes and ampersands are
// nothing without a tag around them, and [protect] keeps browsers from taking plain text
// for a page.
func harmless(token string) bool {
	return token != "" && len(token) <= maxToken &&
		utf8.ValidString(token) && !strings.ContainsFunc(token, isMarkup)
}

// isMarkup tells whether a character opens or closes a tag, or is a control
// character, which no text has.
func isMarkup(c rune) bool {
	return c == '<' || c == '>' || unicode.IsControl(c)
}

// retry makes Graph send the same again: it does for up to four hours, with growing
// pauses (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
func retry(w http.ResponseWriter, r *Receipt, err error) {
	r.Err = err
	w.Header().Set("Retry-After", retryAfter)
	answer(w, r, http.StatusServiceUnavailable)
}

func answer(w http.ResponseWriter, r *Receipt, status int) {
	r.Status = status
	w.WriteHeader(status)
}
