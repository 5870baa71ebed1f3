package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, root, name, content string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestCheckout: a checkout is found from below, and is the same tree as in a release.
// Without one, and before it is built, the error says what to do.
func TestCheckout(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := openCheckout(root); !errors.Is(err, ErrNoFunctions) || !strings.Contains(err.Error(), "get a release") {
		t.Errorf("without a checkout: %v", err)
	}
	write(t, root, "go.mod", module)
	write(t, root, "template.yaml", "Resources:")
	for _, name := range []string{"CHANGELOG.md", "LICENSE", "README.md"} {
		write(t, root, name, "# Changes")
	}
	below := filepath.Join(root, ".aws-sam")
	if _, err := openCheckout(root); !errors.Is(err, ErrNoFunctions) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("before it is built: %v", err)
	}
	for _, function := range Functions {
		write(t, root, samBuild(function), "program "+function)
	}
	opened, err := openCheckout(below)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(out, opened); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(out, "functions", "webhook", "bootstrap"))
	if err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the function can't be run: %v, %v", info, err)
	}
	content, err := fs.ReadFile(os.DirFS(out), "functions/sweeper/bootstrap")
	if err != nil || string(content) != "program sweeper" {
		t.Errorf("the sweeper is %q, %v", content, err)
	}
}

// TestTemplate: our template finds each function where the tree has it.
func TestTemplate(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(template), "CodeUri: "); n != len(Functions) {
		t.Errorf("the template has %d functions, the tree %d", n, len(Functions))
	}
	for _, function := range Functions {
		id := filepath.Base(filepath.Dir(samBuild(function)))
		if !strings.Contains(string(template), "CodeUri: functions/"+function+"/") || !strings.Contains(string(template), "\n  "+id+":\n") {
			t.Errorf("the template has no %s with functions/%s/", id, function)
		}
	}
}

// TestInside: what the linker was told is told, and else what the go command knows.
func TestInside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		main string
		want string
	}{
		"go install": {"v0.3.1", "0.3.1"},
		"a checkout": {"(devel)", "devel"},
		"a test":     {"", "devel"},
	} {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}}
		info.Main.Version = c.main
		var b Build
		if b.fill(info); b != (Build{Version: c.want, Commit: "c0ffee", Date: "2026-01-02T03:04:05Z"}) {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

const changelog = "# Changes\n\nAll of them.\n\n## [Unreleased]\n\n### Added\n\n- A moon.\n\n## [0.10.0] - 2026-03-01\n\n- Ten.\n\n## 0.9.0\n\n- Nine.\n\n## First version\n\n- One.\n"

func TestSince(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"0.10.0":         "Unreleased",
		"0.10.0+395a1a9": "Unreleased",
		"0.9.0":          "Unreleased 0.10.0",
		"0.9.5":          "Unreleased 0.10.0",
		"0.8.0":          "Unreleased 0.10.0 0.9.0",
		"devel":          "Unreleased 0.10.0 0.9.0",
		"1.0.0":          "Unreleased",
		"":               "Unreleased 0.10.0 0.9.0",
	} {
		var titles []string
		for _, section := range Since(strings.ReplaceAll(changelog, "\n", "\r\n"), version) {
			titles = append(titles, section.Title)
			if !strings.HasPrefix(section.Text, "-") && !strings.HasPrefix(section.Text, "###") {
				t.Errorf("%s has %q", section.Title, section.Text)
			}
		}
		if diff := cmp.Diff(want, strings.Join(titles, " ")); diff != "" {
			t.Errorf("since %q: %s", version, diff)
		}
	}
}

// TestOurs: CHANGELOG.md is written so that it can be taken apart.
func TestOurs(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile("../../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := Since(string(ours), "devel"); len(got) == 0 || !strings.Contains(got[0].Text, "### Added") {
		t.Errorf("got %v", got)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ordered := []string{"devel", "0.1.0", "0.9.9", "0.10.0", "1.0.0"}
	for i, a := range ordered {
		for k, b := range ordered {
			if got := Compare(a, b); (got < 0) != (i < k) || (got > 0) != (i > k) {
				t.Errorf("Compare(%s, %s) = %d", a, b, got)
			}
		}
	}
	if Compare("1.2.3+abc", "1.2.3-rc.1") != 0 || Compare("x.y.z", "") != 0 {
		t.Error("what is on the way counts")
	}
}
