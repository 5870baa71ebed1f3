package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// whom are the ways to say who is meant, of which one is taken.
type whom struct {
	names               []string
	file, group, domain string
	all                 bool
	goOn                bool // with the order that was stopped
	list                userlist.List
}

// stdin is the file that stands for standard input.
const stdin = "-"

func (w *whom) flags(c *call, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(text{&w.file, "FILE"}, "file", c.help("flag.file"))
	flags.Var(text{&w.group, "NAME|ID"}, "group", c.help("flag.group"))
	flags.Var(domainName{&w.domain}, "domain", c.help("flag.only-domain"))
	flags.BoolVar(&w.all, "all", false, c.help("flag.all"))
	flags.BoolVar(&w.goOn, "continue", false, c.help("flag.continue"))
	_ = cmd.MarkFlagFilename("file") // it fails only for a flag that there is not
}

// ways are those that were taken.
func (w whom) ways() (ways []string) {
	for _, way := range []struct {
		name  string
		taken bool
	}{
		{"USER", len(w.names) > 0}, {"--file", w.file != ""}, {"--group", w.group != ""},
		{"--domain", w.domain != ""}, {"--all", w.all}, {"--continue", w.goOn},
	} {
		if way.taken {
			ways = append(ways, way.name)
		}
	}
	return ways
}

// readFile reads the list of users, if there is one.
func (c *call) readFile(ctx context.Context, w *whom) error {
	if w.file == "" {
		return nil
	}
	list, err := readWhole(ctx, c, w.file, userlist.Read)
	w.list = list
	return err
}

// readWhole reads a file to its end, unless the person stops it before: nothing else ends the
// reading of a terminal or of a pipe.
func readWhole[T any](ctx context.Context, c *call, name string, read func(io.Reader) (T, error)) (T, error) {
	type answer struct {
		found T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		found, err := readNamed(c, name, read)
		answered <- answer{found, err}
	}()
	var a answer
	select {
	case a = <-answered:
	case <-ctx.Done():
		return a.found, ctx.Err()
	}
	if refused, ok := errors.AsType[*userlist.Refused](a.err); ok {
		return a.found, &trouble{status: wrongUse, key: "use.list", args: []any{name}, more: strings.Split(refused.In(c.lang), "\n"), cause: a.err}
	}
	if _, ok := errors.AsType[*fs.PathError](a.err); ok { // it is not there, or a folder
		return a.found, misuse("use.file", name)
	}
	return a.found, a.err
}

func readNamed[T any](c *call, name string, read func(io.Reader) (T, error)) (found T, err error) {
	if name == stdin {
		return read(c.Stdin)
	}
	file, err := os.Open(name) //nolint:gosec // the person names it
	if err != nil {
		return found, err
	}
	defer func() { _ = file.Close() }()
	return read(file)
}

// A miss is a line of a file that leads to nobody, or to several.
type miss struct {
	userlist.User
	fate string
}

// What becomes of a miss.
const (
	notFound = string(job.NotFound)
	several  = "several"
)

// wanted says whom an errand means, in the words of package job.
func (c *call) wanted(ctx context.Context, t tenant, e errand) (w job.Wanted, missed []miss, err error) {
	w.Verb = e.verb
	switch {
	case e.all:
		w.All = true
	case e.domain != "":
		w.Domain, err = e.domain, c.federated(ctx, t, e.domain)
	case e.group != "":
		w.Users, err = c.members(ctx, t, e.group)
	case e.file != "":
		missed, err = c.listed(ctx, t, e.list.Users, func(_ userlist.User, id string) { w.Users = append(w.Users, id) })
	case e.from != "":
		missed, err = c.logged(ctx, t, e.log.Changes, &w)
	default:
		w.Users, err = c.called(ctx, t, e.names)
	}
	return w, missed, err
}

// federated refuses a domain in which nobody can be meant.
func (c *call) federated(ctx context.Context, t tenant, domain string) error {
	domains, err := t.Domains(ctx)
	if err == nil && !stamp.FederatedAmong(domains).Contain(domain) {
		err = misuse("use.domain", domain, c.some(census.Take(domains, nil, c.Now()).Federated))
	}
	return err
}

// members are the users of a group, and of the groups within it.
func (c *call) members(ctx context.Context, t tenant, name string) (all []string, err error) {
	group, err := c.group(ctx, t, name)
	if err != nil {
		return nil, err
	}
	return membersOf(ctx, t, group)
}

// membersOf reads all members of a group.
func membersOf(ctx context.Context, graph interface {
	TransitiveMembers(ctx context.Context, groupID, next string) (ids []string, after string, err error)
}, group string,
) (all []string, err error) {
	next := ""
	for range maxPages {
		var ids []string
		if ids, next, err = graph.TransitiveMembers(ctx, group, next); err != nil {
			return nil, err
		}
		if all = append(all, ids...); next == "" {
			return all, nil
		}
	}
	return nil, failure(nil, "fail.endless", language.Number(maxPages))
}

// called finds the users of the command line: one who is not found was spelt wrongly.
func (c *call) called(ctx context.Context, t tenant, names []string) (ids []string, err error) {
	reads, err := t.FindUsers(ctx, names)
	if err != nil {
		return nil, err
	}
	for i, read := range reads {
		if err := explainName(read.Err, names[i]); err != nil {
			return nil, err
		}
		ids = append(ids, read.User.ID)
	}
	return ids, nil
}

// listed finds the users of a file, and those of its lines that lead to nobody.
func (c *call) listed(ctx context.Context, t tenant, users []userlist.User, found func(u userlist.User, id string)) (missed []miss, err error) {
	for some := range slices.Chunk(users, msgraph.MaxBatch) {
		names := make([]string, len(some))
		for i, u := range some {
			names[i] = u.Name
		}
		reads, err := t.FindUsers(ctx, names)
		if err != nil {
			return nil, err
		}
		t.seen(len(reads))
		for i, read := range reads {
			switch {
			case read.Err == nil:
				found(some[i], read.User.ID)
			case errors.Is(read.Err, directory.ErrNoUser), errors.Is(read.Err, directory.ErrNoName):
				missed = append(missed, miss{some[i], notFound})
			case errors.Is(read.Err, directory.ErrSeveralUsers):
				missed = append(missed, miss{some[i], several})
			default:
				return nil, read.Err
			}
		}
	}
	return missed, nil
}

// unfinished returns the order on this machine that was stopped, without signing in.
func (c *call) unfinished(ctx context.Context) (o job.Order, found bool, err error) {
	if c.demo { // whose file lasts no longer than a call
		return o, false, nil
	}
	folder, _, err := c.folder(ctx)
	if err != nil {
		return o, false, nil //nolint:nilerr // no place for files is no order either
	}
	id, err := c.knownTenant(folder)
	if err != nil || id == "" {
		return o, false, nil //nolint:nilerr // nor is a tenant that nobody can tell
	}
	err = glance(ctx, folder, id, func(file *bolt.File) (err error) {
		o, found, err = job.New(job.Config{Tenant: id, File: file}).Unfinished(ctx)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return o, found, err
}

// ask writes a question, and reads the line that answers it.
func (c *call) ask(ctx context.Context, question string) (string, error) {
	_, _ = io.WriteString(c.Stderr, question)
	answer := make(chan string, 1)
	// It ends with the line or with the process: nothing ends the reading of a terminal.
	go func() { answer <- readLine(c.Stdin) }()
	select {
	case line := <-answer:
		if !strings.HasSuffix(line, "\n") {
			_, _ = io.WriteString(c.Stderr, "\n")
		}
		return plainAnswer(line), nil
	case <-ctx.Done():
		_, _ = io.WriteString(c.Stderr, "\n")
		return "", ctx.Err()
	}
}

// readLine reads no further than the end of a line.
func readLine(r io.Reader) string {
	var line []byte
	for one := make([]byte, 1); len(line) < 1<<10; {
		if n, err := r.Read(one); n == 0 && err != nil {
			break
		}
		if line = append(line, one[0]); one[0] == '\n' {
			break
		}
	}
	return string(line)
}
