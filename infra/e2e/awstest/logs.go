package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// playLogs answers FilterLogEvents from what the functions have printed
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html).
func (l *Lambda) playLogs(w http.ResponseWriter, c *Call) bool {
	if c.operation != "FilterLogEvents" {
		return false
	}
	var in struct {
		LogGroupName       string `json:"logGroupName"`
		LogGroupIdentifier string `json:"logGroupIdentifier"`
		FilterPattern      string `json:"filterPattern"`
		StartTime          int64  `json:"startTime"` // milliseconds
		EndTime            int64  `json:"endTime"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		c.Refuse(w, Refused("InvalidParameterException", "%v", err))
		return true
	}
	_, group, named := strings.Cut(in.LogGroupIdentifier, ":log-group:")
	if !named {
		group = in.LogGroupName
	}
	lines, known := l.lines(group)
	if !known {
		return false // moto knows whether the group is there
	}
	events := []any{}
	for i, line := range lines {
		at := stamped(line)
		if at < in.StartTime || in.EndTime != 0 && at >= in.EndTime || !fits(line, in.FilterPattern) {
			continue
		}
		events = append(events, map[string]any{"eventId": fmt.Sprintf("%056d", i), "logStreamName": "2026/01/01/[$LATEST]0",
			"timestamp": at, "ingestionTime": at, "message": line})
	}
	c.Answer(w, http.StatusOK, map[string]any{"events": events, "searchedLogStreams": []any{}})
	return true
}

// lines are what the function with a log group has printed.
func (l *Lambda) lines(group string) ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.functions {
		if f.LogGroup == group {
			return strings.Split(strings.TrimSpace(f.Program.Log().String()), "\n"), true
		}
	}
	return nil, false
}

// stamped is when a line was written, in milliseconds, or now.
func stamped(line string) int64 {
	var record struct{ Timestamp time.Time }
	if json.Unmarshal([]byte(line), &record) != nil || record.Timestamp.IsZero() {
		return time.Now().UnixMilli()
	}
	return record.Timestamp.UnixMilli()
}

// equation is one of a filter pattern for JSON: $.user = "…".
var equation = regexp.MustCompile(`\$\.(\w+)\s*=\s*(?:"([^"]*)"|([^\s)}]+))`)

// fits knows filter patterns of two kinds: equations with && or || between, and terms
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
func fits(line, pattern string) bool {
	if !strings.HasPrefix(pattern, "{") {
		terms := strings.Fields(strings.ReplaceAll(pattern, `"`, " "))
		return !slices.ContainsFunc(terms, func(term string) bool { return !strings.Contains(line, term) })
	}
	record := make(map[string]any)
	if json.Unmarshal([]byte(line), &record) != nil {
		return false
	}
	equations := equation.FindAllStringSubmatch(pattern, -1)
	holds := func(e []string) bool { return fmt.Sprint(record[e[1]]) == e[2]+e[3] }
	if strings.Contains(pattern, "||") {
		return slices.ContainsFunc(equations, holds)
	}
	return !slices.ContainsFunc(equations, func(e []string) bool { return !holds(e) })
}
