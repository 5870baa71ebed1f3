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
		return err
	})
	switch {
	case errors.Is(err, errExpired):
		r.checkpoint.DeltaLink, r.checkpoint.Full = "", nil
		r.report.Expired++
		if err := r.save(ctx); err != nil {
			return page, err
		}
		return page, err
	case err != nil:
		return page, err
	case page.Next == "" && page.Delta == "":
		return page, errors.New("read a page of changes: it ends without a link")
	case page.Next == link:
		return page, errors.New("read a page of changes: it leads to itself")
	}
	r.report.Pages++
	r.report.Unreadable += page.Unreadable
	return page, nil
}
