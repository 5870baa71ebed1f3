package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// stackName is that of all stacks.
const stackName = "sessionstamp"

// A call is an intrinsic function of CloudFormation with its argument: !Ref, !Sub.
type call struct {
	name     string
	argument any
}

// object is a mapping of the template.
type object = map[string]any

// A template is what the file says, nothing resolved yet.
type template struct {
	object
	asked []string // parameters in the order of the file
}

// readTemplate reads template.yaml.
func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// parseTemplate reads a template, be it written by a person or by SAM.
func parseTemplate(text []byte) (template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) == 0 {
		return template{}, fmt.Errorf("the template is no YAML: %w", err)
	}
	whole := document.Content[0]
	read := template{object: value(whole).(object)}
	for i := 0; i < len(whole.Content); i += 2 {
		if whole.Content[i].Value == "Parameters" {
			for j := 0; j < len(whole.Content[i+1].Content); j += 2 {
				read.asked = append(read.asked, whole.Content[i+1].Content[j].Value)
			}
		}
	}
	return read, nil
}

// value turns YAML into maps, lists, scalars and calls.
func value(n *yaml.Node) any {
	var plain any
	switch n.Kind {
	case yaml.MappingNode:
		m := make(object)
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = value(n.Content[i+1])
		}
		plain = long(m)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, value(item))
		}
		plain = list
	default:
		plain = n.Value
		var scalar any
		if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
			if n.Decode(&scalar) == nil {
				plain = scalar
			}
		}
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return call{n.Tag, plain}
	}
	return plain
}

// long turns the long form of a call, which SAM writes, into the short one.
func long(m object) any {
	for name, argument := range m {
		_, text := argument.(string)
		short, function := strings.CutPrefix(name, "Fn::")
		if len(m) > 1 || !function && name != "Ref" && (name != "Condition" || !text) {
			continue
		}
		if short == "GetAtt" {
			argument = strings.Join(texts(argument), ".")
		}
		return call{"!" + short, argument}
	}
	return m
}

// section is a part of the template.
func (t template) section(name string) object { return t.object[name].(object) }

// parameter is what the template says of a parameter.
func (t template) parameter(name string) object { return t.section("Parameters")[name].(object) }

// A stack is the template with parameters. What moto has made is told by made.
type stack struct {
	template
	given map[string]string
	made  map[string]string // Ref of what is made, by logical id
}

// newStack checks parameters as CloudFormation does and adds the defaults.
func newStack(t template, given map[string]string) (*stack, error) {
	s := &stack{template: t, given: maps.Clone(given), made: map[string]string{"Api": "a1b2c3d4e5"}}
	for _, name := range t.asked {
		p := t.parameter(name)
		v, ok := given[name]
		if !ok {
			if p["Default"] == nil {
				return nil, fmt.Errorf("%s is missing", name)
			}
			v = fmt.Sprint(p["Default"])
			s.given[name] = v
		}
		if err := allowed(p, v); err != nil {
			return nil, fmt.Errorf("%s=%q: %w", name, v, err)
		}
	}
	return s, s.checkRules()
}

// checkRules is what CloudFormation says of parameters that don't go together.
func (s *stack) checkRules() error {
	rules, _ := s.object["Rules"].(object)
	for _, r := range rules {
		rule := r.(object)
		for _, a := range rule["Assertions"].([]any) {
			if s.resolve(rule["RuleCondition"]).(bool) && !s.resolve(a.(object)["Assert"]).(bool) {
				return fmt.Errorf("%v", a.(object)["AssertDescription"])
			}
		}
	}
	return nil
}

// allowed tells whether a parameter takes a value. The error is what a person reads.
func allowed(p object, v string) error {
	sentence := fmt.Errorf("%v", p["ConstraintDescription"])
	if pattern, ok := p["AllowedPattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
		return sentence
	}
	if most, ok := p["MaxLength"].(int); ok && len(v) > most {
		return sentence
	}
	if values, ok := p["AllowedValues"].([]any); ok && !slices.Contains(values, any(v)) {
		return fmt.Errorf("not among %v", values)
	}
	return nil
}

// condition is a condition by its name.
func (s *stack) condition(name string) bool {
	return s.resolve(s.section("Conditions")[name]).(bool)
}

// resources are the logical ids of a type, in order, whose condition holds.
func (s *stack) resources(kind string) (ids []string) {
	for id, r := range s.section("Resources") {
		c, conditional := r.(object)["Condition"].(string)
		if r.(object)["Type"] == kind && (!conditional || s.condition(c)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// resource is an entry of Resources, unresolved.
func (s *stack) resource(id string) object { return s.section("Resources")[id].(object) }

// properties are those of a resource, resolved.
func (s *stack) properties(id string) object {
	return s.resolve(s.resource(id)["Properties"]).(object)
}

// environment is that of a function.
func (s *stack) environment(id string) map[string]string {
	globals := s.resolve(s.section("Globals")["Function"].(object)["Environment"].(object)["Variables"]).(object)
	own := s.properties(id)["Environment"].(object)["Variables"].(object)
	all := make(map[string]string)
	for _, variables := range []object{globals, own} {
		for name, v := range variables {
			all[name] = fmt.Sprint(v)
		}
	}
	return all
}

// output is one of the stack's.
func (s *stack) output(name string) string {
	return s.resolve(s.section("Outputs")[name].(object)["Value"]).(string)
}

// statements are what policies allow to a role, those of other resources included.
func (s *stack) statements(role string) (all []object) {
	documents := []any{}
	for _, policy := range s.properties(role)["Policies"].([]any) {
		documents = append(documents, policy.(object)["PolicyDocument"])
	}
	for _, id := range s.resources("AWS::IAM::Policy") {
		if p := s.properties(id); slices.Contains(p["Roles"].([]any), any(s.ref(role))) {
			documents = append(documents, p["PolicyDocument"])
		}
	}
	for _, document := range documents {
		for _, statement := range document.(object)["Statement"].([]any) {
			all = append(all, statement.(object))
		}
	}
	return all
}

// seconds is a property that counts them.
func seconds(v any) time.Duration { return time.Duration(v.(int) * int(time.Second)) }

// texts is a list of strings, or one.
func texts(v any) (all []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		all = append(all, fmt.Sprint(item))
	}
	return all
}
