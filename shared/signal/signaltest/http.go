package signaltest

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// judge keeps what was done against the documents.
type judge struct {
	guard  sync.Mutex
	faults []string
}

// Faults returns every breach of the documents so far, oldest first, each a sentence that
// names the section. A call that fails by bad luck, such as an expired token, is none.
func (j *judge) Faults() []string {
	j.guard.Lock()
	defer j.guard.Unlock()
	return slices.Clone(j.faults)
}

func (j *judge) fault(format string, args ...any) {
	j.guard.Lock()
	defer j.guard.Unlock()
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// witness remembers the status of an answer.
type witness struct {
	http.ResponseWriter
	status int
}

func (w *witness) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// answer writes JSON that nobody is to keep, as all answers of the API are.
func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that went away
}

func refuse(w http.ResponseWriter, status int, code, why string) {
	answer(w, status, map[string]string{"error": code, "error_description": why})
}

func nothing(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}

// isJSON tells a Content-Type of JSON.
func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// admitsJSON tells whether an Accept header lets JSON through; one that is absent lets
// everything through (RFC 9110, section 12.5.1).
func admitsJSON(accept string) bool {
	if accept == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(accept, ","), func(part string) bool {
		kind, _, err := mime.ParseMediaType(part)
		return err == nil && slices.Contains([]string{"*/*", "application/*", "application/json"}, kind)
	})
}
