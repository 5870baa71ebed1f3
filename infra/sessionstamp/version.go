package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// built is the JSON of version: what stands in the program.
type built struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"` // of the commit
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (c *call) versionVerb() *cobra.Command {
	return c.verb("version", func(*cobra.Command, []string) error { return c.version() })
}

// version says which program this is.
func (c *call) version() error {
	b := built{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			b.Version = info.Main.Version
		}
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				b.Commit = setting.Value
			case "vcs.time":
				b.Date = setting.Value
			}
		}
	}
	row := []string{b.Version, b.Commit, b.Date, b.Go, b.System}
	lines := []line{{text: "sessionstamp " + b.Version}, {text: fmt.Sprintf("%s %s", b.Go, b.System)}}
	if b.Commit != "" {
		lines = append(lines, line{text: b.Commit + " " + b.Date})
	}
	return c.show(view{
		before: lines, object: b,
		sheet: screen.Table{Columns: []screen.Column{{Title: "version"}, {Title: "commit"}, {Title: "date"}, {Title: "go"}, {Title: "system"}}, Rows: [][]string{row}},
	})
}
