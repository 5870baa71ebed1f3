package stack

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// An Alarm is one of the stack's.
type Alarm struct {
	// Logical is its name in the template, such as "SweepAlarm"; Name its own.
	Logical, Name string
	// State is "OK", "ALARM" or "INSUFFICIENT_DATA", since Since.
	State string
	Since time.Time
	// Muted: its actions are switched off, so that nobody hears it.
	Muted bool
	// Description says what it means and what to do, in English.
	Description string
}

// Rings tells whether it is in alarm.
func (a Alarm) Rings() bool { return a.State == string(types.StateValueAlarm) }

// Alarms returns all alarms, those that ring first.
func (s *Stack) Alarms(ctx context.Context) ([]Alarm, error) {
	logical := make(map[string]string)
	var names []string
	for id, name := range s.Resources {
		if strings.HasSuffix(id, "Alarm") && name != "" {
			logical[name], names = id, append(names, name)
		}
	}
	if len(names) == 0 { // else CloudWatch would tell of all
		return nil, nil
	}
	got, err := cloudwatch.NewFromConfig(s.account.Config()).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names, MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, account.Explain(err)
	}
	alarms := make([]Alarm, 0, len(got.MetricAlarms))
	for _, a := range got.MetricAlarms {
		name := aws.ToString(a.AlarmName)
		alarms = append(alarms, Alarm{
			Logical: logical[name], Name: name, State: string(a.StateValue),
			Since: aws.ToTime(a.StateUpdatedTimestamp).UTC(), Muted: a.ActionsEnabled != nil && !*a.ActionsEnabled, Description: aws.ToString(a.AlarmDescription),
		})
	}
	slices.SortFunc(alarms, func(a, b Alarm) int {
		if a.Rings() != b.Rings() {
			return map[bool]int{true: -1, false: 1}[a.Rings()]
		}
		return strings.Compare(a.Logical, b.Logical)
	})
	return alarms, nil
}

// Sums adds up metrics of the stack, by their names, from a moment to now.
func (s *Stack) Sums(ctx context.Context, from, to time.Time, names ...string) (map[string]float64, error) {
	const day = 24 * 60 * 60
	in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to}
	for i, name := range names {
		own := measure{namespace: "sessionstamp", name: name, dimension: "Stack", value: s.Name, stat: "Sum"}
		in.MetricDataQueries = append(in.MetricDataQueries, own.query(i, day))
	}
	results, err := s.metricData(ctx, in)
	if err != nil {
		return nil, err
	}
	sums := make(map[string]float64, len(names))
	for _, result := range results {
		for _, value := range result.Values {
			sums[aws.ToString(result.Label)] += value
		}
	}
	return sums, nil
}

// A Record is one line of a function's log.
type Record struct {
	At time.Time
	// Message is the line: JSON, in what we log ourselves.
	Message string
}

// Logs searches the log of one of [FunctionNames] since a moment with a [pattern]. It reads
// up to limit records, the oldest first, and tells whether there are more. A log of which
// nothing is kept yet is empty.
//
// [pattern]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func (s *Stack) Logs(ctx context.Context, function string, since time.Time, pattern string, limit int) (records []Record, more bool, err error) {
	group, err := s.resource(strings.TrimSuffix(function, "Function") + "LogGroup")
	if err != nil {
		return nil, false, err
	}
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, StartTime: aws.Int64(since.UnixMilli())}
	if pattern != "" {
		in.FilterPattern = &pattern
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(s.account.Config()), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return records, false, explain(err)
		}
		for _, e := range page.Events {
			if len(records) == limit {
				return records, true, nil
			}
			records = append(records, Record{time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), aws.ToString(e.Message)})
		}
	}
	return records, false, nil
}
