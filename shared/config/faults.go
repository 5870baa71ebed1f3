// Package config reads what an administrator has chosen for a deployment from
// the environment variables of its functions, which the template sets.
//
// All faults are told at once, each by the name of the variable and by what it
// means. What was set instead is not told, since it may be a secret that somebody
// put in the wrong place.
package config

import (
	"fmt"
	"strings"
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

// A Fault is what is wrong with one variable.
type Fault struct {
	// Variable is its name, and Meaning what it stands for in an administrator's
	// words.
	Variable, Meaning string
	// Problem says what is wrong and what is wanted: "is missing".
	Problem string
}

// Error is one sentence without its full stop.
func (f Fault) Error() string { return fmt.Sprintf("%s (%s) %s", f.Variable, f.Meaning, f.Problem) }

// Faults are all that is wrong with a configuration.
type Faults []Fault

// Error is one line.
func (f Faults) Error() string {
	return "the configuration has faults: " + strings.Join(f.List(), "; ") +
		". Correct the parameters of the stack and deploy again"
}

// List returns the text of each fault.
func (f Faults) List() []string {
	texts := make([]string, len(f))
	for i, fault := range f {
		texts[i] = fault.Error()
	}
	return texts
}
