package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A change is what an update is to do, decided before anything is done.
type change struct {
	// Running is the version that the stack says, "" for none.
	Running, Brings string
	Sections        []bundle.Section
	// Values are the parameters to deploy with: those of the stack. Moved are values that are
	// now under another name, and Gone those that the template has no place for.
	Values      []setup.Value
	Moved, Gone []setup.Value
	// Trusts are functions that are new, and sign in by a trust that only setup writes.
	Trusts []string
}

// planUpdate decides how a stack comes to another version.
func planUpdate(running, brings, changelog, template string, parameters map[string]string) change {
	c := change{Running: running, Brings: brings}
	if !c.same() {
		c.Sections = bundle.Since(changelog, running)
	}
	known := parameterNames(template)
	for _, name := range known {
		if value, has := parameters[name]; has {
			c.Values = append(c.Values, setup.Value{Name: name, Value: value, From: setup.FromStack})
		}
	}
	for to, from := range setup.Renamed {
		c.move(known, parameters, to, from...)
	}
	for name, value := range parameters {
		moved := slices.ContainsFunc(c.Moved, func(v setup.Value) bool { return v.Old == name })
		if value != "" && !moved && !slices.Contains(known, name) {
			c.Gone = append(c.Gone, setup.Value{Name: name, Value: value})
		}
	}
	if _, has := parameters["SignalMode"]; !has && slices.Contains(known, "SignalMode") && parameters["AuthMode"] == string(directory.AuthWebIdentity) {
		c.Trusts = []string{"resolver"}
	}
	slices.SortFunc(c.Gone, func(a, b setup.Value) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// move gives a parameter that is new the value of the first one before it that has any.
func (c *change) move(known []string, parameters map[string]string, to string, from ...string) {
	if _, has := parameters[to]; has || !slices.Contains(known, to) {
		return
	}
	for _, old := range from {
		if value := parameters[old]; value != "" {
			c.Moved = append(c.Moved, setup.Value{Name: to, Value: value, From: setup.FromStack, Old: old})
			c.Values = append(c.Values, setup.Value{Name: to, Value: value, From: setup.FromStack})
			return
		}
	}
}

// same tells that the stack runs what the command brings.
func (c change) same() bool { return c.Running == c.Brings }

// back tells that the stack runs something newer than the command knows.
func (c change) back() bool { return bundle.Behind(c.Brings, c.Running) }

var parameterName = regexp.MustCompile(`(?m)^  ([A-Za-z0-9]+):`)

// parameterNames reads the names of the parameters from our template, in its order.
func parameterNames(template string) (names []string) {
	_, section, _ := strings.Cut("\n"+strings.ReplaceAll(template, "\r\n", "\n"), "\nParameters:\n")
	if end := regexp.MustCompile(`(?m)^[A-Za-z]`).FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	for _, match := range parameterName.FindAllStringSubmatch(section, -1) {
		names = append(names, match[1])
	}
	return names
}

// unfold returns the lines of a section with each item on one line, as it is written in
// CHANGELOG.md over several.
func unfold(section bundle.Section) (lines []string) {
	for text := range strings.SplitSeq(section.Text, "\n") {
		if rest, goesOn := strings.CutPrefix(text, "  "); goesOn && len(lines) > 0 {
			lines[len(lines)-1] += " " + rest
			continue
		}
		if title, is := strings.CutPrefix(text, "### "); is {
			text = title + ":"
		}
		lines = append(lines, strings.ReplaceAll(text, "`", ""))
	}
	return slices.DeleteFunc(lines, func(text string) bool { return text == "" })
}
