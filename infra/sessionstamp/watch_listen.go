package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// listening are the flags of watch about the provider that it hears.
type listening struct {
	address, kind, issuer, audience string
	domains                         []string
	enforce, anywhere               bool
	credential                      signal.Credential // of the environment
}

// signalVariable holds what the provider proves itself by, and beforeVariable the secret before
// that one, while they change over.
const (
	signalVariable = "SESSIONSTAMP_SIGNAL_SECRET"
	beforeVariable = signalVariable + "_BEFORE"
)

// listenFlags are those of the help of their own.
var listenFlags = []string{"listen", "signal", "domain", "issuer", "audience", "enforce", "any-address"}

func (l *listening) flags(c *call, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(text{&l.address, "127.0.0.1:PORT"}, "listen", c.help("flag.listen"))
	flags.Var(choice{&l.kind, []string{string(signal.KindWebhook), string(signal.KindOkta), string(signal.KindSSF)}}, "signal", c.help("flag.listen-signal"))
	flags.Var(domainList{&l.domains}, "domain", c.help("flag.listen-domain"))
	flags.Var(text{&l.issuer, "URL"}, "issuer", c.help("flag.listen-issuer"))
	flags.Var(text{&l.audience, "TEXT"}, "audience", c.help("flag.listen-audience"))
	flags.BoolVar(&l.enforce, "enforce", false, c.help("flag.listen-enforce"))
	flags.BoolVar(&l.anywhere, "any-address", false, c.help("flag.listen-any-address"))
	explainIn(cmd, "listen", listenFlags...)
	complete(cmd, "signal")
}

// writeListenHelp teaches the flags with which watch hears a provider.
func (c *call) writeListenHelp(root *cobra.Command) {
	cmd, _, err := root.Find([]string{"watch"})
	if err != nil {
		return // there is such a verb
	}
	var rows [][2]string
	for _, name := range append(slices.Clone(listenFlags), "signals") {
		f := cmd.Flag(name)
		label := "--" + name
		if f.Value.Type() != "bool" {
			label += " " + f.Value.Type()
		}
		rows = append(rows, [2]string{label, f.Usage})
	}
	var out strings.Builder
	c.paint(&out, []line{{text: c.help("listen.long")}})
	c.section(&out, "title.flags", pairs(rows, c.Out.Columns))
	c.section(&out, "title.examples", screen.Wrap(c.help("listen.examples"), c.Out.Columns, 4))
	_, _ = io.WriteString(c.Stdout, out.String())
}

// listens tells whether one of the flags was given.
func (l *listening) listens() bool {
	return l.address+l.kind+l.issuer+l.audience != "" || len(l.domains) > 0 || l.enforce || l.anywhere
}

// check refuses what can't be meant, and takes the secret from the environment.
func (l *listening) check(c *call, once bool) error {
	ssf := l.kind == string(signal.KindSSF)
	switch {
	case !l.listens():
		return nil
	case l.address == "":
		return misuse("use.listen_address")
	case once:
		return misuse("use.listen_once")
	case l.kind == "" || len(l.domains) == 0:
		return misuse("use.listen_whom")
	case ssf != (l.issuer != "") || ssf != (l.audience != ""):
		return misuse("use.listen_ssf")
	}
	if err := l.local(); err != nil {
		return err
	}
	l.credential.Secrets = []string{strings.TrimSpace(c.Env(signalVariable))}
	if before := strings.TrimSpace(c.Env(beforeVariable)); before != "" {
		l.credential.Secrets = append(l.credential.Secrets, before)
	}
	if _, err := l.record().Open("", l.credential, signal.NewKeys(nil)); err != nil {
		return misuse("use.listen_secret", signalVariable, beforeVariable)
	}
	return nil
}

// local refuses an address that other machines reach, unless the person insists: TLS is the
// proxy's.
func (l *listening) local() error {
	host, port, err := net.SplitHostPort(l.address)
	if err != nil || port == "" {
		return misuse("use.listen_address")
	}
	ip, err := netip.ParseAddr(host)
	if loopback := err == nil && ip.IsLoopback() || host == "localhost"; !loopback && !l.anywhere {
		return misuse("use.listen_anywhere", l.address)
	}
	return nil
}

// record is the source as the flags tell it.
func (l *listening) record() signal.Record {
	r := signal.Record{Name: "watch", Kind: signal.SourceKind(l.kind), Domains: l.domains}
	if r.Kind == signal.KindSSF {
		r.Stream = signal.Stream{Provider: signal.OtherSSF, Issuer: l.issuer, Audiences: []string{l.audience}}
	}
	return r
}

// listen makes what a watch hears by; nil if it is to hear nothing.
func (c *call) listen(ctx context.Context, t tenant, l listening) (*job.Listening, error) {
	if l.address == "" {
		return nil, nil //nolint:nilnil // nothing is to be heard
	}
	for _, domain := range l.domains {
		if err := c.federated(ctx, t, domain); err != nil {
			return nil, err
		}
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	record := l.record()
	if record.Kind == signal.KindSSF {
		const patience = 30 * time.Second
		found, err := stream.Discover(ctx, &http.Client{Transport: transport, Timeout: patience}, l.issuer)
		if err != nil {
			return nil, failure(err, "fail.listen_issuer", l.issuer, err.Error())
		}
		found.Audiences = record.Stream.Audiences
		// No keeper asks for verifications here: a calm night is no silence.
		found.ConfigurationEndpoint, found.StatusEndpoint, found.VerificationEndpoint = "", "", ""
		record.Stream = found
	}
	id, err := c.sourceID(ctx, t.id, record, l.credential)
	if err != nil {
		return nil, err
	}
	listen := c.Listen
	if listen == nil {
		listen = net.Listen
	}
	listener, err := listen("tcp", l.address)
	if err != nil {
		return nil, failure(err, "fail.listen_address", l.address)
	}
	return &job.Listening{
		Listener: listener, Source: id, Record: record, Credential: l.credential, Keys: receiver.HTTPS(transport), Directory: t,
	}, nil
}

// sourceID is what the source is called in the address that the provider knows. It stays: the
// file remembers it, so that a secret can be changed. At first it is made of the secret, so
// that a dry run tells the same, and no stranger can guess it.
func (c *call) sourceID(ctx context.Context, tenant string, r signal.Record, s signal.Credential) (id string, err error) {
	mac := hmac.New(sha256.New, []byte(s.Secrets[0]))
	_, _ = io.WriteString(mac, strings.Join([]string{"source", tenant, string(r.Kind), r.Stream.Issuer}, "\x00")) // a hash takes everything
	const digits = 32
	id = hex.EncodeToString(mac.Sum(nil))[:digits]
	if c.demo {
		return id, nil
	}
	folder, _, err := c.folder(ctx)
	if err != nil {
		return "", err
	}
	err = glance(ctx, folder, tenant, func(f *bolt.File) error {
		sources, err := job.Sources(ctx, f, tenant)
		for known, record := range sources {
			if record.Kind == r.Kind && record.Stream.Issuer == r.Stream.Issuer {
				id = known
			}
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return id, err
}

// introduceListening says where the watch hears, and what to paste at the provider.
func (c *call) introduceListening(l *job.Listening, flags listening) {
	if l == nil {
		return
	}
	path := receiver.Path + l.Source
	lines := []line{
		{text: c.say("listen.at", "http://"+flags.address+path)},
		{text: c.say("listen.domains", c.and(flags.domains))},
		{text: c.say(language.Key("listen.paste_"+string(l.Record.Kind)), "https://…"+path, signalVariable), hang: 2},
	}
	mode := line{text: c.say("listen.reports"), colour: screen.Notice}
	if flags.enforce {
		mode = line{text: c.say("listen.enforces")}
	}
	c.tell(append(lines, mode)...)
}

// domainList is a flag that takes domains, separated by commas.
type domainList struct{ to *[]string }

func (d domainList) Set(value string) error {
	var names []string
	for _, one := range strings.Split(value, ",") {
		name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(one), "@"))
		if !stamp.IsDomainName(name) {
			return errValue
		}
		names = append(names, name)
	}
	*d.to = names
	return nil
}

func (domainList) String() string { return "" }

func (domainList) Type() string { return "example.com,…" }
