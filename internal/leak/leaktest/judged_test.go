package leaktest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A judge knows the functions of a package's tests that look at errors.
type judge struct {
	lookers map[string]bool // by name
}

// elsewhere are the names of methods in other packages of tests that look at the errors
// they return: lambdatest.Program.Invoke.
var elsewhere = []string{"Invoke"}

// newJudge finds them: they call this package, and are given an error or return one.
func newJudge(files []*ast.File) judge {
	j := judge{make(map[string]bool)}
	for _, name := range elsewhere {
		j.lookers[name] = true
	}
	for _, d := range declarations(files) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		found := false
		ast.Inspect(f.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			found = found || ok && j.looks(call)
			return !found
		})
		if found && strings.Contains(types.ExprString(f.Type), "error") {
			j.lookers[f.Name.Name] = true
		}
	}
	return j
}

// declarations are the functions, and the tables that hold some.
func declarations(files []*ast.File) (all []ast.Decl) {
	for _, file := range files {
		all = append(all, file.Decls...)
	}
	return all
}

// looks tells whether a call looks at errors.
func (j judge) looks(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return j.lookers[f.Name]
	case *ast.SelectorExpr:
		name := types.ExprString(f)
		return name == "leaktest.Error" || name == "leaktest.Seen" || j.lookers[f.Sel.Name]
	default:
		return false
	}
}

// unseen returns the errors that a declaration judges although nobody looks at them
// between the assignment that comes before and the next one.
func (j judge) unseen(d ast.Decl) (found []ast.Expr) {
	h := j.history(d)
	ast.Inspect(d, func(n ast.Node) bool {
		err := judged(n)
		if call, ok := err.(*ast.CallExpr); err != nil && !(ok && j.looks(call)) && !h.seen(variable(err), err.Pos()) {
			found = append(found, err)
		}
		return true
	})
	return found
}

// A history is where the variables of a function are assigned and where they are
// looked at, in the order of the text.
type history struct{ assigned, looked map[string][]token.Pos }

func (h history) seen(name string, at token.Pos) bool {
	var last token.Pos
	next := token.Pos(math.MaxInt)
	for _, pos := range h.assigned[name] {
		if pos <= at {
			last = max(last, pos)
		} else {
			next = min(next, pos)
		}
	}
	return slices.ContainsFunc(h.looked[name], func(pos token.Pos) bool { return last <= pos && pos < next })
}

func (j judge) history(d ast.Decl) history {
	h := history{make(map[string][]token.Pos), make(map[string][]token.Pos)}
	note := func(in map[string][]token.Pos, at token.Pos, names ...ast.Expr) {
		for _, name := range names {
			if name != nil {
				in[variable(name)] = append(in[variable(name)], at)
			}
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if j.looks(n) {
				note(h.looked, n.Pos(), n.Args...)
			}
		case *ast.AssignStmt:
			note(h.assigned, n.Pos(), n.Lhs...)
			if call, ok := n.Rhs[0].(*ast.CallExpr); ok && j.looks(call) { // it is handed back
				note(h.looked, n.Pos(), n.Lhs...)
			}
		case *ast.RangeStmt:
			note(h.assigned, n.Pos(), n.Key, n.Value)
		case *ast.Field:
			for _, name := range n.Names {
				note(h.assigned, n.Pos(), name)
			}
		}
		return true
	})
	return h
}

// variable names what holds an error, which may be one of many.
func variable(x ast.Expr) string {
	if of, ok := x.(*ast.IndexExpr); ok {
		return variable(of.X)
	}
	return types.ExprString(x)
}

// named is what an error is called.
var named = regexp.MustCompile(`^(?i:err|failed|fault)\w*$`)

// judged returns the error that an expression says something about without printing
// it, nil if it does not: errors.Is(err, …), err.Error(), err == nil and
// (err != nil) != want. After a plain err != nil a test fails, and shows it.
func judged(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		return judgedBy(n)
	case *ast.BinaryExpr:
		if n.Op == token.EQL {
			if err := compared(n); err != nil {
				return err
			}
		}
		for _, side := range []ast.Expr{n.X, n.Y} {
			inner, ok := side.(*ast.ParenExpr)
			if !ok {
				continue
			}
			if comparison, ok := inner.X.(*ast.BinaryExpr); ok && comparison.Op == token.NEQ {
				return compared(comparison)
			}
		}
	}
	return nil
}

func judgedBy(call *ast.CallExpr) ast.Expr {
	f := call.Fun
	if generic, ok := f.(*ast.IndexExpr); ok {
		f = generic.X
	}
	selected, ok := f.(*ast.SelectorExpr)
	switch {
	case !ok:
		return nil
	case len(call.Args) > 0 && types.ExprString(selected.X) == "errors" && (selected.Sel.Name == "Is" || strings.HasPrefix(selected.Sel.Name, "As")):
		return call.Args[0]
	case len(call.Args) == 0 && selected.Sel.Name == "Error":
		return selected.X
	default:
		return nil
	}
}

// compared returns the error that is compared with nil.
func compared(n *ast.BinaryExpr) ast.Expr {
	if types.ExprString(n.Y) == "nil" && named.MatchString(variable(n.X)) {
		return n.X
	}
	return nil
}

// stand-ins for Microsoft, AWS and CloudFormation are no tests, but have some.
var standIns = regexp.MustCompile(`/(?:msgraph|sts|moto|secrets|lambda|template)test/`)

// packages are the files of tests in each folder that handles secrets and names.
func packages(t *testing.T, fset *token.FileSet) map[string][]*ast.File {
	t.Helper()
	all := make(map[string][]*ast.File)
	files(t, func(file string, read func() []byte) {
		ours := strings.HasSuffix(file, "_test.go") || !standIns.MatchString(file)
		if !isTest(file) || !ours || strings.HasPrefix(file, "internal/") {
			return
		}
		parsed, err := parser.ParseFile(fset, file, read(), parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all[path.Dir(file)] = append(all[path.Dir(file)], parsed)
	})
	return all
}

// No test judges an error whose text nobody looks at.
func TestEveryErrorIsSeen(t *testing.T) {
	t.Parallel()
	fset, judgedAll := token.NewFileSet(), 0
	for _, files := range packages(t, fset) {
		j := newJudge(files)
		for _, d := range declarations(files) {
			ast.Inspect(d, func(n ast.Node) bool {
				if judged(n) != nil {
					judgedAll++
				}
				return true
			})
			for _, err := range j.unseen(d) {
				t.Errorf("%s: %s: compare leaktest.Seen(t, %[2]s)", fset.Position(err.Pos()), types.ExprString(err))
			}
		}
	}
	if judgedAll < 100 {
		t.Errorf("found %d errors that are judged", judgedAll)
	}
}

// The search above finds what it is for, and nothing else.
func TestUnseen(t *testing.T) {
	t.Parallel()
	const frame = `package p
func graphError(t testing.TB, err error) *directory.Error { leaktest.Error(t, err); return nil }
func TestIt(t *testing.T) { err := do(); %s }`
	for code, want := range map[string]int{
		`_ = errors.Is(err, x)`:                                               1,
		`_, _ = errors.AsType[*E](err)`:                                       1,
		`_ = err.Error()`:                                                     1,
		`if err == nil { t.Error("it passes") }`:                              1,
		`if (err != nil) != want { t.Error(err) }`:                            1,
		`_ = errs[0] == nil`:                                                  1,
		`if err != nil { t.Fatal(err) }`:                                      0,
		`_ = errors.Is(leaktest.Seen(t, err), x)`:                             0,
		`leaktest.Error(t, err); _ = errors.Is(err, x)`:                       0,
		`e := graphError(t, err); _, _ = err.Error(), e.Error()`:              0,
		`leaktest.Error(t, err); err = do(); _ = errors.Is(err, x)`:           1,
		`_ = errors.Is(err, x); err = do(); leaktest.Error(t, err)`:           1,
		`err = graphError(t, err); _ = err.Error()`:                           0,
		`leaktest.Error(t, err); for _, err := range errs { _ = err == nil }`: 1,
		`_ = user == nil`:                                                     0,
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "", strings.Replace(frame, "%s", code, 1), 0)
		if err != nil {
			t.Fatal(err)
		}
		files := []*ast.File{file}
		if found := newJudge(files).unseen(declarations(files)[1]); len(found) != want {
			t.Errorf("%s: found %d, want %d", code, len(found), want)
		}
	}
}
