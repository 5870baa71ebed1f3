package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// TestReport: the page goes into a file that is the person's own, and never onto a screen.
func TestReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args           string
		file           string // "" for standard output
		status         int
		holds, nothing string
	}{
		"usual":        {"report", "sessionstamp-report-2026-11-29.html", fine, "<!doctype html>", ""},
		"named":        {"report --out a.html", "a.html", fine, "<!doctype html>", ""},
		"out":          {"report --out -", "", fine, "<!doctype html>", ""},
		"JSON":         {"report -o json", "", fine, `"demo": true`, "<"},
		"JSON, named":  {"report -o json --out a.json", "a.json", fine, `"stamped": 33`, "<"},
		"CSV":          {"report -o csv --out -", "", fine, "userPrincipalName", "<"},
		"excluded":     {"report -o json --exclude *@tokyo.example.co.jp", "", fine, `"reason": "excluded"`, "<"},
		"can't write":  {"report --out no/where", "", wrong, "", "doctype"},
		"on a screen":  {"report --out - --lang ja", "", wrongUse, "", "doctype"},
		"bad exclude":  {"report --exclude nobody", "", wrongUse, "", "doctype"},
		"without user": {"report extra", "", wrongUse, "", "doctype"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var file, content string
			status, stdout, stderr := play(t.Context(), func(p *program) {
				p.Out.Live = name == "on a screen"
				p.WriteFile = func(name string, text []byte) error {
					if strings.Contains(name, "/") {
						return errors.New("no such folder")
					}
					file, content = name, string(text)
					return nil
				}
			}, append(strings.Fields(c.args), "--demo")...)
			if c.file == "" {
				content = stdout
			}
			if status != c.status || file != c.file || !strings.Contains(content, c.holds) || c.nothing != "" && strings.Contains(stdout, c.nothing) {
				t.Errorf("exit status %d, file %q, %d bytes, standard error %q", status, file, len(content), stderr)
			}
		})
	}
}

// TestReportReplaces: what others could read is theirs no longer.
func TestReportReplaces(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.html")
	for _, want := range []string{"The report is in", "Replaced"} {
		status, stdout, stderr := play(t.Context(), func(p *program) { p.WriteFile = writeFile }, "report", "--out", file, "--demo")
		if status != fine || !strings.Contains(stdout, want) {
			t.Errorf("exit status %d, %s%s", status, stdout, stderr)
		}
		content, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(content), "<!doctype html>") {
			t.Errorf("%q, %v", content, err)
		}
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("others may read it: %v, %v", info.Mode(), err)
		}
		if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec // as a browser saves it
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(left) != 1 {
		t.Errorf("it leaves %q", left)
	}
}

// TestReportWithout: a machine that has done nothing knows what the directory knows.
func TestReportWithout(t *testing.T) {
	t.Parallel()
	tenant := demo.New(1, func() time.Time { return at })
	t.Cleanup(tenant.Close)
	for name, home := range map[string]string{"no file": "HOME=" + t.TempDir(), "no place": "HOME="} {
		status, stdout, stderr := play(t.Context(), func(p *program) {
			p.Env = environment([]string{home, tenantVariable + "=" + demo.TenantID, clientVariable + "=" + demo.ClientID, secretVariable + "=" + demo.Secret})
			p.Transport = tenant.Transport()
		}, "report", "-o", "json")
		if status != fine || !strings.Contains(stdout, `"withoutStamp": 72`) || !strings.Contains(stdout, `"zeros": {}`) || strings.Contains(stdout, "machine") {
			t.Errorf("%s: exit status %d: %s", name, status, stderr)
		}
	}
}

func TestSwept(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return at.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		place sweep.Checkpoint
		want  time.Time
	}{
		"never":     {},
		"ended":     {sweep.Checkpoint{FullDue: hour(3)}, hour(-22)},
		"under way": {sweep.Checkpoint{FullDue: hour(3), FullStarted: hour(-1)}, time.Time{}},
		"over due":  {sweep.Checkpoint{FullDue: hour(-1)}, time.Time{}},
	} {
		if got := swept(c.place, at); !got.Equal(c.want) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
