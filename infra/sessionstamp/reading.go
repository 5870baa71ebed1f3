package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// maxPages bounds a list of users: 20 million.
const maxPages = 20_000

// A reading is what a tenant's Graph shows.
type reading struct {
	domains []directory.Domain
	users   []directory.User
	// unreadable counts users who could not be read.
	unreadable int
}

// read reads all domains and users of a tenant. If a domain is named, it must be one of
// the federated ones, or below one.
func (c *call) read(ctx context.Context, t tenant, domain string) (r reading, err error) {
	counter := c.count()
	defer counter.end()
	if r.domains, err = t.Domains(ctx); err != nil {
		return r, err
	}
	if domain != "" && !stamp.FederatedAmong(r.domains).Contain(domain) {
		return r, misuse("use.domain", domain, c.some(census.Take(r.domains, nil, c.Now()).Federated))
	}
	next := ""
	for range maxPages {
		page, err := t.UserPage(ctx, next)
		if err != nil {
			return r, err
		}
		r.users, r.unreadable = append(r.users, page.Users...), r.unreadable+page.Unreadable
		counter.show(len(r.users))
		if next = page.Next; next == "" {
			return r, nil
		}
	}
	return r, failure(nil, "fail.endless", language.Number(maxPages))
}

// A counter tells on standard error how many users were read, once that takes longer than
// a second. Nobody knows how many there are.
type counter struct {
	c     *call
	began time.Time

	mu    sync.Mutex
	told  time.Time
	done  int
	drawn int // cells

	stop chan struct{}
	over sync.WaitGroup
}

const (
	patience  = time.Second      // before the first line
	elsewhere = 10 * time.Second // between lines where no line can be drawn over
)

// count begins to count. Its goroutine, which writes while Graph is silent, lives until
// end.
func (c *call) count() *counter {
	k := &counter{c: c, began: c.Now(), stop: make(chan struct{})}
	k.over.Go(func() {
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				k.show(0)
			case <-k.stop:
				return
			}
		}
	})
	return k
}

// add counts more.
func (k *counter) add(users int) {
	k.mu.Lock()
	done := k.done + users
	k.mu.Unlock()
	k.show(done)
}

// show tells a count that has grown, or the last one again.
func (k *counter) show(done int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = max(k.done, done)
	now := k.c.Now()
	if now.Sub(k.began) < patience || !k.c.Err.Live && now.Sub(k.told) < elsewhere {
		return
	}
	k.told = now
	text := screen.Cut(k.c.say("reading", language.Number(k.done)), k.c.Err.Columns-1)
	if !k.c.Err.Live {
		_, _ = fmt.Fprintln(k.c.Stderr, text)
		return
	}
	_, _ = io.WriteString(k.c.Stderr, "\r"+text)
	k.drawn = screen.Width(text)
}

// end takes the line away: the result follows.
func (k *counter) end() {
	close(k.stop)
	k.over.Wait()
	if k.drawn > 0 {
		_, _ = io.WriteString(k.c.Stderr, "\r"+strings.Repeat(" ", k.drawn)+"\r")
	}
}
