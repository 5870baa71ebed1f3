package main

import (
	"debug/buildinfo"
	"encoding/json"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

// bill is a software bill of materials as CycloneDX 1.6 writes it
// (https://cyclonedx.org/docs/1.6/json/). It is made from what the compiler wrote into the
// programs. cyclonedx-gomod does the same, but puts the checksum of itself into each bill,
// which is another on each system that it runs on.
type bill struct {
	source  source
	modules map[string]component
}

// component is a module of Go. PURL is its package URL.
type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

func newBill(s source) bill { return bill{source: s, modules: map[string]component{}} }

// add takes down the modules in a program, and Go's standard library.
func (b bill) add(program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	b.take(info)
	return nil
}

func (b bill) take(info *debug.BuildInfo) {
	std, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ") // experiments follow
	b.note("std", std)
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.note(m.Path, m.Version)
	}
}

func (b bill) note(name, version string) {
	c := packaged("library", name, version)
	b.modules[c.PURL] = c
}

// packaged writes a package URL as purl-spec does for Go: "+" is escaped.
func packaged(kind, name, version string) component {
	purl := "pkg:golang/" + strings.ToLower(name) + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Ref: purl, Name: name, Version: version, PURL: purl}
}

// file writes the bill in an order of its own.
func (b bill) file(name string) (bundle.File, error) {
	main := packaged("application", strings.TrimSuffix(module, "/"), b.source.version)
	content, err := json.MarshalIndent(map[string]any{
		"$schema":     "http://cyclonedx.org/schema/bom-1.6.schema.json",
		"bomFormat":   "CycloneDX",
		"specVersion": "1.6",
		"version":     1,
		"metadata": map[string]any{
			"timestamp": b.source.committed.Format(time.RFC3339),
			"component": main,
		},
		"components": slices.SortedFunc(maps.Values(b.modules), func(x, y component) int { return strings.Compare(x.PURL, y.PURL) }),
	}, "", "  ")
	return bundle.File{Name: name, Content: append(content, '\n')}, err
}
