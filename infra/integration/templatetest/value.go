package templatetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

func asMap(v any) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want a map, not %v", v)
	}
	return m, nil
}

// asString takes scalars, which CloudFormation turns into strings where it wants
// one.
func asString(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int, bool, float64:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("want a string, not %v", v)
}

// asStrings takes a list, or one string for a list of one.
func asStrings(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	parts := make([]string, len(list))
	for i, item := range list {
		var err error
		if parts[i], err = asString(item); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func asInt(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case string:
		return strconv.Atoi(v)
	}
	return 0, fmt.Errorf("want a whole number, not %v", v)
}

// fields reads properties by name and, in the end, refuses those that nobody has
// read.
type fields struct {
	from   map[string]any
	read   map[string]bool
	faults []error
}

func fieldsOf(v any) (*fields, error) {
	m, err := asMap(v)
	return &fields{from: m, read: make(map[string]bool)}, err
}

// take returns a property, nil if there is none.
func (f *fields) take(name string) any {
	f.read[name] = true
	return f.from[name]
}

// ignore names properties that say nothing about how a program runs.
func (f *fields) ignore(names ...string) {
	for _, name := range names {
		f.read[name] = true
	}
}

func (f *fields) string(name string) string {
	if _, ok := f.from[name]; !ok {
		f.faults = append(f.faults, fmt.Errorf("%s is missing", name))
		return ""
	}
	s, err := asString(f.take(name))
	f.check(name, err)
	return s
}

func (f *fields) int(name string) int {
	i, err := asInt(f.take(name))
	f.check(name, err)
	return i
}

// intOr is a property that need not be there.
func (f *fields) intOr(name string, otherwise int) int {
	if _, ok := f.from[name]; !ok {
		return otherwise
	}
	return f.int(name)
}

// strings is a list, nil if the property is not there.
func (f *fields) strings(name string) []string {
	if _, ok := f.from[name]; !ok {
		return nil
	}
	list, err := asStrings(f.take(name))
	f.check(name, err)
	return list
}

// within reads the map at a property, if there is one.
func (f *fields) within(name string, read func(*fields)) {
	if _, ok := f.from[name]; !ok {
		return
	}
	inner, err := fieldsOf(f.take(name))
	if err == nil {
		read(inner)
		err = inner.done()
	}
	f.check(name, err)
}

// expect demands a value that nothing here could do without.
func (f *fields) expect(name, want string) {
	if got := f.string(name); got != want {
		f.check(name, fmt.Errorf("is %q, want %q", got, want))
	}
}

func (f *fields) check(name string, err error) {
	if err != nil {
		f.faults = append(f.faults, fmt.Errorf("%s: %w", name, err))
	}
}

// done reports every fault, and every property that was not read.
func (f *fields) done() error {
	for _, name := range slices.Sorted(maps.Keys(f.from)) {
		if !f.read[name] {
			f.faults = append(f.faults, fmt.Errorf("property %s is not known here", name))
		}
	}
	return errors.Join(f.faults...)
}
