package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// query is one of GetMetricData
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html).
type query struct {
	ID         string `json:"Id"`
	Label      string
	MetricStat *struct {
		Stat   string
		Metric metric
	}
}

type metric struct {
	Namespace, MetricName string
	Dimensions            []struct{ Name, Value string }
}

// playMetrics answers GetMetricData about what the functions have written in the embedded
// metric format, one value for the whole time, and about what [Lambda.Measure] was told.
func (l *Lambda) playMetrics(w http.ResponseWriter, c *Call) bool {
	var in struct {
		StartTime, EndTime float64 // seconds
		MetricDataQueries  []query
	}
	if c.operation != "GetMetricData" || json.Unmarshal(c.Body, &in) != nil {
		return false
	}
	from, to := int64(in.StartTime*1000), int64(in.EndTime*1000)
	results := []any{}
	for _, q := range in.MetricDataQueries {
		result := map[string]any{"Id": q.ID, "Label": q.Label, "StatusCode": "Complete", "Timestamps": []any{}, "Values": []any{}}
		if q.MetricStat != nil {
			if measured := l.measuredOf(q.MetricStat.Metric); measured > 0 {
				result["Timestamps"], result["Values"] = []any{in.EndTime - 60}, []any{measured}
			} else if all := l.values(q.MetricStat.Metric, from, to); len(all) > 0 {
				result["Timestamps"], result["Values"] = []any{in.StartTime}, []any{statistic(q.MetricStat.Stat, all)}
			}
		}
		results = append(results, result)
	}
	c.Answer(w, http.StatusOK, map[string]any{"MetricDataResults": results, "Messages": []any{}})
	return true
}

// key is the name of a metric and the values of its dimensions.
func (m metric) key() string {
	key := m.MetricName
	for _, d := range m.Dimensions {
		key += " " + d.Value
	}
	return key
}

// Measure sets what AWS itself has measured a minute ago, 0 for nothing: the metric is named
// with the value of its dimension, "Errors sessionstamp-keeper".
func (l *Lambda) Measure(metric string, value float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measured[metric] = value
}

func (l *Lambda) measuredOf(m metric) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.measured[m.key()]
}

// values are those of a metric that were written from one moment to another, in
// milliseconds.
func (l *Lambda) values(m metric, from, to int64) (all []float64) {
	for _, line := range l.everyLine() {
		var header struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct{ Namespace string }
			} `json:"_aws"`
		}
		record := make(map[string]any)
		if !strings.Contains(line, `"_aws"`) || json.Unmarshal([]byte(line), &header) != nil || json.Unmarshal([]byte(line), &record) != nil {
			continue
		}
		value, has := record[m.MetricName].(float64)
		written := slices.ContainsFunc(header.AWS.CloudWatchMetrics, func(d struct{ Namespace string }) bool { return d.Namespace == m.Namespace })
		if has && written && header.AWS.Timestamp >= from && header.AWS.Timestamp <= to && m.of(record) {
			all = append(all, value)
		}
	}
	return all
}

// of tells whether a record has the dimensions.
func (m metric) of(record map[string]any) bool {
	for _, d := range m.Dimensions {
		if fmt.Sprint(record[d.Name]) != d.Value {
			return false
		}
	}
	return true
}

func statistic(name string, all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	switch name {
	case "Minimum":
		return slices.Min(all)
	case "Maximum":
		return slices.Max(all)
	case "SampleCount":
		return float64(len(all))
	case "Average":
		return sum / float64(len(all))
	}
	return sum
}

// everyLine is what all functions have printed.
func (l *Lambda) everyLine() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.functions {
		all = append(all, strings.Split(f.Program.Log().String(), "\n")...)
	}
	return all
}
