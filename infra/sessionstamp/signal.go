package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// A sender is who reports, and so how.
type sender struct {
	kind     signal.SourceKind
	provider signal.Provider // of a stream
}

// senders are what a person may call one.
var senders = map[string]sender{
	"webhook": {kind: signal.KindWebhook}, "script": {kind: signal.KindWebhook}, "ad": {kind: signal.KindWebhook},
	"okta": {kind: signal.KindOkta},
	"ssf":  {signal.KindSSF, signal.OtherSSF}, "keycloak": {signal.KindSSF, signal.Keycloak}, "authentik": {signal.KindSSF, signal.Authentik},
	"oci": {signal.KindSSF, signal.OCI}, "sailpoint": {signal.KindSSF, signal.SailPoint},
}

// senderNames are in the order in which they are taught.
func senderNames() []string {
	return []string{"okta", "keycloak", "authentik", "oci", "sailpoint", "ssf", "ad", "script", "webhook"}
}

func (c *call) signalVerb() *cobra.Command {
	cmd := c.verb("signal", func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return misuse("use.signal", args[0])
		}
		return cmd.Help()
	})
	cmd.Args = cobra.ArbitraryArgs
	ofDeployment(cmd)
	cmd.AddCommand(c.signalAddVerb(), c.signalListVerb(), c.signalTestVerb(), c.signalRotateVerb(), c.signalRemoveVerb())
	return cmd
}

// A naming is the source that a verb is about, by the name that its administrator gave it.
type naming struct {
	deployment
	source string
}

// signalOf makes the verb of one action on one source.
func (c *call) signalOf(name string, n *naming, run func(context.Context) error) *cobra.Command {
	cmd := c.verb(name, func(cmd *cobra.Command, args []string) error {
		n.source = args[0]
		return run(cmd.Context())
	})
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return misuse("use.signal_unnamed", cmd.CommandPath())
		case 1:
			return nil
		}
		return misuse("use.no_arguments", args[1], cmd.CommandPath())
	}
	n.flags(c, cmd, usualStack)
	return cmd
}

// on is the command of an action on a source.
func (d deployment) on(action, source string) string {
	return "signal " + action + " " + argument(source) + d.given()
}

// A source is one of a deployment's.
type source struct {
	signal.Record

	id    string
	stack *stack.Stack
}

func (s source) url() string { return s.stack.SignalURL() + s.id }

// secret is the name of what the source proves itself by.
func (s source) secret() string { return stack.SignalSecret(s.stack.Name, s.id) }

// listening finds a deployment that receives signals, and its sources.
func (c *call) listening(ctx context.Context, d deployment) (*stack.Stack, signal.Registry, error) {
	s, err := c.working(ctx, d)
	switch {
	case err != nil:
		return nil, signal.Registry{}, signalling(err)
	case s.Parameters["SignalMode"] == string(stack.SignalsOff):
		return nil, signal.Registry{}, failure(nil, "fail.signals_off", s.Name, "sessionstamp setup --signals report"+d.given())
	case s.SignalURL() == "":
		return nil, signal.Registry{}, failure(nil, "fail.signals_old", s.Name, "sessionstamp update"+d.given())
	}
	known, err := s.Registry(ctx)
	return s, known, signalling(err)
}

// enforces tells whether signals sign people out, and do not only tell who would be.
func enforces(s *stack.Stack) bool { return s.SignalMode() == stack.SignalsEnforced }

// find returns the source of a name, in whatever capitals.
func (n naming) find(s *stack.Stack, known signal.Registry) (source, error) {
	if id := named(known, n.source); id != "" {
		return source{known.Sources[id], id, s}, nil
	}
	if len(known.Sources) == 0 {
		return source{}, misuse("use.signal_none", s.Name, "sessionstamp signal add --help")
	}
	names := make([]string, 0, len(known.Sources))
	for _, r := range known.Sources {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return source{}, misuse("use.signal_unknown", n.source, s.Name, strings.Join(names, ", "))
}

// listened finds the source that a verb is about, in a deployment that receives signals.
func (c *call) listened(ctx context.Context, n naming) (source, error) {
	s, known, err := c.listening(ctx, n.deployment)
	if err != nil {
		return source{}, err
	}
	return n.find(s, known)
}

// named returns the id of the source with a name, "" for none.
func named(known signal.Registry, name string) string {
	for id, r := range known.Sources {
		if strings.EqualFold(r.Name, strings.TrimSpace(name)) {
			return id
		}
	}
	return ""
}

// sourceName is one that every screen and every shell takes as it is.
var sourceName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,31}$`)

// random returns the bytes of a secret, or of an id.
func random(n int) []byte {
	text := make([]byte, n)
	_, _ = rand.Read(text) // it never fails
	return text
}

func newSourceID() string { return hex.EncodeToString(random(16)) }

// newSecret makes one in the form that the kind of source takes. The key of a webhook is
// of letters and digits, since Okta Workflows takes a key as text only
// (https://help.okta.com/en/prod/Content/Topics/Workflows/function-reference/Encryption/encryption_hmac.htm).
func newSecret(kind signal.SourceKind) string {
	if kind == signal.KindWebhook {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()+rand.Text()))
	}
	return "Bearer " + base64.RawURLEncoding.EncodeToString(random(32))
}

func textOf(credential signal.Credential) directory.Secret {
	text, _ := json.Marshal(credential) //nolint:errchkjson,gosec // strings and a list of them, for the secret itself
	return directory.NewSecret(string(text))
}

// credential reads what the source proves itself by.
func (s source) credential(ctx context.Context) (signal.Credential, error) {
	text, err := s.stack.Account().SecretValue(ctx, s.secret(), account.Current)
	if err != nil && !errors.Is(err, account.ErrNoSecret) {
		return signal.Credential{}, signalling(err)
	}
	var credential signal.Credential
	if json.Unmarshal([]byte(text.Reveal()), &credential) != nil || len(credential.Secrets) == 0 {
		return credential, failure(signal.ErrNoCredential, "fail.signal_no_secret", s.Name)
	}
	return credential, nil
}

// replace changes what is stored, unless the change has an error. Of two people who do so at
// once one gets an error.
func (s source) replace(ctx context.Context, change func(*signal.Credential) error) error {
	a, name := s.stack.Account(), s.secret()
	is, err := a.DescribeSecret(ctx, name)
	if err != nil {
		return signalling(err)
	}
	credential, err := s.credential(ctx)
	if err == nil {
		err = change(&credential)
	}
	if err != nil {
		return err
	}
	version, err := a.PutPending(ctx, name, textOf(credential))
	if err == nil {
		err = a.MoveStage(ctx, name, account.Current, version, is.Version(account.Current))
	}
	if errors.Is(err, account.ErrStageMoved) {
		return failure(err, "fail.signal_changed", s.Name)
	}
	return signalling(err)
}

// transmitters makes what calls a transmitter of streams. Redirections would take the token
// elsewhere.
func (c *call) transmitters(r signal.Record) stream.Manager {
	return stream.Manager{HTTP: c.web(30 * time.Second), Now: c.Now, SessionsRevoked: r.SessionsRevoked}
}

// web calls providers, and our own receiver.
func (c *call) web(limit time.Duration) *http.Client {
	return &http.Client{
		Transport: c.Transport, Timeout: limit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// keepStream makes or looks after the stream of a source, and writes down how it is. The first
// error is the transmitter's.
func (c *call) keepStream(ctx context.Context, s *source, credential signal.Credential) (refused, err error) {
	s.Stream, refused = c.transmitters(s.Record).Keep(ctx, s.url(), s.Stream, credential)
	return refused, signalling(s.stack.ChangeRegistry(ctx, func(known *signal.Registry) bool {
		r, is := known.Sources[s.id]
		r.Stream = s.Stream
		if is {
			known.Sources[s.id] = r
		}
		return is
	}))
}

// streamTrouble makes a sentence of what is wrong with a transmitter.
func (c *call) streamTrouble(issuer string, err error) string {
	problem, is := errors.AsType[*stream.Error](err)
	if !is {
		t := worded(err)
		return c.say(t.key, t.args...)
	}
	return c.say(streamProblems[problem.Problem], cmp.Or(issuer, "?"), problem.Doing)
}

// signalling names the policy that has all the rights for sources, where one is missing.
func signalling(err error) error {
	if forbidden, is := errors.AsType[*account.Forbidden](err); is {
		return failure(err, "fail.aws_forbidden_signals", forbidden.Action)
	}
	return err
}

// showsSecret refuses to write a secret where it would stay by mistake.
func (c *call) showsSecret() error {
	if c.format == screen.JSON || c.format == screen.Text && c.Out.Live {
		return nil
	}
	return misuse("use.signal_secret")
}
