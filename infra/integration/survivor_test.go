package integration

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A survivor is a process of the revoker that goes on while what it signs in with is
// replaced.
type survivor struct {
	world    *world
	function *function
	pid      int
	reads    int // of the secret, by this process and those before it
}

// survivor starts a process of the revoker in place of the one there may be, and has it
// handle a user. It reads the secret once.
func (w *world) survivor(user string) *survivor {
	w.t.Helper()
	s := &survivor{world: w, function: w.functions["RevokerFunction"]}
	s.reads = s.function.recorder.count(readSecret)
	s.function.program.Close()
	w.stamps(user)
	s.pid = s.function.program.PID()
	s.reads++
	s.check()
	return s
}

// readSecret is how a program reads what it signs in with. The revoker reads no other
// secret.
const readSecret = "secretsmanager:GetSecretValue"

// stamps lets a user appear, and has the same process handle it, at the first attempt.
// Refusals are how often Entra refuses what the process holds, and so how often it reads
// the secret.
func (s *survivor) stamps(user string, refusals int) {
	s.world.t.Helper()
	before := s.world.graph.refused.Load()
	id := s.world.stamps(user)
	if first := s.world.logged("RevokerFunction", map[string]any{"message": "user handled", "user": id}); first["reason"] != "revoked" {
		s.world.t.Errorf("the user %s was put back first: %v", user, first["reason"])
	}
	if n := s.world.graph.refused.Load() - before; n != int64(refusals) {
		s.world.t.Errorf("while the user %s was handled, Entra refused %d sign-ins, want %d", user, n, refusals)
	}
	s.reads += refusals
	s.check()
}

func (s *survivor) check() {
	s.world.t.Helper()
	if n := s.function.recorder.count(readSecret); n != s.reads {
		s.world.t.Errorf("the secret was read %d times, want %d", n, s.reads)
	}
	if pid := s.function.program.PID(); pid == 0 || pid != s.pid {
		s.world.t.Errorf("the process %d handled the user, want %d", pid, s.pid)
	}
}

// replacedLate does a rotation, and checks that what was new was tried before Entra had
// heard of it.
func (w *world) replacedLate(id string) {
	w.t.Helper()
	r := w.beginRotation(id)
	w.must(r.all())
	record := w.logged("RotatorFunction", map[string]any{"step": "testSecret", "version_id": r.token})
	if attempts, _ := record["attempts"].(float64); attempts <= float64(rotation.DefaultSettings.Proofs) {
		w.t.Errorf("the rotator tried the new credential %g times, want more than the %d that must succeed", attempts, rotation.DefaultSettings.Proofs)
	}
}

// called checks how often Graph was called to do something with the app registration.
func (w *world) called(operation string, want int) {
	w.t.Helper()
	got := 0
	for route, n := range w.graph.Counts().ByRoute {
		if strings.HasSuffix(route, "/"+operation) {
			got += n
		}
	}
	if got != want {
		w.t.Errorf("Graph was called %d times for %s, want %d", got, operation, want)
	}
}
