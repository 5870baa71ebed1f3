package sweep

import (
	"context"
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// increment follows the chain to its present end. The link moves on with every
// page, once its candidates are queued.
func (r *run) increment(ctx context.Context) error {
	for {
		if err := r.proceed(ctx); err != nil {
			return err
		}
		page, err := r.deltaPage(ctx)
		if err != nil {
			return err
		}
		if _, err := r.take(ctx, page.Users, r.wantedOfIncrement); err != nil {
			return err
		}
		r.checkpoint.DeltaLink = page.Delta
		if page.Next != "" {
			r.checkpoint.DeltaLink = page.Next
		}
		if err := r.save(ctx); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
	}
}

// deltaPage reads the page at the end of the chain. If the link has expired the
// chain is broken, which only a full round mends. One that is under way was
// begun in trust in this chain, so that it is of no use either.
func (r *run) deltaPage(ctx context.Context) (page directory.UserPage, err error) {
	link := r.checkpoint.DeltaLink
	err = r.call(link, "read a page of changes", func() (err error) {
		page, err = r.Graph.DeltaPage(ctx, link)
		switch {
		case err != nil:
			return err
		case page.Next == "" && page.Delta == "":
			return errNoLink
		case page.Next == link:
			return errItself
		}
		return nil
	})
	switch {
	case errors.Is(err, errExpired):
		r.checkpoint.DeltaLink, r.checkpoint.Full = "", nil
		r.report.Expired++
		if err := r.save(ctx); err != nil {
			return page, err
		}
		return page, err
	case errors.Is(err, errStuck):
		r.checkpoint.Failed++
		return page, err
	case err != nil:
		return page, err
	}
	r.checkpoint.Failed = 0
	r.report.Pages++
	r.report.Unreadable += page.Unreadable
	return page, nil
}

// refound gives the chain up that an increment was stuck at with err, if a full
// round is to be made anyway or it was for too many runs, and founds another one. It
// tells whether it did: while Graph gives no new link, the old one is kept.
func (r *run) refound(ctx context.Context, err error) bool {
	c := &r.checkpoint
	wanted := c.Failed >= maxFailed || c.askedAnew() || c.Full == nil && r.fullDue(r.Now()) != ""
	if !wanted || !errors.Is(err, errStuck) {
		return false
	}
	old := *c
	c.DeltaLink, c.Failed, c.Full = "", 0, nil
	if err := r.beginFull(ctx); err != nil {
		*c = old
		return false
	}
	r.report.Expired++
	return true
}
