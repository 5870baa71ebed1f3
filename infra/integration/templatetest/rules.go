package templatetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ruleFunctions are the functions of conditions that CloudFormation knows in a rule
// and that are known here too
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html).
var ruleFunctions = []string{"Ref", "Fn::And", "Fn::Equals", "Fn::Not"}

// checkRules tells what the [rules] of the template have against the parameters, in
// the words of the rules.
//
// [rules]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func (s *Stack) checkRules() error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(s.template.rules)) {
		if err := s.checkRule(s.template.rules[name]); err != nil {
			faults = append(faults, fmt.Errorf("rule %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Stack) checkRule(rule any) error {
	f, err := fieldsOf(rule)
	if err != nil {
		return err
	}
	applies := true
	if condition := f.take("RuleCondition"); condition != nil {
		applies = s.holds(f, "RuleCondition", condition)
	}
	assertions, ok := f.take("Assertions").([]any)
	if !ok {
		f.check("Assertions", errors.New("want a list"))
	}
	for _, assertion := range assertions {
		a, err := fieldsOf(assertion)
		if err != nil {
			return err
		}
		description := a.string("AssertDescription")
		if !s.holds(a, "Assert", a.take("Assert")) && applies {
			a.faults = append(a.faults, errors.New(description))
		}
		f.check("Assertions", a.done())
	}
	return f.done()
}

// holds tells whether the condition at a property of a rule holds.
func (s *Stack) holds(f *fields, name string, condition any) bool {
	f.check(name, onlyRuleFunctions(condition))
	resolved, err := s.resolve(condition)
	f.check(name, err)
	holds, ok := resolved.(bool)
	if !ok && err == nil {
		f.check(name, fmt.Errorf("want a condition, not %v", resolved))
	}
	return holds
}

// onlyRuleFunctions refuses what CloudFormation does not know in a rule, such as the
// conditions of the template.
func onlyRuleFunctions(v any) error {
	var parts []any
	switch v := v.(type) {
	case []any:
		parts = v
	case map[string]any:
		for name, argument := range v {
			if !slices.Contains(ruleFunctions, name) {
				return fmt.Errorf("%s is not known in a rule", name)
			}
			parts = append(parts, argument)
		}
	}
	var faults []error
	for _, part := range parts {
		faults = append(faults, onlyRuleFunctions(part))
	}
	return errors.Join(faults...)
}
