package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A Lookup returns the value of an environment variable, and whether it is set.
type Lookup func(name string) (value string, ok bool)

// Environ makes a Lookup of variables in the form "NAME=value", which [os.Environ]
// returns. Of a name that comes twice the last one counts.
func Environ(variables []string) Lookup {
	values := make(map[string]string, len(variables))
	for _, v := range variables {
		if name, value, ok := strings.Cut(v, "="); ok {
			values[name] = value
		}
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// Faults are all that is wrong with a configuration, each a sentence without its full
// stop: the variable, what it means, what is wrong, and what is wanted.
type Faults []string

// Error is one line.
func (f Faults) Error() string {
	return "the configuration has faults: " + strings.Join(f, "; ") +
		". Correct the parameters of the stack and deploy again"
}

// A reader reads settings and gathers the faults of all.
type reader struct {
	lookup Lookup
	faults Faults
	// bytes is how much of the environment the settings take that were read, and longest
	// the longest list of them.
	bytes   int
	longest list
}

func (r *reader) fault(s setting, format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf("%s (%s) %s", s.name, s.meaning, fmt.Sprintf(format, args...)))
}

// err returns the faults, nil if there are none.
func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return r.faults
}

// optional returns a value, "" if it is not set.
func (r *reader) optional(s setting) string {
	value, _ := r.lookup(s.name)
	r.bytes += len(s.name) + len(value)
	return strings.TrimSpace(value)
}

// value returns a value that must be set, and tells of a problem where it is not good.
func (r *reader) value(s setting, problem string, good func(string) bool) string {
	value := r.optional(s)
	switch {
	case value == "":
		r.fault(s, "is missing")
	case !good(value):
		r.fault(s, "%s", problem)
	}
	return value
}

func (r *reader) required(s setting) string {
	return r.value(s, "", func(string) bool { return true })
}

const noGUID = "is not a GUID such as 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

func isGUID(value string) bool { return directory.IsID(strings.ToLower(value)) }

// guid returns a lower-case GUID.
func (r *reader) guid(s setting) string { return strings.ToLower(r.value(s, noGUID, isGUID)) }

// checkGUID checks a GUID that may be left out.
func (r *reader) checkGUID(s setting) {
	if value := r.optional(s); value != "" && !isGUID(value) {
		r.fault(s, noGUID)
	}
}

// arn returns the ARN of a secret.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (r *reader) arn(s setting) string {
	return r.value(s, "is not the ARN of a secret, arn:aws:secretsmanager:…:secret:…", func(value string) bool {
		return strings.HasPrefix(value, "arn:") && strings.Contains(value, ":secretsmanager:")
	})
}

// address returns a URL that begins in one of the ways.
func (r *reader) address(s setting, begins ...string) string {
	return r.value(s, "is not an address that begins with "+begins[0], func(value string) bool {
		return slices.ContainsFunc(begins, func(scheme string) bool { return strings.HasPrefix(value, scheme) })
	})
}

// number returns an integer from low to high.
func (r *reader) number(s setting, low, high int) int {
	n := 0
	r.value(s, fmt.Sprintf("is not a whole number from %d to %d", low, high), func(value string) bool {
		var err error
		n, err = strconv.Atoi(value)
		return err == nil && low <= n && n <= high
	})
	return n
}

// choice returns one of the words.
func (r *reader) choice(s setting, words ...string) string {
	return r.value(s, "is not one of "+strings.Join(words, ", "), func(value string) bool {
		return slices.Contains(words, value)
	})
}
