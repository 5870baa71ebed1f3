package msgraphtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter is a $filter on users, understood and found to be supported.
type filter struct {
	match    func(*user) bool
	advanced string      // an operator that needs an advanced query, or ""
	uses     propertySet // properties it compares
	ids      []string    // what `id` is compared with, where that is all
	onlyIDs  bool
	clauses  int // alternatives in disjunctions and lists
}

// Lists of directory objects take no more comparisons joined by `or` or listed
// by `in`.
const maxClauses = 15

// maxDepth bounds the parser's recursion.
const maxDepth = 50

// parseFilter understands the part of OData's [$filter] that Entra supports on
// users: eq, ne, ge, le, in, startsWith, endsWith, and, or, not and
// parentheses, each on the properties that are listed for it. The rest it
// refuses as Graph does.
//
// [$filter]: https://learn.microsoft.com/graph/filter-query-parameter
func parseFilter(text string) (*filter, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, filter: &filter{onlyIDs: true}}
	match, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != endToken {
		return nil, badFilter("Syntax error at '%s'.", p.peek().text)
	}
	p.filter.match = match
	return p.filter, nil
}

func badFilter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+format, args...)
}

func unindexed(p *property) error {
	return unsupported("Unsupported or invalid query filter clause specified for property '%s' of resource 'User'.", p.name)
}

type filterParser struct {
	tokens []token
	depth  int
	filter *filter
}

func (p *filterParser) peek() token { return p.tokens[0] }

func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.kind != endToken {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is this word or punctuation mark.
func (p *filterParser) accept(text string) bool {
	if t := p.peek(); t.kind != wordToken && t.kind != markToken || t.text != text {
		return false
	}
	p.next()
	return true
}

func (p *filterParser) expect(text string) error {
	if p.accept(text) {
		return nil
	}
	return badFilter("'%s' expected, '%s' found.", text, p.peek().text)
}

func (p *filterParser) disjunction() (func(*user) bool, error) {
	left, err := p.conjunction()
	for err == nil && p.accept("or") {
		p.filter.clauses += 1 + btoi(p.filter.clauses == 0)
		var right func(*user) bool
		if right, err = p.conjunction(); err == nil {
			l := left
			left = func(u *user) bool { return l(u) || right(u) }
		}
	}
	return left, err
}

func (p *filterParser) conjunction() (func(*user) bool, error) {
	left, err := p.term()
	for err == nil && p.accept("and") {
		p.filter.onlyIDs = false
		var right func(*user) bool
		if right, err = p.term(); err == nil {
			l := left
			left = func(u *user) bool { return l(u) && right(u) }
		}
	}
	return left, err
}

func (p *filterParser) term() (func(*user) bool, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, badFilter("The node count limit is exceeded.")
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("("):
		inner, err := p.disjunction()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case p.accept("not"):
		inner, err := p.term()
		if err != nil {
			return nil, err
		}
		p.filter.onlyIDs = false
		p.filter.advanced = "not"
		return func(u *user) bool { return !inner(u) }, nil
	}
	return p.comparison()
}

// comparison is function(property,'value') or property operator value.
func (p *filterParser) comparison() (func(*user) bool, error) {
	name := p.next()
	if name.kind != wordToken {
		return nil, badFilter("Syntax error at '%s'.", name.text)
	}
	if p.accept("(") {
		return p.function(name.text)
	}
	property, err := filterProperty(name.text)
	if err != nil {
		return nil, err
	}
	operator := p.next()
	if operator.kind != wordToken {
		return nil, badFilter("Syntax error at '%s'.", operator.text)
	}
	if operator.text == "in" {
		return p.membership(property)
	}
	return p.binary(property, operator.text)
}

func filterProperty(name string) (*property, error) {
	property := propertyNamed(name)
	if property == nil {
		return nil, badFilter("Could not find a property named '%s' on type 'microsoft.graph.user'.", name)
	}
	return property, nil
}

// function is startsWith or endsWith after its opening parenthesis.
func (p *filterParser) function(name string) (func(*user) bool, error) {
	operator, test, err := textFunction(name)
	if err != nil {
		return nil, err
	}
	property, err := filterProperty(p.next().text)
	if err != nil {
		return nil, err
	}
	part, err := p.lastArgument(name, property)
	if err != nil {
		return nil, err
	}
	part = strings.ToLower(part)
	return func(u *user) bool {
		v := property.value(u)
		return v != nil && test(strings.ToLower(stringOf(v)), part)
	}, p.use(property, operator)
}

// textFunction finds a function by its name, which OData writes in lower case
// and Microsoft's pages in camel case.
func textFunction(name string) (operator string, test func(s, part string) bool, err error) {
	switch strings.ToLower(name) {
	case "startswith":
		return "startsWith", strings.HasPrefix, nil
	case "endswith":
		return "endsWith", strings.HasSuffix, nil
	case "contains":
		return "", nil, unsupported("Unsupported Query.")
	}
	return "", nil, badFilter("An unknown function with name '%s' was found.", name)
}

// lastArgument is the rest of a function after its property: ,'value').
func (p *filterParser) lastArgument(function string, property *property) (string, error) {
	if err := p.expect(","); err != nil {
		return "", err
	}
	value, err := p.literal(property)
	if err != nil {
		return "", err
	}
	text, ok := value.(string)
	if !ok {
		return "", badFilter("No function signature for the function with name '%s' matches the specified arguments.", function)
	}
	return text, p.expect(")")
}

// binary is a comparison after its operator.
func (p *filterParser) binary(property *property, operator string) (func(*user) bool, error) {
	holds := comparisons[operator]
	if holds == nil {
		return nil, badFilter("Syntax error at '%s'.", operator)
	}
	value, err := p.literal(property)
	if err != nil {
		return nil, err
	}
	if err := p.use(property, operator); err != nil {
		return nil, err
	}
	if value == nil {
		if err := p.useNull(property, operator); err != nil {
			return nil, err
		}
	}
	p.noteID(property, operator, value)
	return func(u *user) bool { return holds(property.value(u), value) }, nil
}

// membership is `property in (value, …)` after `in`.
func (p *filterParser) membership(property *property) (func(*user) bool, error) {
	values, err := p.list(property)
	if err != nil {
		return nil, err
	}
	p.filter.clauses += len(values)
	return func(u *user) bool {
		v := property.value(u)
		return slices.ContainsFunc(values, func(w any) bool { return equal(v, w) })
	}, p.use(property, "in")
}

// list is (value, …).
func (p *filterParser) list(property *property) ([]any, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var values []any
	for {
		value, err := p.literal(property)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if !p.accept(",") {
			return values, p.expect(")")
		}
	}
}

// noteID keeps the ids of a filter that is nothing but `id eq`, as delta needs
// it.
func (p *filterParser) noteID(property *property, operator string, value any) {
	if id, ok := value.(string); ok && property.name == "id" && operator == "eq" {
		p.filter.ids = append(p.filter.ids, strings.ToLower(id))
		return
	}
	p.filter.onlyIDs = false
}

// use notes that a property is compared, or refuses the operator.
func (p *filterParser) use(property *property, operator string) error {
	p.filter.uses |= property.bit()
	if operator != "eq" {
		p.filter.onlyIDs = false
	}
	switch {
	case slices.Contains(strings.Fields(property.filter), operator):
		return nil
	case slices.Contains(strings.Fields(property.advanced), operator):
		p.filter.advanced = operator
		return nil
	}
	return unindexed(property)
}

// useNull notes a comparison with null. `ne null` needs an advanced query
// anyway, and a property that has `ne` has it for null.
func (p *filterParser) useNull(property *property, operator string) error {
	if operator == "ne" {
		return nil
	}
	return p.use(property, "null")
}

// literal is a value that can be compared with the property, nil for null.
func (p *filterParser) literal(property *property) (any, error) {
	t := p.next()
	switch {
	case t.kind == wordToken && t.text == "null":
		return nil, nil
	case t.kind == stringToken && property.kind == stringKind:
		return t.text, nil
	case t.kind == wordToken && property.kind == boolKind:
		if b, err := strconv.ParseBool(t.text); err == nil && len(t.text) > 1 {
			return b, nil
		}
	case t.kind == wordToken && property.kind == timeKind:
		if at, err := time.Parse(time.RFC3339, t.text); err == nil {
			return at, nil
		}
	}
	if len(property.filter) == 0 {
		return nil, unindexed(property)
	}
	return nil, badFilter("A binary operator with incompatible types was detected at '%s' for property '%s'.", t.text, property.name)
}

// comparisons are the binary operators. gt and lt are OData but Entra supports
// them on no property here.
var comparisons = map[string]func(a, b any) bool{
	"eq": equal,
	"ne": func(a, b any) bool { return !equal(a, b) },
	"ge": func(a, b any) bool { return a != nil && b != nil && compare(a, b) >= 0 },
	"le": func(a, b any) bool { return a != nil && b != nil && compare(a, b) <= 0 },
	"gt": func(a, b any) bool { return a != nil && b != nil && compare(a, b) > 0 },
	"lt": func(a, b any) bool { return a != nil && b != nil && compare(a, b) < 0 },
}

func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return compare(a, b) == 0
}

// compare orders two values of one kind, text whatever its case.
func compare(a, b any) int {
	switch a := a.(type) {
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return btoi(a) - btoi(b.(bool))
	}
	return cmp.Compare(strings.ToLower(stringOf(a)), strings.ToLower(stringOf(b)))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
