package metrics

import "time"

// Metrics of what the app signs in with, and of its rotation.
const (
	// DaysToCredentialExpiry is how long the stored credential is good for: below 0
	// where it has expired.
	DaysToCredentialExpiry = "DaysToCredentialExpiry" //nolint:gosec // the name of a metric
	// RotationFailed is 1 where a step of a rotation failed, else 0. A failure also
	// counts for its reason.
	RotationFailed = "RotationFailed"
)

const hoursPerDay = 24

// ObserveExpiry is told when the stored credential expires. The zero time, where that
// is not known, is not told on.
func (r *Recorder) ObserveExpiry(expires time.Time) {
	if expires.IsZero() {
		return
	}
	days := expires.Sub(r.config.Now()).Hours() / hoursPerDay
	r.write(line{metrics: []metric{one(DaysToCredentialExpiry, none, days)}})
}

// ObserveRotation is told of one step of a rotation: failed is the reason why it
// failed, "" where it did not.
func (r *Recorder) ObserveRotation(failed string) {
	r.write(line{reason: failed, metrics: []metric{flag(RotationFailed, failed != "")}})
}
