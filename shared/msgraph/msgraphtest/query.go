package msgraphtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// refusal is an answer other than success, as an error.
type refusal struct {
	status int
	failure
}

func refuse(status int, code, format string, args ...any) error {
	return &refusal{status, failure{code: code, message: fmt.Sprintf(format, args...)}}
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.code, r.message) }

// badRequest is the refusal that the directory answers most often.
func badRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "Request_BadRequest", format, args...)
}

// unsupported refuses a query that the directory has no index for.
func unsupported(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "Request_UnsupportedQuery", format, args...)
}

func unknownProperty(name, resource string) error {
	return badRequest("Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, resource)
}

// option is a query option given at most once.
func option(query url.Values, name string) (string, bool) {
	values, ok := query[name]
	if !ok || len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// onlyOptions refuses system query options that a resource doesn't support, and
// those given twice. Options without a $ are custom ones, which OData ignores.
func (c *call) onlyOptions(supported ...string) error {
	for name, values := range c.query {
		switch {
		case !strings.HasPrefix(name, "$"):
		case len(values) > 1:
			return refuse(http.StatusBadRequest, "BadRequest", "Query option '%s' was specified more than once, but it must be specified at most once.", name)
		case !slices.Contains(supported, name):
			return badRequest("The query parameter '%s' is not supported for this resource.", name)
		}
	}
	return nil
}

// selection is what a call asks of users.
type selection struct {
	properties []*property
	explicit   bool // by $select
}

// selection reads $select.
func (c *call) selection() (selection, error) {
	text, ok := option(c.query, "$select")
	if !ok || text == "" {
		return standardSelection(), nil
	}
	sel := selection{explicit: true}
	for name := range strings.SplitSeq(text, ",") {
		p := propertyNamed(strings.TrimSpace(name))
		switch {
		case p == nil:
			return sel, unknownProperty(strings.TrimSpace(name), "user")
		case !slices.Contains(sel.properties, p):
			sel.properties = append(sel.properties, p)
		}
	}
	return sel, nil
}

// standardSelection are the properties that Graph shows without $select.
func standardSelection() selection {
	var sel selection
	for i := range userProperties {
		if p := &userProperties[i]; p.standard {
			sel.properties = append(sel.properties, p)
		}
	}
	return sel
}

// errForbidden is Graph's answer to an app without the permission.
func errForbidden() error {
	return refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// fragment is the part of @odata.context that names the selection.
func (sel selection) fragment(set string) string {
	if !sel.explicit {
		return set
	}
	names := make([]string, len(sel.properties))
	for i, p := range sel.properties {
		names[i] = p.name
	}
	return set + "(" + strings.Join(names, ",") + ")"
}

// userJSON writes the selected properties; prefix is "{" and what comes
// before them.
func (sel selection) userJSON(prefix string, u *user) []byte {
	b := []byte(prefix)
	for i, p := range sel.properties {
		if i > 0 || prefix != "{" {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), p.name...), `":`...)
		b = p.appendJSON(b, u)
	}
	return append(b, '}')
}

// top reads $top, at most max.
func (c *call) top(max int) (int, error) {
	text, ok := option(c.query, "$top")
	if !ok {
		return min(defaultPageSize, max), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, refuse(http.StatusBadRequest, "BadRequest", "Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", text)
	}
	if n < 1 || n > max {
		return 0, unsupported("Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", n, max)
	}
	return n, nil
}

// object is a resource of which a tenant has so few that it need not be small.
type object map[string]any

// project is the object with the properties that $select names, or with all.
func (c *call) project(o object, resource string) (object, error) {
	text, given := option(c.query, "$select")
	if !given || text == "" {
		return o, nil
	}
	shown := make(object)
	for name := range strings.SplitSeq(text, ",") {
		property := o.propertyNamed(strings.TrimSpace(name))
		if property == "" {
			return nil, unknownProperty(name, resource)
		}
		shown[property] = o[property]
	}
	return shown, nil
}

// propertyNamed is the name of a property in its own case, "" if there is none.
func (o object) propertyNamed(name string) string {
	for property := range o {
		if strings.EqualFold(property, name) {
			return property
		}
	}
	return ""
}
