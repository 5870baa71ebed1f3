package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// A rotation is what signal rotate was called with.
type rotation struct {
	naming
	finish, afresh bool
}

func (c *call) signalRotateVerb() *cobra.Command {
	var r rotation
	cmd := c.signalOf("signal-rotate", &r.naming, func(ctx context.Context) error { return c.rotateSignal(ctx, r) })
	cmd.Flags().BoolVar(&r.finish, "finish", false, c.help("flag.signal-finish"))
	cmd.Flags().BoolVar(&r.afresh, "afresh", false, c.help("flag.signal-afresh"))
	return cmd
}

// rotateSignal has a source take a new secret beside the one before, until the rotation is
// finished. So no signal is lost while the provider changes over.
func (c *call) rotateSignal(ctx context.Context, r rotation) error {
	if r.finish && r.afresh {
		return misuse("use.signal_finish_afresh")
	}
	if !r.finish {
		if err := c.showsSecret(); err != nil {
			return err
		}
	}
	s, known, err := c.listening(ctx, r.deployment)
	if err != nil {
		return err
	}
	one, err := r.find(s, known)
	if err != nil {
		return err
	}
	credential, err := one.credential(ctx)
	switch under := len(credential.Secrets) > 1; {
	case err != nil:
		return err
	case r.finish && !under:
		return misuse("use.signal_finished", one.Name)
	case r.finish:
		return c.finishRotation(ctx, r, one)
	case under && !r.afresh:
		return &trouble{status: wrongUse, key: "use.signal_rotating", args: []any{one.Name}, next: []hint{
			{r.on("rotate", one.Name) + " --finish", "hint.signal_finish"}, {r.on("rotate", one.Name) + " --afresh", "hint.signal_afresh"},
		}}
	}
	return c.beginRotation(ctx, r, one)
}

// beginRotation puts the new secret first: the keeper tells transmitters the first one. The
// last one is the oldest, and so in use.
func (c *call) beginRotation(ctx context.Context, r rotation, s source) error {
	fresh := newSecret(s.Kind)
	var now signal.Credential
	err := s.replace(ctx, func(credential *signal.Credential) {
		credential.Secrets = []string{fresh, credential.Secrets[len(credential.Secrets)-1]}
		now = *credential
	})
	if err != nil {
		return err
	}
	v := view{object: c.shown(s, fresh), next: []hint{
		{r.on("test", s.Name), "hint.signal_test"}, {r.on("rotate", s.Name) + " --finish", "hint.signal_finish"},
	}}
	v.before = []line{{text: "✓ " + c.say("signal.rotated", s.Name), colour: screen.Good, hang: 2}}
	if s.Kind != signal.KindSSF {
		v.before = append(v.before, c.pastedAgain(fresh)...)
		return c.changedOver(ctx, r, s, v)
	}
	refused, err := c.keepStream(ctx, &s, now)
	switch {
	case err != nil:
		return err
	case refused != nil:
		c.status, v.next = wrong, v.next[:1] // it is too early to finish
		v.before = append(v.before, line{text: "✗ " + c.streamTrouble(s.Stream.Issuer, refused), colour: screen.Wrong, hang: 2}, line{text: c.say("signal.keeper_goes_on")})
	default:
		v.before = append(v.before, line{text: "✓ " + c.say("signal.stream_told", s.Stream.Issuer), colour: screen.Good, hang: 2})
	}
	return c.show(v)
}

// pastedAgain is what the provider has to be given instead.
func (c *call) pastedAgain(secret string) []line {
	return steps(c.say("signal.pastes_again"), secret)
}

// changedOver shows what to paste, and finishes where a person says at once that it is done.
func (c *call) changedOver(ctx context.Context, r rotation, s source, v view) error {
	if err := c.show(v); err != nil || !c.Person || c.format != screen.Text {
		return err
	}
	answer, err := c.ask(ctx, c.say("signal.changed_over"))
	if err != nil || !agrees(answer) {
		return err
	}
	return c.finishRotation(ctx, r, s)
}

func (c *call) finishRotation(ctx context.Context, r rotation, s source) error {
	err := s.replace(ctx, func(credential *signal.Credential) { credential.Secrets = credential.Secrets[:1] })
	if err != nil {
		return err
	}
	return c.show(view{
		before: []line{{text: "✓ " + c.say("signal.finished", s.Name), colour: screen.Good, hang: 2}},
		object: c.described(s), sheet: listedSources{s.stack.Name, string(s.stack.SignalMode()), []listedSource{c.described(s)}}.sheet(),
		next: []hint{{r.on("test", s.Name), "hint.signal_test"}, {"signal list" + r.given(), "hint.signal_list"}},
	})
}
