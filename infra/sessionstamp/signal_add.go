package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// sourceSecret is the description of the secrets of sources.
const sourceSecret = "sessionstamp: what an identity provider proves itself by"

// leftOver is how old a secret without a source must be before it counts as left over: somebody
// may be adding its source right now.
const leftOver = time.Hour

// An addition is what signal add was called with.
type addition struct {
	deployment
	sender           string
	name             string
	domains          []string
	issuer, clientID string
	sessionsRevoked  bool
}

func (c *call) signalAddVerb() *cobra.Command {
	var a addition
	cmd := c.verb("signal-add", func(cmd *cobra.Command, args []string) error {
		a.sender = strings.ToLower(args[0])
		return c.addSignal(cmd.Context(), a)
	})
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misuse("use.signal_no_kind", strings.Join(senderNames(), "|"))
		case len(args) > 1:
			return misuse("use.no_arguments", args[1], cmd.CommandPath())
		case senders[strings.ToLower(args[0])] == sender{}:
			return misuse("use.signal_kind", args[0], strings.Join(senderNames(), "|"))
		}
		return nil
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions(senderNames(), cobra.ShellCompDirectiveNoFileComp)
	cmd.Flags().Var(text{&a.name, "NAME"}, "name", c.help("flag.signal-name"))
	cmd.Flags().Var(domainNames{&a.domains}, "domain", c.help("flag.signal-domain"))
	cmd.Flags().Var(text{&a.issuer, "URL"}, "issuer", c.help("flag.signal-issuer"))
	cmd.Flags().Var(text{&a.clientID, "ID"}, "client-id", c.help("flag.signal-client"))
	cmd.Flags().BoolVar(&a.sessionsRevoked, "sessions-revoked", false, c.help("flag.signal-sessions"))
	a.flags(c, cmd, usualStack)
	return cmd
}

// domainNames is a flag that takes domains, with commas between.
type domainNames struct{ to *[]string }

// Set implements [pflag.Value].
func (d domainNames) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		var name string
		if err := (domainName{&name}).Set(strings.TrimSpace(part)); err != nil {
			return err
		}
		*d.to = append(*d.to, name)
	}
	return nil
}

func (domainNames) String() string { return "" }

func (domainNames) Type() string { return "example.com,example.jp" }

// sound refuses what does not go together, before anybody signs in.
func (a addition) sound() error {
	stream := senders[a.sender].kind == signal.KindSSF
	switch {
	case a.name == "":
		return misuse("use.signal_add_name")
	case !sourceName.MatchString(a.name) || screen.Clean(a.name) != a.name:
		return misuse("use.signal_name", a.name)
	case stream && a.issuer == "":
		return misuse("use.signal_issuer", a.sender)
	case !stream && a.issuer != "":
		return misuse("use.signal_not_stream", "issuer", a.sender)
	case !stream && a.clientID != "":
		return misuse("use.signal_not_stream", "client-id", a.sender)
	case a.sessionsRevoked && (a.sender == "okta" || signal.IsOkta(a.issuer)):
		return misuse("use.signal_okta_sessions")
	}
	return nil
}

// addSignal makes the secret first: a source without one could not be received, a secret
// without a source is cleaned up by a later run.
func (c *call) addSignal(ctx context.Context, a addition) error {
	if err := errors.Join(a.sound(), c.showsSecret()); err != nil {
		return err
	}
	s, known, err := c.listening(ctx, a.deployment)
	if err != nil {
		return err
	}
	added := source{a.record(s, c.Now()), newSourceID(), s}
	switch {
	case named(known, a.name) != "":
		return a.taken(s)
	case len(added.Domains) == 0:
		return misuse("use.signal_domain", s.Name)
	}
	credential := signal.Credential{Secrets: []string{newSecret(added.Kind)}}
	if added.Kind == signal.KindSSF {
		if err := c.prepareStream(ctx, a, &added, &credential); err != nil {
			return err
		}
	}
	if err := c.clearSecrets(ctx, s); err != nil {
		return signalling(err)
	}
	if err := added.store(ctx, credential); err != nil {
		return a.unstored(err)
	}
	var refused error
	if added.Kind == signal.KindSSF {
		if refused, err = c.keepStream(ctx, &added, credential); err != nil {
			return err
		}
	}
	return c.show(c.addedView(a, added, credential, refused))
}

// record is the source as it is to be. Without --domain it may speak for the domains that the
// deployment names.
func (a addition) record(s *stack.Stack, now time.Time) signal.Record {
	domains := a.domains
	if len(domains) == 0 {
		domains = entriesOf(s, "FederatedDomains")
	}
	r := signal.Record{
		Name: a.name, Kind: senders[a.sender].kind, SessionsRevoked: a.sessionsRevoked, Added: now.UTC(),
		Stream: signal.Stream{Provider: senders[a.sender].provider},
	}
	for _, domain := range domains {
		if domain = strings.ToLower(domain); stamp.IsDomainName(domain) {
			r.Domains = append(r.Domains, domain)
		}
	}
	slices.Sort(r.Domains)
	r.Domains = slices.Compact(r.Domains)
	return r
}

// taken says that a source of the name is there.
func (a addition) taken(s *stack.Stack) error {
	return &trouble{status: wrongUse, key: "use.signal_taken", args: []any{a.name, s.Name}, next: []hint{
		{a.on("rotate", a.name), "hint.signal_rotate"}, {a.on("remove", a.name), "hint.signal_remove"},
	}}
}

// prepareStream looks who transmits, and asks for what manages a stream there.
func (c *call) prepareStream(ctx context.Context, a addition, added *source, credential *signal.Credential) error {
	found, err := stream.Discover(ctx, c.web(30*time.Second), a.issuer)
	switch {
	case err != nil:
		return failure(err, "fail.signal_transmitter", c.streamTrouble(a.issuer, err))
	case found.ConfigurationEndpoint == "":
		return failure(nil, "fail.signal_no_management", a.issuer)
	case a.clientID != "" && found.TokenEndpoint == "":
		return misuse("use.signal_no_tokens", a.issuer)
	}
	if meant := added.Stream.Provider; meant != signal.OtherSSF && found.Provider != signal.OktaSSF { // a person knows better
		found.Provider = meant
	}
	added.Stream = found
	c.tell(c.preparation(a, added.stack)...)
	question := c.say("signal.asks_token")
	if a.clientID != "" {
		question = c.say("signal.asks_client", a.clientID)
	}
	secret, err := c.askSecret(ctx, question)
	switch {
	case err != nil:
		return err
	case secret == "":
		return misuse("use.signal_no_credential")
	case a.clientID != "":
		credential.ClientID, credential.ClientSecret = a.clientID, secret
	default:
		credential.Token = secret
	}
	return nil
}

// askSecret reads a line that the terminal does not show, or that a program sends.
func (c *call) askSecret(ctx context.Context, question string) (secret string, err error) {
	const longest = 16 << 10 // tokens have some 1,000 bytes
	if c.Person {
		_, _ = io.WriteString(c.Stderr, question)
	}
	if c.Person && c.Hidden != nil {
		secret, err = c.Hidden(ctx)
		_, _ = io.WriteString(c.Stderr, "\n")
	} else {
		var text []byte
		text, err = io.ReadAll(io.LimitReader(c.Stdin, longest))
		secret, _, _ = strings.Cut(string(text), "\n")
	}
	secret = strings.TrimSpace(secret)
	// RFC 6749, appendix A, has no other characters.
	if err == nil && strings.ContainsFunc(secret, func(char rune) bool { return char < ' ' || char > '~' }) {
		err = misuse("use.signal_no_credential")
	}
	return secret, err
}

// clearSecrets deletes what runs that were broken off have left over. It reads the sources after
// the secrets: others may have added some while somebody looked for a token.
func (c *call) clearSecrets(ctx context.Context, s *stack.Stack) error {
	ids, err := s.SignalSecrets(ctx)
	if err != nil {
		return err
	}
	known, err := s.Registry(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, is := known.Sources[id]; is {
			continue
		}
		if err := c.clearSecret(ctx, s, stack.SignalSecret(s.Name, id)); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) clearSecret(ctx context.Context, s *stack.Stack, name string) error {
	is, err := s.Account().DescribeSecret(ctx, name)
	switch {
	case errors.Is(err, account.ErrNoSecret):
		return nil // somebody else was faster
	case err != nil || c.Now().Sub(is.Changed) < leftOver:
		return err
	}
	return s.Account().DeleteSecret(ctx, name)
}

// errTaken: somebody else has added a source of the name meanwhile.
var errTaken = errors.New("the name is taken")

// store writes secret and source. Where the source is certainly not written, the secret goes
// again.
func (s source) store(ctx context.Context, credential signal.Credential) error {
	a, name := s.stack.Account(), s.secret()
	if _, err := a.CreateSecret(ctx, name, sourceSecret, s.stack.Parameters["KmsKeyArn"], textOf(credential)); err != nil {
		return err
	}
	taken := false
	err := s.stack.ChangeRegistry(ctx, func(known *signal.Registry) bool {
		id := named(*known, s.Name)
		if taken = id != "" && id != s.id; taken || id == s.id {
			return false
		}
		if known.Sources == nil {
			known.Sources = make(map[string]signal.Record)
		}
		known.Sources[s.id] = s.Record
		return true
	})
	if err == nil && taken {
		err = errors.Join(errTaken, a.DeleteSecret(ctx, name))
	}
	return err
}

// unstored says what became of a source that could not be stored. It may have been.
func (a addition) unstored(err error) error {
	if errors.Is(err, errTaken) {
		return misuse("use.signal_taken_now", a.name)
	}
	t := *worded(signalling(err))
	t.next = []hint{{"signal list" + a.given(), "hint.signal_list"}}
	return &t
}
