package receiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// retryAfter is in seconds.
const retryAfter = "10"

// errChallenge is of a GET that is not Okta's one.
var errChallenge = errors.New("GET without the challenge that Okta sends when an event hook is verified")

// ServeHTTP answers one request to /idp/{source}:
//
//   - 204, or 202 to a transmitter, when everything worth keeping of a POST is queued
//   - 200 to the GET with which Okta verifies an event hook, 400 to another GET
//   - 400 or 401 to a POST that is not the source's, or can't be read, 413 to one that is
//     too long; by RFC 8935 a transmitter is always told 400, and why
//   - 404 to a source that is not there, and no more
//   - 503 where a later try may do: the body broke off, the queue refused, or the registry,
//     the credential or the transmitter's keys can't be read
//   - 405 to any other method
func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if req.Method != http.MethodPost && req.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	receipt := &Receipt{Received: h.config.Now().UTC()}
	defer h.report(req.Context(), receipt)
	ctx, cancel := context.WithTimeout(req.Context(), Timeout)
	defer cancel()

	record, err := h.find(ctx, req.URL.Path, receipt)
	switch {
	case err != nil:
	case req.Method == http.MethodGet:
		challenge(w, req, receipt)
		return
	default:
		err = h.take(ctx, req, record, receipt)
	}
	answer(w, receipt, err)
}

// find returns the record of the source that the path names.
func (h *Handler) find(ctx context.Context, path string, r *Receipt) (signal.Record, error) {
	_, id, _ := strings.Cut(path, Path)
	if !signal.IsSource(id) { // whoever tries many paths causes no reading
		return signal.Record{}, &signal.Refusal{Reason: signal.UnknownSource}
	}
	registry, err := h.config.Registry.Load(ctx, h.config.Tenant)
	if err != nil {
		return signal.Record{}, fmt.Errorf("read the sources: %w", err)
	}
	record, ok := registry.Doc.Sources[id]
	if !ok {
		return record, &signal.Refusal{Reason: signal.UnknownSource}
	}
	r.Source, r.Kind = id, record.Kind
	return record, nil
}

// challenge answers a GET.
func challenge(w http.ResponseWriter, req *http.Request, r *Receipt) {
	body, ok := signal.OktaChallenge(req.Header)
	if !ok || r.Kind != signal.KindOkta {
		r.Err, r.Status = errChallenge, http.StatusBadRequest
		w.WriteHeader(r.Status)
		return
	}
	r.Status = http.StatusOK
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) //nolint:gosec // JSON that no browser takes for a page; if it fails, Okta has gone
}

// take reads a POST and queues what it holds.
func (h *Handler) take(ctx context.Context, req *http.Request, record signal.Record, r *Receipt) error {
	body, err := read(req)
	if err != nil {
		return err
	}
	delivery, err := h.judge(ctx, r.Source, record, signal.Request{
		// Without the monotonic clock, which does not travel.
		Body: body, Header: req.Header, Received: r.Received.Round(0),
	})
	if err != nil {
		return err
	}
	r.Dropped = delivery.Dropped
	if err := h.config.Queue.Enqueue(ctx, h.messages(r, delivery)); err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	r.Signals = len(delivery.Signals)
	return nil
}

// read returns the body, of which no more is read than is admitted and a byte.
func read(req *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if req.ContentLength <= signal.MaxBytes {
		body.Grow(int(max(req.ContentLength, 0)) + bytes.MinRead)
		if _, err := body.ReadFrom(io.LimitReader(req.Body, signal.MaxBytes+1)); err != nil {
			return nil, fmt.Errorf("body broke off: %w", err)
		}
	}
	if max(int64(body.Len()), req.ContentLength) > signal.MaxBytes {
		return nil, &signal.Refusal{Reason: signal.TooLarge}
	}
	return body.Bytes(), nil
}

// messages are one for each signal; where there are none, one that the source was heard.
func (h *Handler) messages(r *Receipt, d signal.Delivery) []signal.Message {
	m := signal.Message{Tenant: h.config.Tenant, Source: r.Source, Received: r.Received.Round(0), Heartbeat: d.Heartbeat, Status: d.Status}
	if len(d.Signals) == 0 {
		return []signal.Message{m}
	}
	list := make([]signal.Message, len(d.Signals))
	for i := range d.Signals {
		list[i] = m
		list[i].Signal = &d.Signals[i]
	}
	return list
}

// answer tells the sender how it went. A refusal is written as RFC 8935, section 2.3, has
// it; senders of our own may be glad of it too.
func answer(w http.ResponseWriter, r *Receipt, err error) {
	refusal, _ := errors.AsType[*signal.Refusal](err)
	r.Err, r.Status = err, status(r.Kind, err, refusal)
	switch r.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusBadRequest, http.StatusUnauthorized:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Language", "en")
		w.WriteHeader(r.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"err": refusal.Code(), "description": refusal.Error()}) //nolint:errchkjson // texts; if it fails, the sender has gone
		return
	}
	w.WriteHeader(r.Status)
}

// status is that of the answer to a POST.
func status(kind signal.SourceKind, err error, refusal *signal.Refusal) int {
	switch {
	case err == nil && kind == signal.KindSSF:
		return http.StatusAccepted
	case err == nil:
		return http.StatusNoContent
	case refusal == nil || refusal.Temporary:
		return http.StatusServiceUnavailable
	}
	switch refusal.Reason { //nolint:exhaustive // all others are faults of the body or the token
	case signal.UnknownSource:
		return http.StatusNotFound
	case signal.TooLarge:
		return http.StatusRequestEntityTooLarge
	case signal.BadSecret, signal.BadSignature, signal.OutsideWindow:
		if kind != signal.KindSSF {
			return http.StatusUnauthorized
		}
	}
	return http.StatusBadRequest
}
