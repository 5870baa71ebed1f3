package templatetest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// Place is where and as what a template is deployed.
type Place struct {
	Account, Region, StackName string
}

// A Maker creates resources that tests need to be real, such as queues. For a type
// that it leaves to the stack it returns false.
type Maker interface {
	Make(kind, logicalID string, properties map[string]any) (Made, bool, error)
}

// A Stack is a template with parameters, deployed.
type Stack struct {
	template *Template
	place    Place
	maker    Maker
	values   map[string]string // parameters and pseudo parameters
	made     map[string]Made
	making   map[string]bool // resources under way, to find circles
}

// Deploy checks the parameters as CloudFormation does and makes every resource,
// each before those that refer to it. Every fault is reported.
func Deploy(t *Template, p Place, parameters map[string]string, maker Maker) (*Stack, error) {
	s := &Stack{template: t, place: p, maker: maker, made: make(map[string]Made), making: make(map[string]bool),
		values: map[string]string{
			"AWS::AccountId": p.Account, "AWS::Region": p.Region, "AWS::StackName": p.StackName,
			"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::StackId": p.arn("cloudformation", "stack/"+p.StackName+"/1"),
		}}
	faults := []error{s.take(parameters), s.checkRules()}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		faults = append(faults, s.deploy(id))
	}
	_, err := s.Outputs()
	return s, errors.Join(append(faults, err)...)
}

// deploy makes a resource, unless its condition keeps it out.
func (s *Stack) deploy(id string) error {
	r := s.template.resources[id]
	if r.condition != "" {
		holds, err := s.condition(r.condition)
		if err != nil || holds == false {
			return err
		}
	}
	for _, other := range r.dependsOn {
		if !s.exists(other) {
			return fmt.Errorf("%s: DependsOn: there is no resource %s", id, other)
		}
	}
	_, err := s.make(id)
	return err
}

func (p Place) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + p.Region + ":" + p.Account + ":" + resource
}

// take checks the parameters and keeps them, with defaults for those not given.
func (s *Stack) take(given map[string]string) error {
	var faults []error
	for name := range given {
		if _, ok := s.template.parameters[name]; !ok {
			faults = append(faults, fmt.Errorf("parameter %s: the template has none of that name", name))
		}
	}
	for name, rules := range s.template.parameters {
		f, err := fieldsOf(rules)
		if err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
		v, ok := given[name]
		if !ok {
			v = f.string("Default")
		}
		f.ignore("Default", "Description", "ConstraintDescription", "NoEcho")
		f.checkParameter(v)
		if err := f.done(); err != nil {
			faults = append(faults, fmt.Errorf("parameter %s: %w", name, err))
		}
		s.values[name] = v
	}
	return errors.Join(faults...)
}

// checkParameter checks a value against the rules of its parameter.
func (f *fields) checkParameter(v string) {
	if pattern, ok := f.take("AllowedPattern").(string); ok {
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		f.check("AllowedPattern", err)
		if err == nil && !re.MatchString(v) {
			f.check("AllowedPattern", fmt.Errorf("%q does not match %s", v, pattern))
		}
	}
	if allowed := f.strings("AllowedValues"); allowed != nil && !slices.Contains(allowed, v) {
		f.check("AllowedValues", fmt.Errorf("%q is none of %q", v, allowed))
	}
	if f.string("Type") != "Number" {
		return
	}
	n, err := strconv.Atoi(v)
	f.check("Type", err)
	if n < f.intOr("MinValue", n) || n > f.intOr("MaxValue", n) {
		f.check("MinValue, MaxValue", fmt.Errorf("%d is out of range", n))
	}
}

// make returns the resource, which it makes if nobody has referred to it yet.
func (s *Stack) make(id string) (Made, error) {
	if made, ok := s.made[id]; ok {
		return made, nil
	}
	r, ok := s.template.resources[id]
	if !ok {
		return Made{}, fmt.Errorf("there is no parameter or resource %s", id)
	}
	if s.making[id] {
		return Made{}, fmt.Errorf("%s refers to itself by way of others", id)
	}
	s.making[id] = true
	defer delete(s.making, id)
	properties, err := s.properties(id)
	if err != nil {
		return Made{}, err
	}
	made, ok, err := s.maker.Make(r.kind, id, properties)
	if err == nil && !ok {
		made, err = s.imagine(r.kind, id, properties)
	}
	if err != nil {
		return Made{}, fmt.Errorf("%s: %w", id, err)
	}
	s.made[id] = made
	return made, nil
}

// properties are those of a resource, resolved.
func (s *Stack) properties(id string) (map[string]any, error) {
	r := s.template.resources[id]
	properties := r.properties
	if r.kind == typeFunction {
		var err error
		if properties, err = s.withGlobals(properties); err != nil {
			return nil, err
		}
	}
	resolved, err := s.resolve(properties)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return asMap(resolved)
}

// withGlobals adds what Globals says of all functions. Maps are merged, and what
// a function says itself wins.
func (s *Stack) withGlobals(own map[string]any) (map[string]any, error) {
	for section := range s.template.globals {
		if section != "Function" {
			return nil, fmt.Errorf("globals: %s is not known here", section)
		}
	}
	if s.template.globals == nil {
		return own, nil
	}
	global, err := asMap(s.template.globals["Function"])
	if err != nil {
		return nil, fmt.Errorf("globals: %w", err)
	}
	return merge(global, own), nil
}

func merge(global, own map[string]any) map[string]any {
	merged := maps.Clone(global)
	for key, v := range own {
		inner, isMap := v.(map[string]any)
		outer, wasMap := merged[key].(map[string]any)
		if isMap && wasMap {
			v = merge(outer, inner)
		}
		merged[key] = v
	}
	return merged
}

// Outputs are the outputs of the stack by name, without those whose condition does
// not hold.
func (s *Stack) Outputs() (map[string]string, error) {
	values := make(map[string]string)
	var faults []error
	for name, output := range s.template.outputs {
		value, holds, err := s.output(output)
		if err != nil {
			faults = append(faults, fmt.Errorf("output %s: %w", name, err))
		} else if holds {
			values[name] = value
		}
	}
	return values, errors.Join(faults...)
}

func (s *Stack) output(output any) (value string, holds bool, err error) {
	f, err := fieldsOf(output)
	if err != nil {
		return "", false, err
	}
	f.ignore("Description")
	holds = true
	if name := f.take("Condition"); name != nil {
		met, err := s.condition(name)
		f.check("Condition", err)
		holds = met == true
	}
	v, err := s.resolve(f.take("Value"))
	f.check("Value", err)
	value, _ = v.(string)
	return value, holds, f.done()
}
