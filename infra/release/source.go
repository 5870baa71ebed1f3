package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// source is the commit that is released.
type source struct {
	version   string
	commit    string
	committed time.Time
}

// readSource asks Git what is checked out, and refuses what is not committed.
func readSource(ctx context.Context) (source, error) {
	var s source
	changed, err := git(ctx, "status", "--porcelain")
	if err != nil {
		return s, err
	}
	if changed != "" {
		return s, fmt.Errorf("a release is made from a commit. Commit these changes first, or take them away:\n%s", changed)
	}
	head, err := git(ctx, "log", "-1", "--no-show-signature", "--format=%H %ct")
	if err != nil {
		return s, err
	}
	commit, seconds, _ := strings.Cut(head, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return s, fmt.Errorf("the time of the commit: %w", err)
	}
	s.commit, s.committed = commit, time.Unix(unix, 0).UTC()
	tags, err := git(ctx, "tag", "--points-at", "HEAD")
	if err != nil {
		return s, err
	}
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return s, err
	}
	s.version, err = versionOf(string(template), commit, strings.Fields(tags))
	return s, err
}

func git(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments stand above
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

var (
	semantic   = regexp.MustCompile(`(?m)^ +SemanticVersion: "?([0-9]+\.[0-9]+\.[0-9]+)"?$`)
	versionTag = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)
)

// versionOf is the one place that says what a version is called: as in the template if the
// commit has that tag, else with the commit behind it.
func versionOf(template, commit string, tags []string) (string, error) {
	const short = 12 // of a hash; Git's own short form grows with the repository
	found := semantic.FindStringSubmatch(template)
	if found == nil || len(commit) < short {
		return "", errors.New("template.yaml has no SemanticVersion like 1.2.3, or Git no commit")
	}
	version := found[1]
	tagged := slices.ContainsFunc(tags, versionTag.MatchString)
	switch {
	case slices.Contains(tags, "v"+version):
		return version, nil
	case tagged:
		return "", fmt.Errorf("the commit's tags are %s, and template.yaml's SemanticVersion is %s: make them the same", strings.Join(tags, ", "), version)
	default:
		return version + "+" + commit[:short], nil
	}
}
