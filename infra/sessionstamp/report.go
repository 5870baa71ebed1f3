package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// reporting are the flags of report.
type reporting struct {
	exclusions
	out        string
	deployment // without a name this machine is asked
}

// toStdout is the name of a file that means standard output.
const toStdout = "-"

func (c *call) reportVerb() *cobra.Command {
	var r reporting
	cmd := c.verb("report", func(cmd *cobra.Command, _ []string) error { return c.report(cmd.Context(), r) })
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok && wrong.GetValue() == "html" {
			return misuse("use.html")
		}
		return c.flagError(cmd, err)
	})
	cmd.Flags().Var(text{&r.out, "FILE"}, "out", c.help("flag.out"))
	cmd.Flags().Var(texts{&r.users, "NAME|PATTERN|ID"}, "exclude", c.help("flag.exclude_known"))
	r.quietFlags(c, cmd)
	return cmd
}

// report makes the report, and writes it: as a page into a file, unless it is to be JSON
// or CSV.
func (c *call) report(ctx context.Context, r reporting) error {
	if r.out == toStdout && c.format == screen.Text && c.Out.Live {
		return misuse("use.page_on_screen")
	}
	made, err := c.collect(ctx, r)
	if err != nil {
		return err
	}
	content, err := c.render(made)
	if err != nil {
		return err
	}
	if r.out == "" && c.format == screen.Text {
		r.out = "sessionstamp-report-" + c.Now().Format(time.DateOnly) + ".html"
	}
	if r.out == "" || r.out == toStdout {
		_, err = c.Stdout.Write(content)
		return err
	}
	said := language.Key("report.written")
	if _, err := os.Stat(r.out); err == nil {
		said = "report.replaced"
	}
	if err := c.WriteFile(r.out, content); err != nil {
		return failure(err, "fail.write", r.out)
	}
	v := c.reportView(made, c.say(said, r.out))
	c.format = screen.Text
	return c.show(v)
}

// writeFile writes a file that names people: nobody else may read it, whoever could read
// the one that it replaces.
func writeFile(name string, content []byte) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, content, 0o600) // a device, say
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".sessionstamp-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// collect reads the tenant, and what this machine knows of it.
func (c *call) collect(ctx context.Context, r reporting) (made report.Report, err error) {
	policy, err := r.policy()
	if err != nil {
		return made, err
	}
	w, err := c.witness(ctx, r.deployment)
	if err != nil {
		return made, err
	}
	t, err := c.signIn(ctx, readUsers, readDomains)
	if err == nil {
		err = serves(w.Stack, t)
	}
	if err != nil {
		return made, err
	}
	read, err := c.read(ctx, t, "")
	if err != nil {
		return made, err
	}
	if err := r.matchesNobody(read.users); err != nil {
		return made, err
	}
	memory, err := c.memory(ctx, t.id, read.users)
	if w.Stack != nil {
		policy = w.policy(policy.Exclusions)
		memory, err = w.recall(ctx, read, c.Now())
	}
	if err != nil {
		return made, err
	}
	made = report.Make(report.Input{
		Tenant: t.id, Domains: read.domains, Users: read.users, Unreadable: read.unreadable,
		Policy: policy, Memory: memory, Now: c.Now(),
	})
	made.Demo, made.Deployment = c.demo, r.name
	return made, nil
}

// memory is what this machine knows of the tenant; without a file, nothing.
func (c *call) memory(ctx context.Context, tenant string, users []directory.User) (m report.Memory, err error) {
	folder, forget, err := c.folder(ctx)
	if err != nil {
		return m, nil // where no file has a place there is none
	}
	defer func() { err = errors.Join(err, forget()) }()
	err = glance(ctx, folder, tenant, func(file *bolt.File) (err error) {
		m, err = c.memoryOf(ctx, file, tenant, users)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return m, err
}

func (c *call) memoryOf(ctx context.Context, file *bolt.File, tenant string, users []directory.User) (m report.Memory, err error) {
	ledger := bolt.NewLedger(file)
	if m.Entries, err = ledger.History(ctx, tenant); err != nil {
		return m, err
	}
	// Whoever could not be stamped may never have been called, and has no history.
	var unstamped []string
	for _, u := range users {
		if u.SignInSessionsValidFrom.IsZero() {
			unstamped = append(unstamped, u.ID)
		}
	}
	entries, err := ledger.Entries(ctx, tenant, unstamped)
	for _, e := range entries {
		if e.Called.IsZero() {
			m.Entries = append(m.Entries, e)
		}
	}
	if err != nil {
		return m, err
	}
	place, err := bolt.NewState[sweep.Checkpoint](file, "sweep").Load(ctx, tenant)
	m.Swept = swept(place.Doc, c.Now())
	return m, err
}

// swept returns a time at which the last full round had begun, which has ended; zero if
// another one is due. The next one is due a day later at most, or in the night of a day on
// which the clocks are put back.
func swept(place sweep.Checkpoint, now time.Time) time.Time {
	const longest = 25 * time.Hour
	if place.FullDue.IsZero() || !place.FullStarted.IsZero() || now.After(place.FullDue) {
		return time.Time{}
	}
	return place.FullDue.Add(-longest)
}

// render writes the report in the form that was asked for.
func (c *call) render(made report.Report) ([]byte, error) {
	var out bytes.Buffer
	if c.format == screen.Text {
		err := report.WriteHTML(&out, made, c.lang, c.Now().Location())
		return out.Bytes(), err
	}
	err := screen.Result{Table: c.forExcel(userSheet(made.Users)), Object: made}.Write(&out, c.format, screen.Columns)
	return out.Bytes(), err
}

// reportView says what became of the file, and what is the first thing in it.
func (c *call) reportView(made report.Report, became string) view {
	return view{
		before: []line{
			{text: c.sayN("check.count", made.WithoutStamp, language.Number(made.Members)), colour: screen.Strong},
			{text: became, hang: 2},
		},
		next: []hint{{"report -o csv > users.csv", "hint.csv"}, {"users", "hint.users"}},
	}
}
