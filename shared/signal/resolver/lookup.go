package resolver

import (
	"context"
	"errors"
	"net/http"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// lookUp asks about each subject until a question has an answer. It settles the jobs of
// which the directory can't tell anything now.
func (r *Resolver) lookUp(ctx context.Context, jobs []*job) {
	for round := 0; ; round++ {
		asking := filter(open(jobs), func(j *job) bool { return len(j.users) == 0 && round < len(j.questions()) })
		if len(asking) == 0 {
			return
		}
		questions := make([]directory.Question, len(asking))
		for i, j := range asking {
			questions[i] = j.questions()[round]
		}
		for i, found := range r.ask(ctx, questions) {
			asking[i].learn(found)
		}
	}
}

// ask returns an answer for each question. One that Graph refuses may spoil the call, so
// then each is asked alone.
func (r *Resolver) ask(ctx context.Context, questions []directory.Question) []directory.Found {
	found, err := r.Directory.LookUp(ctx, questions)
	switch {
	case err == nil:
		return found
	case len(questions) == 1 || !refused(err):
		found = make([]directory.Found, len(questions))
		for i := range found {
			found[i].Err = err
		}
		return found
	}
	found = nil
	for i := range questions {
		found = append(found, r.ask(ctx, questions[i:i+1])...)
	}
	return found
}

// refused tells whether Graph will never answer the question, for a reason that lies in
// it.
func refused(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation != directory.Token && !e.OfCredential()
}

// unavailable is the reason for a failure of Graph that says nothing of the subject.
func unavailable(err error) signal.Reason {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case ok && e.Throttled():
		return Throttled
	case ok && e.Forbidden():
		return GraphForbidden
	}
	return GraphUnavailable
}
