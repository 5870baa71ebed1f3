// Package e2e runs the programs under functions/ as template.yaml deploys them: under a
// small Lambda Runtime API, against moto's server and the emulated Graph. Queues, table,
// secrets, environment, event source, schedules and policies are read from the template.
// Time is real, so the programs are built with a short replication lag.
package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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

// builtVersion is what the functions are told that they are, as those of a release.
const builtVersion, versionVariable = "v0.0.0-e2e", "github.com/sessionstamp/sessionstamp/functions/internal/program.version"

var build = sync.OnceValue(func() error {
	overlay, err := shortened()
	if err != nil {
		return err
	}
	command := exec.Command("go", "build", "-overlay", overlay, "-ldflags", "-s -w -X "+versionVariable+"="+builtVersion, "-o", binaries+"/", "./functions/...", "./infra/sessionstamp") //nolint:gosec // a folder of our own
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
})

// shortened says to the go command to compile a policy with times for which a test can
// wait. Nobody can deploy it.
func shortened() (overlay string, err error) {
	policy, err := filepath.Abs(filepath.Join(root, "shared/stamp/policy.go"))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(policy)
	if err != nil {
		return "", err
	}
	changed := string(text)
	for old, short := range map[string]string{
		"ReplicationLag: 5 * time.Minute,": "ReplicationLag: time.Second,",
		"CallWindow:     time.Minute,":     "CallWindow:     5 * time.Second,",
	} {
		if !strings.Contains(changed, old) {
			return "", fmt.Errorf("%s has no %q", policy, old)
		}
		changed = strings.Replace(changed, old, short, 1)
	}
	replacement := filepath.Join(binaries, "policy.go.txt")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{policy: replacement}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(binaries, "overlay.json")
	if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil { //nolint:gosec // a folder of our own
		return "", err
	}
	return overlay, os.WriteFile(overlay, replace, 0o600)
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
