package templatetest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Made is what references to a resource lead to once it is there.
type Made struct {
	// Ref is what Ref gives.
	Ref string
	// Attributes are what GetAtt gives, by name.
	Attributes map[string]string
}

// noValue is AWS::NoValue: whatever has it is left out.
type noValue struct{}

// resolve replaces every intrinsic function within v.
func (s *Stack) resolve(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			return s.call(name, argument)
		}
		return s.resolveMap(v)
	case []any:
		return s.resolveList(v)
	default:
		return v, nil
	}
}

func (s *Stack) resolveMap(m map[string]any) (any, error) {
	resolved := make(map[string]any, len(m))
	for key, v := range m {
		r, err := s.resolve(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if _, left := r.(noValue); !left {
			resolved[key] = r
		}
	}
	return resolved, nil
}

func (s *Stack) resolveList(list []any) (any, error) {
	resolved := make([]any, 0, len(list))
	for _, v := range list {
		r, err := s.resolve(v)
		if err != nil {
			return nil, err
		}
		if _, left := r.(noValue); !left {
			resolved = append(resolved, r)
		}
	}
	return resolved, nil
}

// intrinsic tells whether a map is a call of an intrinsic function.
func intrinsic(m map[string]any) (name string, argument any, ok bool) {
	if len(m) != 1 {
		return "", nil, false
	}
	for name, argument := range m {
		// A map with the one key Condition is a call within Conditions, and a
		// policy's condition within a policy; only the first is a name.
		_, named := argument.(string)
		if name == "Ref" || strings.HasPrefix(name, "Fn::") || name == "Condition" && named {
			return name, argument, true
		}
	}
	return "", nil, false
}

// call calls an intrinsic function.
func (s *Stack) call(name string, argument any) (any, error) {
	functions := map[string]func(any) (any, error){
		"Ref":        s.ref,
		"Condition":  s.condition,
		"Fn::GetAtt": s.getAtt,
		"Fn::Sub":    s.sub,
		"Fn::Join":   s.join,
		"Fn::Split":  s.split,
		"Fn::Select": s.choose,
		"Fn::If":     s.either,
		"Fn::Equals": s.equals,
		"Fn::Not":    s.not,
		"Fn::And":    s.and,

		"Fn::FindInMap": s.findInMap,
	}
	f := functions[name]
	if f == nil {
		return nil, fmt.Errorf("intrinsic function %s is not known here", name)
	}
	v, err := f(argument)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func (s *Stack) ref(argument any) (any, error) {
	name, err := asString(argument)
	if err != nil {
		return nil, err
	}
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	return s.named(name)
}

// named is the value of a parameter, a pseudo parameter or a resource.
func (s *Stack) named(name string) (string, error) {
	if v, ok := s.values[name]; ok {
		return v, nil
	}
	made, err := s.make(name)
	return made.Ref, err
}

func (s *Stack) getAtt(argument any) (any, error) {
	parts, err := s.strings(argument)
	if err != nil {
		return nil, err
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("want a resource and an attribute, not %q", parts)
	}
	return s.attribute(parts[0], parts[1])
}

func (s *Stack) attribute(id, attribute string) (string, error) {
	made, err := s.make(id)
	if err != nil {
		return "", err
	}
	v, ok := made.Attributes[attribute]
	if !ok {
		return "", fmt.Errorf("%s has no attribute %s here", id, attribute)
	}
	return v, nil
}

// placeholder is ${Name}, ${Name.Attribute} or ${!literal}.
var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

func (s *Stack) sub(argument any) (any, error) {
	text, err := asString(argument)
	if err != nil {
		return nil, fmt.Errorf("only the form with one string is known here: %w", err)
	}
	var faults []error
	replaced := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var v string
		if id, attribute, dotted := strings.Cut(name, "."); dotted {
			v, err = s.attribute(id, attribute)
		} else {
			v, err = s.named(name)
		}
		faults = append(faults, err)
		return v
	})
	return replaced, errors.Join(faults...)
}

func (s *Stack) join(argument any) (any, error) {
	list, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	separator, err := asString(list[0])
	if err != nil {
		return nil, err
	}
	parts, err := asStrings(list[1])
	return strings.Join(parts, separator), err
}

func (s *Stack) split(argument any) (any, error) {
	list, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	both, err := asStrings(list)
	if err != nil {
		return nil, err
	}
	var parts []any
	for part := range strings.SplitSeq(both[1], both[0]) {
		parts = append(parts, part)
	}
	return parts, nil
}

func (s *Stack) choose(argument any) (any, error) {
	list, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	i, err := asInt(list[0])
	if err != nil {
		return nil, err
	}
	from, ok := list[1].([]any)
	if !ok || i < 0 || i >= len(from) {
		return nil, fmt.Errorf("there is no element %d in %v", i, list[1])
	}
	return from[i], nil
}

func (s *Stack) either(argument any) (any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 3 {
		return nil, fmt.Errorf("want a condition and two values")
	}
	holds, err := s.condition(list[0])
	if err != nil {
		return nil, err
	}
	if holds == true {
		return s.resolve(list[1])
	}
	return s.resolve(list[2])
}

func (s *Stack) equals(argument any) (any, error) {
	list, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	return fmt.Sprint(list[0]) == fmt.Sprint(list[1]), nil
}

func (s *Stack) not(argument any) (any, error) {
	list, err := s.arguments(argument, 1)
	if err != nil {
		return nil, err
	}
	holds, ok := list[0].(bool)
	if !ok {
		return nil, fmt.Errorf("want a condition, not %v", list[0])
	}
	return !holds, nil
}

func (s *Stack) and(argument any) (any, error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, err
	}
	list, _ := resolved.([]any)
	if len(list) < 2 || len(list) > 10 {
		return nil, fmt.Errorf("want 2 to 10 conditions, not %v", argument)
	}
	all := true
	for _, one := range list {
		holds, ok := one.(bool)
		if !ok {
			return nil, fmt.Errorf("want a condition, not %v", one)
		}
		all = all && holds
	}
	return all, nil
}

// findInMap looks a value up in a mapping of the template, by its two keys.
func (s *Stack) findInMap(argument any) (any, error) {
	keys, err := s.strings(argument)
	if err != nil {
		return nil, err
	}
	if len(keys) != 3 {
		return nil, fmt.Errorf("want a mapping and two keys, not %q", keys)
	}
	var found any = s.template.mappings
	for _, key := range keys {
		level, err := asMap(found)
		if err != nil {
			return nil, err
		}
		if found = level[key]; found == nil {
			return nil, fmt.Errorf("%q leads nowhere", keys)
		}
	}
	return found, nil
}

// condition tells whether a condition of the template holds.
func (s *Stack) condition(argument any) (any, error) {
	name, err := asString(argument)
	if err != nil {
		return nil, err
	}
	c, ok := s.template.conditions[name]
	if !ok {
		return nil, fmt.Errorf("there is no condition %s", name)
	}
	holds, err := s.resolve(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if _, ok := holds.(bool); !ok {
		return nil, fmt.Errorf("%s is no condition", name)
	}
	return holds, nil
}

// arguments are n resolved arguments.
func (s *Stack) arguments(argument any, n int) ([]any, error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok || len(list) != n {
		return nil, fmt.Errorf("want %d arguments, not %v", n, argument)
	}
	return list, nil
}

func (s *Stack) strings(argument any) ([]string, error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, err
	}
	return asStrings(resolved)
}
