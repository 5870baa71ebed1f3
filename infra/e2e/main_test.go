// Package e2e runs the programs under functions/ as template.yaml deploys them: under a
// small Lambda Runtime API, against moto's server and the emulated Graph. Queues, table,
// secrets, environment, event source, schedules and policies are read from the template.
// Time is real, so the programs are built with a short replication lag.
package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

// root is the folder of the template.
const root = "../.."

// binaries is where the programs are built.
var binaries string

// TestMain gives the programs a folder that outlives each single test.
func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "sessionstamp"); err != nil {
		panic(fmt.Sprintf("make a folder for the programs: %v", err))
	}
	defer os.RemoveAll(binaries)
	m.Run()
}

// builtVersion is what the programs are told that they are, as those of a release.
const builtVersion = "0.0.0"

// versions are the variables that the linker is told so.
const versions = " -X " + module + "/functions/internal/program.version=" + builtVersion + " -X " + module + "/infra/sessionstamp/bundle.version=" + builtVersion

var build = sync.OnceValue(func() error {
	replaced, err := shortened()
	if err != nil {
		return err
	}
	overlay, err := overlaid(replaced)
	if err != nil {
		return err
	}
	command := exec.Command("go", "build", "-overlay", overlay, "-tags", "release", "-ldflags", "-s -w"+versions, "-o", binaries+"/", "./functions/...", "./infra/sessionstamp") //nolint:gosec // a folder of our own
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
})

// overlaid says to the go command to take files for others: see shortened and packed.
func overlaid(replaced map[string]string) (overlay string, err error) {
	tree, err := filepath.Abs(filepath.Join(root, "infra/sessionstamp/bundle/tree.zip"))
	if err != nil {
		return "", err
	}
	if replaced[tree], err = packed(); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(binaries, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// packed is what the command carries, as in a release. In place of the functions are their
// sources: the account runs those that are built here, and SAM needs long for large ones.
func packed() (tree string, err error) {
	files, err := bundle.Files(os.DirFS(root), func(function string) string { return "functions/" + function + "/main.go" })
	if err != nil {
		return "", err
	}
	var archive bytes.Buffer
	tree = filepath.Join(binaries, "tree.zip")
	return tree, errors.Join(bundle.Zip(&archive, files, time.Unix(0, 0)), os.WriteFile(tree, archive.Bytes(), 0o600))
}

// shortened is a policy with times for which a test can wait, in place of the real one.
// Nobody can deploy it.
func shortened() (replaced map[string]string, err error) {
	policy, err := filepath.Abs(filepath.Join(root, "shared/stamp/policy.go"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(policy)
	if err != nil {
		return nil, err
	}
	changed := string(text)
	for old, short := range map[string]string{
		"ReplicationLag: 5 * time.Minute,": "ReplicationLag: time.Second,",
		"CallWindow:     time.Minute,":     "CallWindow:     5 * time.Second,",
	} {
		if !strings.Contains(changed, old) {
			return nil, fmt.Errorf("%s has no %q", policy, old)
		}
		changed = strings.Replace(changed, old, short, 1)
	}
	replacement := filepath.Join(binaries, "policy.go.txt")
	return map[string]string{policy: replacement}, os.WriteFile(replacement, []byte(changed), 0o600) //nolint:gosec // a folder of our own
}

// programs builds every function and the command, and returns the folder with the programs, each by the
// name of its folder. It looks at every folder of sources, so that go test does not
// repeat an old result.
func programs(t *testing.T) string {
	t.Helper()
	for _, folder := range []string{"functions", "shared", "infra/sessionstamp"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(string, fs.DirEntry, error) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return binaries
}
