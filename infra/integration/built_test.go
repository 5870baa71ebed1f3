package integration

import (
	"debug/buildinfo"
	"flag"
	"path/filepath"
	"strings"
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
	functions, err := imagined(t, nil).Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		folder := filepath.Clean(f.CodeURI)
		checkProgram(t, filepath.Join(programs(t), filepath.Base(folder)), module+"/"+folder, nil)
		if *samBuild != "" {
			checkProgram(t, filepath.Join(root, *samBuild, f.LogicalID, "bootstrap"), module+"/"+folder,
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
	if linksGraph := strings.Contains(strings.Join(modules(info), " "), "microsoftgraph"); linksGraph && strings.HasSuffix(want, "/webhook") {
		t.Errorf("%s holds the Graph SDK", path)
	}
}

// modules are the modules that a program holds.
func modules(info *buildinfo.BuildInfo) []string {
	var paths []string
	for _, m := range info.Deps {
		paths = append(paths, m.Path)
	}
	return paths
}
