package resolver

import (
	"context"
	"errors"
	"net/http"

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
		found, err := r.Directory.LookUp(ctx, questions)
		if err != nil {
			leaveAll(asking, GraphUnavailable, err)
			return
		}
		for i, f := range found {
			asking[i].learn(f)
		}
	}
}

// learn takes in the answer to a question. Graph refuses by 400 to look for what can't be
// anybody's: then nobody answers to it.
func (j *job) learn(f directory.Found) {
	e, _ := errors.AsType[*directory.Error](f.Err)
	switch {
	case f.Err == nil:
		j.users = f.Users
	case e != nil && e.StatusCode == http.StatusBadRequest:
		j.out.Err = f.Err
	default:
		j.leave(GraphUnavailable, f.Err)
	}
}
