package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	root, _ := filepath.Abs("/state")
	for _, tt := range []struct {
		name, system string
		env          map[string]string
		want         string // "" for an error
	}{
		{"Linux", "linux", map[string]string{"HOME": "/home/a"}, "/home/a/.local/state/sessionstamp"},
		{"Linux, XDG", "linux", map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": root}, root + "/sessionstamp"},
		{"Linux, relative XDG is ignored", "linux", map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "x"}, "/home/a/.local/state/sessionstamp"},
		{"Linux, nothing", "linux", nil, ""},
		{"FreeBSD", "freebsd", map[string]string{"HOME": "/home/a"}, "/home/a/.local/state/sessionstamp"},
		{"macOS", "darwin", map[string]string{"HOME": "/Users/a", "XDG_STATE_HOME": root}, "/Users/a/Library/Application Support/sessionstamp"},
		{"Windows", "windows", map[string]string{"LOCALAPPDATA": `C:\Users\a\AppData\Local`}, `C:\Users\a\AppData\Local/sessionstamp`},
		{"Windows, nothing", "windows", map[string]string{"HOME": "/home/a"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := bolt.Folder(tt.system, func(name string) string { return tt.env[name] })
			if got != filepath.FromSlash(tt.want) || (err == nil) != (tt.want != "") {
				t.Errorf("Folder = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
