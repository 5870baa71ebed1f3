package answer

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A Part is what became of one request of a $batch: an answer of success, or Err.
type Part struct {
	Answer
	// Err is of type [*directory.Error].
	Err error
}

// Parts finds the parts of n requests, which are numbered from 1, in the answer to
// their [$batch]. Graph sends them in any order, and the envelope's status says
// nothing of them. A part that is missing, doubled or unreadable spoils no other.
// The error is a [*directory.Error], for an envelope that cannot be read.
//
// [$batch]: https://learn.microsoft.com/graph/json-batching
func Parts(whole Answer, n int) ([]Part, error) {
	responses, err := readResponses(whole)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, n)
	for i := range parts {
		parts[i].Err = silence(whole, ErrNoPart)
	}
	seen := make(map[int]bool, n)
	for _, raw := range responses {
		i, got := readPart(raw, whole)
		switch {
		case i < 0 || i >= n:
			// Not a part of ours. If it ought to have been one, that one is missing.
		case seen[i]:
			parts[i] = Part{Err: silence(whole, ErrTwoParts)}
		case !got.OK():
			parts[i] = Part{Err: partRefusal(got)}
		default:
			parts[i] = Part{Answer: got}
		}
		seen[i] = true
	}
	return parts, nil
}

// partStart is where a part can begin.
var partStart = regexp.MustCompile(`\{\s*"(?:id|status|headers|body)"\s*:`)

// maxStarts bounds how often something that looks like a part is looked at.
const maxStarts = 200

// readResponses returns the parts. Where one has a body that is no JSON, and so spoils
// the envelope, the others are picked out of the text.
func readResponses(whole Answer) (parts []json.RawMessage, err error) {
	var envelope struct {
		Responses []json.RawMessage `json:"responses"`
	}
	if json.Unmarshal(whole.Body, &envelope) == nil {
		return envelope.Responses, nil
	}
	for _, at := range partStart.FindAllIndex(whole.Body, maxStarts) {
		var part json.RawMessage
		if json.NewDecoder(bytes.NewReader(whole.Body[at[0]:])).Decode(&part) == nil {
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return nil, whole.Distrust(ErrShape)
	}
	return parts, nil
}

// readPart reads one part. Its index is -1 if it has no number. The ids of the
// whole $batch stand in for those the part does not have.
func readPart(raw json.RawMessage, whole Answer) (index int, got Answer) {
	var fields struct {
		ID      string                     `json:"id"`
		Status  json.RawMessage            `json:"status"`
		Headers map[string]json.RawMessage `json:"headers"`
		Body    json.RawMessage            `json:"body"`
	}
	// Fields of the wrong type stay empty, and empty is not a success.
	_ = json.Unmarshal(raw, &fields)
	number, err := strconv.Atoi(fields.ID)
	if err != nil {
		return -1, Answer{}
	}
	status, _ := strconv.Atoi(unquoted(fields.Status))
	header := http.Header{
		RequestID:       {whole.Header.Get(RequestID)},
		ClientRequestID: {whole.Header.Get(ClientRequestID)},
	}
	for name, value := range fields.Headers {
		header.Set(name, unquoted(value))
	}
	return number - 1, Answer{Operation: whole.Operation, Status: status, Header: header, Body: fields.Body}
}

// unquoted is a number or a word, which Graph gives with quotes or without.
func unquoted(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }

// partRefusal is a part that is not a success. A part without a status is not
// documented, and proves nothing.
func partRefusal(got Answer) *directory.Error {
	if got.Status == 0 {
		return got.Distrust(ErrShape)
	}
	return got.Refusal()
}

// silence is a request that the answer to the whole $batch says nothing about.
func silence(whole Answer, err error) *directory.Error {
	e := whole.Distrust(err)
	e.StatusCode = 0
	return e
}
