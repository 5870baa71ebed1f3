package main

import (
	"context"
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
	if r.domains, err = t.Domains(ctx); err != nil {
		return r, err
	}
	if domain != "" && !stamp.FederatedAmong(r.domains).Contain(domain) {
		return r, misuse("use.domain", domain, c.some(census.Take(r.domains, nil, c.Now()).Federated))
	}
	r.users, r.unreadable, err = c.everybody(ctx, t)
	return r, err
}

// everybody reads all users, and counts those who could not be read.
func (c *call) everybody(ctx context.Context, graph interface {
	UserPage(ctx context.Context, next string) (directory.UserPage, error)
}) (users []directory.User, unreadable int, err error) {
	counter := c.count()
	defer counter.end()
	next := ""
	for range maxPages {
		page, err := graph.UserPage(ctx, next)
		if err != nil {
			return users, unreadable, err
		}
		users, unreadable = append(users, page.Users...), unreadable+page.Unreadable
		counter.add(len(page.Users))
		if next = page.Next; next == "" {
			return users, unreadable, nil
		}
	}
	return users, unreadable, failure(nil, "fail.endless", language.Number(maxPages))
}

// A counter tells on standard error how many users were read, once that takes longer than
// a second.
type counter struct {
	mu       sync.Mutex
	progress *screen.Progress
	read     int
	silence  func() // ends what writes while Graph is silent
}

// count begins to count, until end.
func (c *call) count() *counter {
	k := &counter{progress: screen.NewProgress(c.Stderr, c.Err, c.lang, c.Now)}
	k.silence = repeat(time.Second, func() { k.add(0) })
	return k
}

// repeat does something again and again, on a goroutine of its own. end waits for the last
// time.
func repeat(every time.Duration, do func()) (end func()) {
	stop := make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do()
			case <-stop:
				return
			}
		}
	})
	return func() {
		close(stop)
		over.Wait()
	}
}

// add counts more.
func (k *counter) add(users int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read += users
	k.progress.Show(screen.Count{Done: k.read, Total: screen.Unknown})
}

// end takes the line away: the result follows.
func (k *counter) end() {
	k.silence()
	k.progress.Clear()
}
