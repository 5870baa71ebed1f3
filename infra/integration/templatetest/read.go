// Package templatetest reads an AWS SAM template the way CloudFormation does,
// after the [SAM specification] and the [intrinsic functions]: parameters are
// checked, references resolved, functions get their environment, their role's
// policy and their event sources. So tests run what is deployed, and not a second
// description of it.
//
// It is strict. A reference that leads nowhere, an intrinsic function, an
// attribute or a property that it does not know is an error, since a test that
// ignores part of a template proves nothing about it.
//
// [SAM specification]: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
// [intrinsic functions]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
package templatetest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A Template is what the file says, nothing resolved yet.
type Template struct {
	parameters map[string]any
	asked      []string // their names as they stand in the file
	groups     []string // and as the console asks for them
	rules      map[string]any
	mappings   map[string]any
	conditions map[string]any
	globals    map[string]any
	resources  map[string]resource
	outputs    map[string]any
}

// resource is one entry of Resources.
type resource struct {
	kind       string // AWS::SQS::Queue
	condition  string
	dependsOn  []string
	properties map[string]any
}

// Read reads the template at a path.
func Read(path string) (*Template, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the test names its own template
	if err != nil {
		return nil, err
	}
	t, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads the text of a template.
func Parse(text []byte) (*Template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 {
		return nil, fmt.Errorf("a template is one YAML document, this has %d", len(document.Content))
	}
	whole, err := value(document.Content[0])
	if err != nil {
		return nil, err
	}
	sections, err := asMap(whole)
	if err != nil {
		return nil, err
	}
	t, err := assemble(sections)
	if err != nil {
		return nil, err
	}
	t.asked = keysOf(document.Content[0], "Parameters")
	return t, nil
}

// Parameters are the names of the parameters in the order of the file, in which SAM
// asks for them.
func (t *Template) Parameters() []string { return slices.Clone(t.asked) }

// Groups are the names of the parameters in the order in which CloudFormation's
// console asks for them (AWS::CloudFormation::Interface).
func (t *Template) Groups() []string { return slices.Clone(t.groups) }

// keysOf are the keys of a section in the order of the file.
func keysOf(document *yaml.Node, section string) []string {
	var keys []string
	for i := 0; i+1 < len(document.Content); i += 2 {
		if document.Content[i].Value != section {
			continue
		}
		for j := 0; j < len(document.Content[i+1].Content); j += 2 {
			keys = append(keys, document.Content[i+1].Content[j].Value)
		}
	}
	return keys
}

// readGroups reads the groups of parameters.
func (t *Template) readGroups(metadata any) error {
	sections, err := asMap(metadata)
	if err != nil {
		return err
	}
	console, _ := sections["AWS::CloudFormation::Interface"].(map[string]any)
	groups, _ := console["ParameterGroups"].([]any)
	for _, group := range groups {
		fields, err := asMap(group)
		if err != nil {
			return err
		}
		names, err := asStrings(fields["Parameters"])
		if err != nil {
			return err
		}
		t.groups = append(t.groups, names...)
	}
	return nil
}

func assemble(sections map[string]any) (*Template, error) {
	t := &Template{resources: make(map[string]resource)}
	for name, section := range sections {
		var err error
		switch name {
		case "AWSTemplateFormatVersion", "Transform", "Description":
		case "Metadata":
			err = t.readGroups(section)
		case "Parameters":
			t.parameters, err = asMap(section)
		case "Rules":
			t.rules, err = asMap(section)
		case "Mappings":
			t.mappings, err = asMap(section)
		case "Conditions":
			t.conditions, err = asMap(section)
		case "Globals":
			t.globals, err = asMap(section)
		case "Outputs":
			t.outputs, err = asMap(section)
		case "Resources":
			err = t.readResources(section)
		default:
			err = fmt.Errorf("no such section")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

func (t *Template) readResources(section any) error {
	entries, err := asMap(section)
	if err != nil {
		return err
	}
	for id, entry := range entries {
		fields, err := asMap(entry)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if t.resources[id], err = readResource(fields); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

func readResource(fields map[string]any) (resource, error) {
	r := resource{properties: map[string]any{}}
	for name, field := range fields {
		var err error
		switch name {
		case "Type":
			r.kind, err = asString(field)
		case "Condition":
			r.condition, err = asString(field)
		case "DependsOn":
			r.dependsOn, err = asStrings(field)
		case "Properties":
			r.properties, err = asMap(field)
		case "Metadata", "DeletionPolicy", "UpdateReplacePolicy":
		default:
			err = fmt.Errorf("no such attribute of a resource")
		}
		if err != nil {
			return resource{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	if r.kind == "" {
		return resource{}, fmt.Errorf("it has no Type")
	}
	return r, nil
}

// value turns a node into maps, lists, strings, ints, floats, bools and nil, with
// short intrinsic functions in their long form.
func value(n *yaml.Node) (any, error) {
	plain, err := untagged(n)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return plain, nil
	}
	return long(n.Tag[1:], plain)
}

// long is the long form of a short one: !GetAtt a.b is {"Fn::GetAtt": ["a", "b"]}.
func long(tag string, argument any) (any, error) {
	switch tag {
	case "Ref", "Condition":
		return map[string]any{tag: argument}, nil
	case "GetAtt":
		if dotted, ok := argument.(string); ok {
			id, attribute, _ := strings.Cut(dotted, ".")
			argument = []any{id, attribute}
		}
	}
	return map[string]any{"Fn::" + tag: argument}, nil
}

func untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return mapping(n)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		return scalar(n)
	default: // an alias: CloudFormation does not know any
		return nil, fmt.Errorf("neither a map, a list nor a scalar")
	}
}

func mapping(n *yaml.Node) (any, error) {
	m := make(map[string]any)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("%s stands there twice", key)
		}
		v, err := value(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}

func scalar(n *yaml.Node) (any, error) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return n.Value, nil // of an intrinsic function
	}
	var v any
	err := n.Decode(&v)
	return v, err
}
