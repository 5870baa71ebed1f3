package webhook

import (
	"net/http"
	"net/url"
)

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
		w.Header()["Allow"] = []string{http.MethodPost}
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	receipt := &Receipt{Kind: Delivery, Received: h.config.Now().UTC()}
	defer h.report(req.Context(), receipt)

	// Graph keeps the query string of notificationUrl, which is ours and can be read.
	// (URL.Query would hide the fault.)
	query, err := url.ParseQuery(req.URL.RawQuery)
	tokens, isHandshake := query[tokenKey]
	if isHandshake {
		receipt.Kind = Handshake
	}
	switch {
	case err != nil:
		refuse(w, receipt, errQuery)
	case isHandshake:
		handshake(w, tokens, receipt)
	default:
		h.receive(w, req, receipt)
	}
}

// protect keeps browsers from making a page of an answer, and caches from keeping it.
// Assigning to the map spares the canonicalisation that Set does.
func protect(header http.Header) {
	header["X-Content-Type-Options"] = []string{"nosniff"}
	header["Content-Security-Policy"] = []string{"default-src 'none'"}
	header["Cache-Control"] = []string{"no-store"}
}

// refuse answers what Graph can't have sent.
func refuse(w http.ResponseWriter, r *Receipt, err error) {
	r.Err = err
	answer(w, r, http.StatusBadRequest)
}

// retry makes Graph send the same again: it does for up to four hours, with growing
// pauses (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
func retry(w http.ResponseWriter, r *Receipt, err error) {
	r.Err = err
	w.Header()["Retry-After"] = []string{retryAfter}
	answer(w, r, http.StatusServiceUnavailable)
}

// retryAfter is in seconds. Microsoft does not document whether Graph heeds it.
const retryAfter = "10"

func answer(w http.ResponseWriter, r *Receipt, status int) {
	r.Status = status
	w.WriteHeader(status)
}
