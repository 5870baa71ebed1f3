package answer

import (
	"encoding/json"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// MaxRetryAfter caps what a service may ask us to wait. Graph's windows are
// minutes; more is a mistake, and a queue cannot hold a message for ever.
const MaxRetryAfter = time.Hour

// maxMessage is how long a text of Graph's may be, in bytes. Those that are known
// have some two hundred; a longer one is not cut, but left out, because half a
// clientState could not be recognized in it.
const maxMessage = 2000

// redacted stands in Graph's texts where they repeat the clientState.
const redacted = "[clientState]"

// Refusal returns the error of an answer that is not a success, with the code that
// Graph's [error] names and the wait that it asks for. It has no Message: see
// [Answer.Message].
//
// [error]: https://learn.microsoft.com/graph/errors
func (a Answer) Refusal() *directory.Error {
	e := a.Distrust(nil)
	e.Code = a.fault().deepestCode()
	e.RetryAfter = retryAfter(a.Header, time.Now())
	e.NotDone = refused(a.Status)
	if a.Status == http.StatusForbidden && unlicensed.MatchString(e.Code+" "+a.Message()) {
		e.Err = directory.ErrNoLicence
	}
	return e
}

// unlicensed is how Graph says that a tenant lacks a licence. The sign-in log has a code of
// its own, Authentication_RequestFromNonPremiumTenantOrB2CTenant; Identity Protection and
// Conditional Access say so in words alone.
var unlicensed = regexp.MustCompile(`(?i)nonpremium|not licensed|premium licen[cs]e|licen[cs]e (?:is )?required`)

// Message returns Graph's own text about a refusal, in one line, or "" if there is
// none or it is suspiciously long. It may name whom the call was about.
func (a Answer) Message() string { return a.fault().firstMessage() }

// refused tells whether a status says that the request was not carried out. A 409
// does not: Directory_ConcurrencyViolation is found while writing.
// See https://learn.microsoft.com/graph/errors.
func refused(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusLengthRequired,
		http.StatusFailedDependency, http.StatusTooManyRequests:
		return true
	}
	return false
}

// fault is Graph's [error resource]. encoding/json matches names without
// regard to case, and so reads both innererror, which is documented, and
// innerError, which is sent.
//
// [error resource]: https://learn.microsoft.com/graph/errors
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Inner   *fault `json:"innererror"`
}

// fault reads the error in the body. Graph's gateways also answer HTML. Whatever
// can be read is read.
func (a Answer) fault() *fault {
	var body struct {
		Error fault `json:"error"`
	}
	_ = json.Unmarshal(a.Body, &body)
	return &body.Error
}

// firstMessage is the outermost text there is, in one line.
func (f *fault) firstMessage() string {
	for ; f != nil; f = f.Inner {
		switch text := OneLine(f.Message); {
		case len(text) > maxMessage:
			return ""
		case text != "":
			return text
		}
	}
	return ""
}

// deepestCode is the most specific code: that of the innermost error which has
// one. A code that only repeats the status in digits says nothing.
func (f *fault) deepestCode() (code string) {
	for ; f != nil; f = f.Inner {
		if c := Plain(f.Code); strings.Trim(c, "0123456789") != "" {
			code = c
		}
	}
	return code
}

// OneLine returns a text without what would disturb a terminal or a log.
func OneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}

// Redact takes the clientState out of a [Answer.Message] that repeats it. The
// clientState is not blank.
func Redact(message, clientState string) string {
	return strings.ReplaceAll(message, OneLine(clientState), redacted)
}

// Plain returns s if it is a code or an id, and "" if it is anything else, such
// as a text that names a user.
func Plain(s string) string {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	if len(s) > 128 || strings.Trim(s, allowed) != "" {
		return ""
	}
	return s
}

// retryAfter reads [Retry-After], in seconds, rounded up, or as a date. Graph's services
// also send fractions, some with a comma.
//
// [Retry-After]: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(strings.Replace(value, ",", ".", 1), 64); err == nil {
		wait = time.Duration(math.Ceil(min(max(seconds, 0), MaxRetryAfter.Seconds()))) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), MaxRetryAfter)
}
