package main

import (
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// built is the JSON of version: what stands in the program.
type built struct {
	Version   string `json:"version"`
	Commit    string `json:"commit,omitempty"`
	Date      string `json:"date,omitempty"` // of the commit
	Functions bool   `json:"functions"`      // whether there are some inside to deploy
	Go        string `json:"go"`
	System    string `json:"system"`
}

func (c *call) versionVerb() *cobra.Command {
	return c.verb("version", func(*cobra.Command, []string) error { return c.version() })
}

// version says which program this is.
func (c *call) version() error {
	read := bundle.Read()
	b := built{read.Version, read.Commit, read.Date, read.Functions, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	lines := []line{{text: "sessionstamp " + b.Version}, {text: b.Go + " " + b.System}}
	if b.Commit != "" {
		lines = append(lines, line{text: b.Commit + " " + b.Date})
	}
	inside := map[bool]language.Key{true: "version.functions", false: "version.no_functions"}
	return c.show(view{
		before: append(lines, line{text: c.say(inside[b.Functions])}), object: b,
		sheet: screen.Table{
			Columns: []screen.Column{{Title: "version"}, {Title: "commit"}, {Title: "date"}, {Title: "functions"}, {Title: "go"}, {Title: "system"}},
			Rows:    [][]string{{b.Version, b.Commit, b.Date, strconv.FormatBool(b.Functions), b.Go, b.System}},
		},
	})
}
