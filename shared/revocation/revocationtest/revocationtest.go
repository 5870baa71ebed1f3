// Package revocationtest holds the conformance suites of the interfaces that
// package revocation declares. Whatever passes them may stand behind a Revoker.
//
// The suites assume neither a virtual clock nor an empty store: every case uses
// tenants and users of its own, so that many runs can share one table, and no
// case waits for more than about two seconds.
package revocationtest

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// NewID returns a random object or tenant id, a lower-case GUID.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newIDs returns n different ids.
func newIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = NewID()
	}
	return ids
}

// sampleTime is a moment that needs every digit down to the microsecond, which
// is what a store must keep.
var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

// sampleRequest has a value in every field.
func sampleRequest(tenant, user string) revocation.Request {
	return revocation.Request{
		Tenant:   tenant,
		User:     user,
		Source:   revocation.SourceSweep,
		Seen:     sampleTime,
		ReadBack: true,
		Missed:   true,
		Backfill: true,
		Attempt:  3,
	}
}

// A Runner runs one case of a suite that waits. [synctest.Test] is one, for
// implementations that need no network; RealTime is the other.
//
// [synctest.Test]: https://pkg.go.dev/testing/synctest#Test
type Runner func(t *testing.T, run func(*testing.T))

// RealTime is the Runner for implementations that talk to a server.
func RealTime(t *testing.T, run func(*testing.T)) { run(t) }
