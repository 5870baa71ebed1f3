package e2e

import (
	"debug/buildinfo"
	"flag"
	"path/filepath"
	"testing"
)

// samBuild is where `sam build` has put the programs; make deployment gives it.
var samBuild = flag.String("sam-build", "", "check the programs in this folder of sam build, from the module's root, besides those built here")

const module = "github.com/sessionstamp/sessionstamp"

// TestBuiltPrograms checks that each function's bootstrap is its own program. Where two
// functions share a folder of code, SAM gives both of them the same one; where a folder
// is not package main, it deploys an archive and calls it a success.
func TestBuiltPrograms(t *testing.T) {
	t.Parallel()
	s := imagined(t, nil)
	for _, id := range s.resources("AWS::Serverless::Function") {
		folder := filepath.Clean(s.properties(id)["CodeUri"].(string))
		checkProgram(t, filepath.Join(programs(t), filepath.Base(folder)), module+"/"+folder, nil)
		if *samBuild != "" {
			checkProgram(t, filepath.Join(root, *samBuild, id, "bootstrap"), module+"/"+folder,
				map[string]string{"GOOS": "linux", "GOARCH": "arm64"})
		}
	}
}

// checkProgram checks what a program was built of, and for which machine.
func checkProgram(t *testing.T, path, want string, settings map[string]string) {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Errorf("%s is no program: %v", path, err)
		return
	}
	if info.Path != want {
		t.Errorf("%s was built of %s, want %s", path, info.Path, want)
	}
	for _, s := range info.Settings {
		if v, ok := settings[s.Key]; ok && v != s.Value {
			t.Errorf("%s was built with %s=%s, want %s", path, s.Key, s.Value, v)
		}
	}
}
