package awstest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Fault is a failure of one call, or of several in a row.
type Fault struct {
	// Match is which calls are counted; nil means all.
	Match Match
	// Call is the first that fails, counted from 1 since the fault was injected.
	Call int
	// Times is how many fail in a row, 0 meaning one. The SDKs repeat what fails by a
	// broken connection or with a status of 500 and more, two times at least.
	Times int
	// After lets the call have its effect first.
	After bool
	// Status and Code are the answer: 400, "ValidationError". Without a status the
	// connection breaks.
	Status int
	Code   string
}

// armed is a fault that has counted calls.
type armed struct {
	Fault
	seen int
}

// Inject lets calls fail from now on, until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &armed{Fault: f}
	s.faults = append(s.faults, a)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = slices.DeleteFunc(s.faults, func(other *armed) bool { return other == a })
	}
}

// Forbid refuses calls with AccessDenied until allow is called.
func (s *Server) Forbid(m Match) (allow func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forbidden = append(s.forbidden, &m)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forbidden = slices.DeleteFunc(s.forbidden, func(other *Match) bool { return other == &m })
	}
}

// Calls are all calls so far in their order, those included that were forbidden or failed.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Do writes down an action that AWS itself carries out for a caller and that is not called
// here, such as lambda:CreateFunction. It returns the error if that is forbidden.
func (s *Server) Do(caller, action, resource string) error {
	refused, _ := s.note(&Call{Caller: caller, Action: action, Resource: resource})
	if refused == nil {
		return nil
	}
	return refused
}

// note writes a call down and tells what becomes of it.
func (s *Server) note(c *Call) (*Refusal, *armed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bare := Call{Caller: c.Caller, Action: c.Action, Resource: c.Resource}
	s.calls = append(s.calls, bare)
	for _, forbids := range s.forbidden {
		if (*forbids)(bare) {
			return denied(bare), nil
		}
	}
	for _, f := range s.faults {
		if f.Match != nil && !f.Match(bare) {
			continue
		}
		if f.seen++; f.seen >= f.Call && f.seen < f.Call+max(f.Times, 1) {
			return nil, f
		}
	}
	return nil, nil
}

// denied is how IAM refuses
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
func denied(c Call) *Refusal {
	return &Refusal{Status: http.StatusForbidden, Code: "AccessDenied", Message: fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		c.Caller, c.Action, c.Resource, c.Action)}
}

// strike answers with the fault, or breaks the connection.
func (f *armed) strike(w http.ResponseWriter, c *Call) {
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	c.Refuse(w, &Refusal{Status: f.Status, Code: f.Code, Message: "made to fail at " + time.Now().UTC().Format(time.RFC3339)})
}
