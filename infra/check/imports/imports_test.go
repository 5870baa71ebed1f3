// Package imports proves who may import whom (ARCHITECTURE.md), on the repository as it
// is, by what the go command says of it.
package imports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../../.."
	module = "github.com/sessionstamp/sessionstamp/"
)

// A node is a package as go list knows it: with its tests it has variants "x [x.test]".
type node struct {
	ImportPath, ForTest string
	Imports, Deps       []string
}

// folder is the package's folder in this module, "" for a package of another module.
// Tests belong to the folder that they stand in.
func (n node) folder() string {
	path := plain(n.ImportPath)
	if n.ForTest != "" {
		path = strings.TrimSuffix(path, "_test")
	}
	return folder(strings.TrimSuffix(path, ".test"))
}

func (n node) isTest() bool { return n.ForTest != "" || strings.HasSuffix(n.ImportPath, ".test") }

func plain(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return path
}

func folder(path string) string {
	if below, ours := strings.CutPrefix(plain(path), module); ours {
		return below
	}
	return ""
}

// within tells whether a folder is one of those given or below one.
func within(folder string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return folder == f || strings.HasPrefix(folder, f+"/") })
}

// The vendors' SDKs.
func isGraph(path string) bool {
	return slices.ContainsFunc([]string{"github.com/microsoftgraph/", "github.com/microsoft/kiota", "github.com/Azure/", "github.com/AzureAD/"},
		func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

func isAWS(path string) bool { return strings.HasPrefix(path, "github.com/aws/") }

// testOnly tells whether a package is made for tests.
func testOnly(path string) bool {
	if f := folder(path); f != "" {
		return strings.HasSuffix(f, "test")
	}
	return path == "testing" || strings.HasPrefix(path, "testing/") || path == "net/http/httptest"
}

// A rule says of which packages it holds, and what they may not import, or not even link.
type rule struct {
	name  string
	holds func(n node) bool
	bars  func(path string) bool
	links bool
}

// core are the packages that know neither vendor.
var core = []string{"shared/stamp", "shared/state", "shared/directory", "shared/webhook", "shared/keeper", "shared/sweep", "shared/memory", "shared/bolt", "shared/explain", "shared/signal", "shared/wait"}

var rules = []rule{
	// The other packages below shared/msgraph are there to link none.
	{"only shared/msgraph and its ask import Microsoft's SDK", func(n node) bool {
		return n.folder() != "shared/msgraph" && n.folder() != "shared/msgraph/ask"
	}, isGraph, false},
	{"only shared/aws, the functions and the command import AWS's SDK", func(n node) bool {
		return !within(n.folder(), "shared/aws", "functions", "infra/sessionstamp")
	}, isAWS, false},
	{"the core links neither SDK", func(n node) bool { return within(n.folder(), core...) },
		func(path string) bool { return isGraph(path) || isAWS(path) }, true},
	{"what strangers reach starts fast, and holds no right in the directory", func(n node) bool {
		return within(n.folder(), "functions/webhook", "functions/receiver")
	}, isGraph, true},
	{"what is shared does not know who uses it", func(n node) bool { return within(n.folder(), "shared") },
		func(path string) bool { return within(folder(path), "functions", "infra") }, false},
	{"infra is not deployed", func(n node) bool { return within(n.folder(), "functions") },
		func(path string) bool { return within(folder(path), "infra") }, false},
	{"what only a person asks for is not deployed", func(n node) bool { return within(n.folder(), "functions") },
		func(path string) bool { return within(folder(path), "shared/explain", "shared/msgraph/ask") }, true},
	// The demonstration and the command's --demo show the product to people without a
	// tenant, on the emulated Graph.
	{"test-only packages never ship", func(n node) bool {
		return !n.isTest() && !testOnly(n.ImportPath) && !within(n.folder(), "infra/local", "infra/sessionstamp")
	}, testOnly, true},
	{"the SDK's root package doubles the time to compile", func(node) bool { return true },
		func(path string) bool { return path == "github.com/microsoftgraph/msgraph-sdk-go" }, true},
}

// broken returns a sentence for every import that breaks a rule.
func broken(packages []node) (found []string) {
	for _, n := range packages {
		for _, r := range rules {
			imports := n.Imports
			if r.links {
				imports = n.Deps
			}
			for _, path := range imports {
				if n.folder() != "" && r.holds(n) && r.bars(plain(path)) {
					found = append(found, fmt.Sprintf("%s: %s → %s", r.name, n.ImportPath, path))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestRepository(t *testing.T) {
	t.Parallel()
	packages := list(t)
	client := slices.IndexFunc(packages, func(n node) bool { return n.ImportPath == module+"shared/msgraph" })
	if client < 0 || !slices.ContainsFunc(packages[client].Deps, isGraph) {
		t.Error("shared/msgraph does not link the Graph SDK: is this the whole graph?")
	}
	for _, sentence := range broken(packages) {
		t.Error(sentence)
	}
}

// TestRules breaks each rule once.
func TestRules(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]node{
		rules[0].name: {ImportPath: module + "shared/sweep", Imports: []string{"github.com/Azure/azure-sdk-for-go/sdk/azidentity"}},
		rules[1].name: {ImportPath: module + "infra/local", Imports: []string{"github.com/aws/aws-sdk-go-v2/aws"}},
		rules[2].name: {ImportPath: module + "shared/stamp_test [x.test]", ForTest: module + "shared/stamp", Deps: []string{"github.com/aws/smithy-go"}},
		rules[3].name: {ImportPath: module + "functions/webhook", Deps: []string{"github.com/microsoft/kiota-http-go"}},
		rules[4].name: {ImportPath: module + "shared/sweep", Imports: []string{module + "functions/sweeper"}},
		rules[5].name: {ImportPath: module + "functions/sweeper", Imports: []string{module + "infra/e2e"}},
		rules[6].name: {ImportPath: module + "functions/keeper", Deps: []string{module + "shared/msgraph/ask/reply"}},
		rules[7].name: {ImportPath: module + "functions/keeper", Deps: []string{module + "shared/aws/mototest"}},
		rules[8].name: {ImportPath: module + "shared/msgraph", Deps: []string{"github.com/microsoftgraph/msgraph-sdk-go"}},
	} {
		if found := broken([]node{n}); len(found) == 0 || !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, name) }) {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// TestFolders checks that there are three folders of code and no other. A release is put into
// dist.
func TestFolders(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && !slices.Contains([]string{"functions", "shared", "infra", "dist"}, entry.Name()) {
			t.Errorf("there is a folder %s", entry.Name())
		}
	}
}

// list asks the go command for every package of the module and its tests. It looks at
// every folder first, so that go test does not repeat an old result.
func list(t *testing.T) (packages []node) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && path != root && strings.HasPrefix(entry.Name(), ".") && entry.IsDir() {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "list", "-test", "-json=ImportPath,ForTest,Imports,Deps", "./...")
	command.Dir, command.Stderr = root, os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	for objects := json.NewDecoder(strings.NewReader(string(out))); ; {
		var n node
		if err := objects.Decode(&n); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, n)
	}
}
