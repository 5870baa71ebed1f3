package resolver

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// lookUp asks about each subject until a question has an answer. It leaves the jobs of
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
		for i, f := range r.ask(ctx, questions) {
			asking[i].learn(f)
		}
	}
}

// ask returns an answer for each question. One that Graph refuses may spoil the call, so
// then each is asked alone.
func (r *Resolver) ask(ctx context.Context, questions []directory.Question) (answers []directory.Found) {
	found, err := r.Directory.LookUp(ctx, questions)
	switch {
	case err == nil:
		return found
	case len(questions) == 1 || !refused(err):
		return slices.Repeat([]directory.Found{{Err: err}}, len(questions))
	}
	for i := range questions {
		answers = append(answers, r.ask(ctx, questions[i:i+1])...)
	}
	return answers
}

// learn takes in the answer to a question. To one that Graph refuses nobody answers.
func (j *job) learn(f directory.Found) {
	switch {
	case f.Err == nil:
		j.users = f.Users
	case refused(f.Err):
		j.out.Err = f.Err
	default:
		j.leave(GraphUnavailable, f.Err)
	}
}

// refused tells whether Graph will never answer the question, for a reason that lies in
// it.
func refused(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation != directory.Token && !e.OfCredential()
}
