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
	finish bool
}

func (c *call) signalRotateVerb() *cobra.Command {
	var r rotation
	cmd := c.signalOf("signal-rotate", &r.naming, func(ctx context.Context) error { return c.rotateSignal(ctx, r) })
	cmd.Flags().BoolVar(&r.finish, "finish", false, c.help("flag.signal-finish"))
	return cmd
}

// rotateSignal has a source take a new secret beside those before, until the rotation is
// finished. So no signal is lost while the provider changes over, whichever it has.
func (c *call) rotateSignal(ctx context.Context, r rotation) error {
	if !r.finish {
		if err := c.showsSecret(); err != nil {
			return err
		}
	}
	one, err := c.listened(ctx, r.naming)
	switch {
	case err != nil:
		return err
	case r.finish:
		return c.finishRotation(ctx, r, one, "")
	}
	return c.beginRotation(ctx, r, one)
}

// beginRotation puts the new secret first: the keeper tells transmitters the first one.
func (c *call) beginRotation(ctx context.Context, r rotation, s source) error {
	fresh := newSecret(s.Kind)
	var now signal.Credential
	err := s.replace(ctx, func(credential *signal.Credential) error {
		credential.Secrets = append([]string{fresh}, credential.Secrets...)
		now = *credential
		return nil
	})
	if err != nil {
		return err
	}
	v := view{object: c.shown(s, fresh), next: []hint{
		{r.on("test", s.Name), "hint.signal_test"}, {r.on("rotate", s.Name) + " --finish", "hint.signal_finish"},
	}}
	v.before = []line{marked("✓ "+c.say("signal.rotated", s.Name), screen.Good)}
	if len(now.Secrets) > 2 {
		v.before = append(v.before, marked("! "+c.say("signal.rotated_again"), screen.Notice))
	}
	if s.Kind != signal.KindSSF {
		v.before = append(v.before, c.pastedAgain(fresh)...)
		return c.changedOver(ctx, r, s, fresh, v)
	}
	refused, err := c.keepStream(ctx, &s, now)
	switch {
	case err != nil:
		return err
	case refused != nil:
		v.next = v.next[:1] // it is too early to finish
		v.before = append(v.before, c.streamRefused(s, refused)...)
	default:
		v.before = append(v.before, marked("✓ "+c.say("signal.stream_told", s.Stream.Issuer), screen.Good))
	}
	return c.show(v)
}

// pastedAgain is what the provider has to be given instead.
func (c *call) pastedAgain(secret string) []line {
	return steps(c.say("signal.pastes_again"), secret)
}

// changedOver shows what to paste, and finishes where a person says at once that it is done.
func (c *call) changedOver(ctx context.Context, r rotation, s source, fresh string, v view) error {
	if err := c.show(v); err != nil || !c.Person || c.format != screen.Text {
		return err
	}
	answer, err := c.ask(ctx, c.say("signal.changed_over"))
	if err != nil || !agrees(answer) {
		return err
	}
	return c.finishRotation(ctx, r, s, fresh)
}

// finishRotation leaves the newest secret alone. Where that has to be a certain one, it leaves
// all if somebody else has made another meanwhile.
func (c *call) finishRotation(ctx context.Context, r rotation, s source, newest string) error {
	err := s.replace(ctx, func(credential *signal.Credential) error {
		switch {
		case newest != "" && credential.Secrets[0] != newest:
			return failure(nil, "fail.signal_changed", s.Name)
		case len(credential.Secrets) == 1:
			return misuse("use.signal_finished", s.Name)
		}
		credential.Secrets = credential.Secrets[:1]
		return nil
	})
	if err != nil {
		return err
	}
	return c.show(view{
		before: []line{marked("✓ "+c.say("signal.finished", s.Name), screen.Good)},
		object: c.described(s), sheet: c.sourceList(s.stack, s).sheet(),
		next: []hint{{r.on("test", s.Name), "hint.signal_test"}, {"signal list" + r.given(), "hint.signal_list"}},
	})
}
