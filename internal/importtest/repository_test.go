package importtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRepository checks every package there is, by name of its folder and not by
// a list: whoever adds one is under the same rules.
func TestRepository(t *testing.T) {
	t.Parallel()
	g := list(t)
	// A test that sees nothing finds nothing.
	client := module + "/shared/msgraph"
	if g.chain(client, func(path string) bool { return of(path, graphSDK) }) == nil {
		t.Errorf("%s does not link the Graph SDK: is this the whole graph?", client)
	}
	webhook := module + "/functions/webhook"
	if g.chain(webhook, func(path string) bool { return of(path, awsSDK) }) == nil {
		t.Errorf("%s does not link the AWS SDK: is this the whole graph?", webhook)
	}
	if _, ok := g[module+"/shared/webhook.test"]; !ok {
		t.Error("the binaries of the tests are missing from the graph")
	}
	for _, sentence := range violations(g) {
		t.Error(sentence)
	}
}

// list asks the go command for every package of the module, its tests, and all
// that they link.
func list(t *testing.T) graph {
	t.Helper()
	touch(t)
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test",
		"-json=ImportPath,Name,ForTest,Imports", "./...")
	command.Dir = "../.."
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatalf("go list: %v", err)
	}
	g, err := decode(out)
	if err != nil {
		t.Fatalf("read the output of go list: %v", err)
	}
	return g
}

// touch looks at every folder, so that go test, which can't see what the go command
// reads, does not repeat an old result.
func touch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// decode reads go list's stream of JSON objects.
func decode(out []byte) (graph, error) {
	g := make(graph)
	objects := json.NewDecoder(bytes.NewReader(out))
	for {
		var n node
		switch err := objects.Decode(&n); {
		case errors.Is(err, io.EOF):
			return g, nil
		case err != nil:
			return nil, err
		}
		g[n.ImportPath] = n
	}
}
