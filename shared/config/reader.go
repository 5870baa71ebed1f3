package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A reader reads variables and gathers the faults of all.
type reader struct {
	lookup Lookup
	faults Faults
}

func (r *reader) fault(name, format string, args ...any) {
	r.faults = append(r.faults, Fault{Variable: name, Meaning: meanings[name], Problem: fmt.Sprintf(format, args...)})
}

// err returns the faults, nil if there are none.
func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return r.faults
}

// optional returns a value, "" if it is not set.
func (r *reader) optional(name string) string {
	value, _ := r.lookup(name)
	return strings.TrimSpace(value)
}

// text returns a value that must be set. It tells whether it is.
func (r *reader) text(name string) (string, bool) {
	value := r.optional(name)
	if value == "" {
		r.fault(name, "is missing")
	}
	return value, value != ""
}

func (r *reader) required(name string) string {
	value, _ := r.text(name)
	return value
}

// guid returns a lower-case GUID.
func (r *reader) guid(name string) string {
	value, ok := r.text(name)
	id := strings.ToLower(value)
	if ok && !directory.IsID(id) {
		r.fault(name, "is not a GUID such as 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
	}
	return id
}

// arn returns the ARN of a secret.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (r *reader) arn(name string) string {
	value, ok := r.text(name)
	parts := strings.Split(value, ":")
	if ok && (len(parts) < 7 || parts[0] != "arn" || parts[2] != "secretsmanager") {
		r.fault(name, "is not the ARN of a secret, arn:aws:secretsmanager:…:secret:…")
	}
	return value
}

// address returns a URL with one of the schemes.
func (r *reader) address(name string, schemes ...string) string {
	value, ok := r.text(name)
	u, err := url.Parse(value)
	if ok && (err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme)) {
		r.fault(name, "is not an address that begins with %s://", schemes[0])
	}
	return value
}

// number returns an integer from low to high.
func (r *reader) number(name string, low, high int) int {
	value, ok := r.text(name)
	n, err := strconv.Atoi(value)
	if ok && (err != nil || n < low || n > high) {
		r.fault(name, "is not a whole number from %d to %d", low, high)
	}
	return n
}

// truth returns a value that is "true" or "false".
func (r *reader) truth(name string) bool {
	value, ok := r.text(name)
	if ok && value != "true" && value != "false" {
		r.fault(name, "is neither true nor false")
	}
	return value == "true"
}

// choice returns one of the words.
func (r *reader) choice(name string, words []string) string {
	value, ok := r.text(name)
	if ok && !slices.Contains(words, value) {
		r.fault(name, "is not one of %s", strings.Join(words, ", "))
	}
	return value
}
