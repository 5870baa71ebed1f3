// Package importtest proves who may import whom (ARCHITECTURE.md, "Who may import
// whom"): once on the repository as it is, by what the go command says of it, and
// once on made-up graphs that break each rule, so that the proof is known to fail
// when it should.
package importtest

import (
	"fmt"
	"slices"
	"strings"
)

// A node is a package as go list knows it. With -test a package has variants,
// "x [y.test]", and "y.test" is the binary of y's tests.
type node struct {
	ImportPath string
	Name       string
	ForTest    string
	Imports    []string
}

// A graph holds every package by the import path that go list prints.
type graph map[string]node

const module = "github.com/sessionstamp/sessionstamp"

// The vendors' SDKs, by prefixes of import paths.
var (
	graphSDK = []string{
		"github.com/microsoftgraph/", "github.com/microsoft/kiota",
		"github.com/Azure/azure-sdk-for-go/", "github.com/AzureAD/",
	}
	awsSDK = []string{"github.com/aws/"}
)

// graphRoot is the SDK's root package, which doubles the time to compile.
const graphRoot = "github.com/microsoftgraph/msgraph-sdk-go"

// violations returns a sentence for every import that breaks a rule.
func violations(g graph) []string {
	var found []string
	for _, path := range g.own() {
		n := g[path]
		found = append(found, g.checkDirect(n)...)
		found = append(found, g.checkLinked(n)...)
		if !n.isTest() {
			found = append(found, g.checkShips(n)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// own are the packages of this module, tests and variants included, in order.
func (g graph) own() []string {
	var own []string
	for path, n := range g {
		if n.rel() != "" {
			own = append(own, path)
		}
	}
	slices.Sort(own)
	return own
}

// plain is the import path without the variant.
func plain(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return path
}

// rel is the package's folder in this module, "." for the root, "" for a package
// of another module. Tests belong to the folder that they stand in.
func (n node) rel() string {
	path := plain(n.ImportPath)
	if n.ForTest != "" {
		path = strings.TrimSuffix(path, "_test")
	}
	if n.isBinary() {
		path = strings.TrimSuffix(path, ".test")
	}
	if path == module {
		return "."
	}
	rel, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return rel
}

func (n node) isBinary() bool { return n.Name == "main" && strings.HasSuffix(n.ImportPath, ".test") }

func (n node) isTest() bool { return n.ForTest != "" || n.isBinary() }

// within tells whether a folder is one of those given or below one.
func within(rel string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return rel == f || strings.HasPrefix(rel, f+"/")
	})
}

func of(path string, sdk []string) bool {
	return slices.ContainsFunc(sdk, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// checkDirect checks what a package, or its tests, name in an import.
func (g graph) checkDirect(n node) []string {
	var found []string
	rel := n.rel()
	forbid := func(broken bool, path, rule string) {
		if broken {
			found = append(found, fmt.Sprintf("%s imports %s: %s", rel, path, rule))
		}
	}
	for _, imported := range n.Imports {
		path := plain(imported)
		target := node{ImportPath: path}.rel()
		forbid(of(path, graphSDK) && rel != "shared/msgraph", path,
			"only shared/msgraph speaks to Microsoft's SDK")
		forbid(of(path, awsSDK) && !within(rel, "shared/aws", "functions"), path,
			"only shared/aws and functions speak to the AWS SDKs")
		forbid(within(rel, "shared") && within(target, "infra", "functions"), path,
			"what is shared does not know who uses it")
		forbid(within(rel, "functions") && within(target, "infra"), path,
			"infra/ is not deployed")
	}
	return found
}

// checkLinked checks what ends up in a package, or in the binary of its tests.
func (g graph) checkLinked(n node) []string {
	var found []string
	rel := n.rel()
	forbid := func(broken bool, match func(string) bool, rule string) {
		if !broken {
			return
		}
		if chain := g.chain(n.ImportPath, match); chain != nil {
			found = append(found, fmt.Sprintf("%s links %s: %s (%s)", rel, chain[len(chain)-1], rule, strings.Join(chain, " → ")))
		}
	}
	isGraph := func(path string) bool { return of(path, graphSDK) }
	isAWS := func(path string) bool { return of(path, awsSDK) }
	forbid(true, func(path string) bool { return path == graphRoot },
		"the root package doubles the time to compile; import its subpackages")
	forbid(within(rel, "shared", "internal") && rel != "shared/msgraph", isGraph,
		"use cases, leaves and emulator stand behind interfaces, and their tests stay quick to build")
	forbid(within(rel, "shared", "internal") && !within(rel, "shared/aws"), isAWS,
		"use cases and leaves run without AWS")
	forbid(within(rel, "functions/webhook"), isGraph,
		"the receiving side starts fast and holds no right in the directory")
	return found
}

// checkShips checks that code other than tests contains nothing made for tests.
func (g graph) checkShips(n node) []string {
	rel := n.rel()
	if testOnly(n.ImportPath) {
		return nil
	}
	chain := g.chain(n.ImportPath, func(path string) bool {
		if rel == "infra/local" && path == module+"/shared/msgraph/msgraphtest" {
			return false
		}
		return testOnly(path)
	})
	if chain == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s links %s: test-only packages never ship (%s)",
		rel, chain[len(chain)-1], strings.Join(chain, " → "))}
}

// testOnly tells whether a package is made for tests: one of ours whose name ends
// in test, or one of the standard library's.
func testOnly(path string) bool {
	if rel := (node{ImportPath: path}).rel(); rel != "" {
		return strings.HasSuffix(rel, "test")
	}
	return path == "testing" || strings.HasPrefix(path, "testing/") || path == "net/http/httptest"
}

// chain returns a shortest way along imports from start to a package that
// matches, without start itself counting as one, or nil.
func (g graph) chain(start string, match func(path string) bool) []string {
	from := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at != start && match(plain(at)) {
			return way(from, at)
		}
		for _, next := range g[at].Imports {
			if _, seen := from[next]; !seen {
				from[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func way(from map[string]string, to string) []string {
	var steps []string
	for ; to != ""; to = from[to] {
		steps = append(steps, strings.TrimPrefix(plain(to), module+"/"))
	}
	slices.Reverse(steps)
	return steps
}
