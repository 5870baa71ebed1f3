package metrics

import "time"

// Metrics of signing in, of what the app signs in with, and of rotations.
const (
	// DaysToCredentialExpiry is how long the stored credential is good for: below 0
	// where it has expired.
	DaysToCredentialExpiry = "DaysToCredentialExpiry" //nolint:gosec // the name of a metric
	// SignInFailed is 1 where a function could not sign in, and that does not end by
	// itself. Nothing is told where it could.
	SignInFailed = "SignInFailed"
	// RotationFailed is 1 where a step of a rotation of that credential failed, and 0
	// where a rotation came to its end: in between nothing is told, so that the last
	// value says how matters stand. A failure also counts for its reason.
	RotationFailed = "RotationFailed"
	// ClientStateRotationFailed is the same of the clientState.
	ClientStateRotationFailed = "ClientStateRotationFailed"
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

// ObserveSignInFailure is told that a function could not sign in.
func (r *Recorder) ObserveSignInFailure() {
	r.write(line{metrics: []metric{flag(SignInFailed, true)}})
}

// ObserveRotation is told of a rotation of the credential: failed is the reason why a
// step of it failed, "" where the last one did not.
func (r *Recorder) ObserveRotation(failed string) { r.rotated(RotationFailed, failed) }

// ObserveClientStateRotation is told the same of the clientState.
func (r *Recorder) ObserveClientStateRotation(failed string) {
	r.rotated(ClientStateRotationFailed, failed)
}

func (r *Recorder) rotated(name, failed string) {
	r.write(line{reason: failed, metrics: []metric{flag(name, failed != "")}})
}
