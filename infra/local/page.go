package main

import (
	"bytes"
	"os"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
)

// page is the result as the command reports of a tenant. It doesn't count the members: the
// run tells of those who came, and of others only if something made it look at them.
func (r result) page(now time.Time) report.Report {
	page := report.Report{
		Head: report.Head{
			Demo: true, At: now.UTC(), FederatedDomains: []string{federatedDomain, subdomain}, ManagedDomains: []string{managedDomain},
		},
		ExclusionsNamed: true,
		Zeros:           report.Zeros{Missed: &r.Unstamped, CalledAgain: &r.StampedTwice, OutOfScope: &r.OutOfScopeTouched},
	}
	if r.Stamped > 0 {
		speed := &report.Speed{
			Users: r.Stamped, Median: tenths(float64(r.LatencyMS.P50) / 1000), P95: tenths(float64(r.LatencyMS.P95) / 1000), Longest: tenths(float64(r.LatencyMS.Max) / 1000),
		}
		for i, n := range r.Histogram {
			bucket := report.Bucket{Users: n}
			if i < len(bounds) {
				bucket.Below = float64(bounds[i])
			}
			speed.Histogram = append(speed.Histogram, bucket)
		}
		page.Machine = &report.Machine{Stamped: r.Stamped, FoundBySweep: r.MissedByWebhook, First: now, Last: now, Speed: speed}
	}
	for _, reason := range report.Reasons() {
		if n := r.LeftAlone[string(reason)]; n > 0 {
			page.Left = append(page.Left, report.Left{Reason: reason, Users: n})
		}
	}
	slices.SortFunc(page.Left, func(a, b report.Left) int { return b.Users - a.Users })
	return page
}

func (r result) writePage(file string, now time.Time) error {
	var out bytes.Buffer
	if err := report.WriteHTML(&out, r.page(now), language.English, now.Location()); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o600)
}
