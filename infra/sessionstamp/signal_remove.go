package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// removedSource is the JSON of signal remove. StreamLeft tells that the provider still has the
// stream.
type removedSource struct {
	Stack      string `json:"stack"`
	ID         string `json:"id"`
	Name       string `json:"name"`
	StreamLeft bool   `json:"streamLeft"`
}

// A removal is what signal remove was called with.
type removal struct {
	naming
	yes bool
}

func (c *call) signalRemoveVerb() *cobra.Command {
	var r removal
	cmd := c.signalOf("signal-remove", &r.naming, func(ctx context.Context) error { return c.removeSignal(ctx, r) })
	cmd.Flags().BoolVar(&r.yes, "yes", false, c.help("flag.yes"))
	return cmd
}

// removeSignal goes on where an earlier run was broken off. What it leaves over then is the
// secret alone, which the next signal add deletes.
func (c *call) removeSignal(ctx context.Context, r removal) error {
	if !r.yes && !c.Person {
		return misuse("use.unasked_signal")
	}
	s, err := c.stack(ctx, r.deployment)
	if err != nil {
		return signalling(err)
	}
	known, err := s.Registry(ctx)
	if err != nil {
		return signalling(err)
	}
	one, err := r.find(s, known)
	if err != nil {
		return err
	}
	if !r.yes {
		c.tell(line{text: c.say("signal.removes", one.Name, c.and(one.Domains))})
		if err := c.agree(ctx, c.say("order.go_on")); err != nil {
			return err
		}
	}
	left, err := c.removeStream(ctx, one)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	err = s.ChangeRegistry(ctx, func(known *signal.Registry) bool {
		_, is := known.Sources[one.id]
		delete(known.Sources, one.id)
		return is
	})
	if err == nil {
		err = s.Account().DeleteSecret(ctx, one.secret())
	}
	if err != nil {
		return signalling(err)
	}
	return c.show(c.removedView(r, one, left))
}

// removeStream deletes the stream of a source. Where the provider does not let us, or nobody
// knows any more what we would prove ourselves by, the source goes all the same: nobody listens
// to it any more. Where AWS does not let us read that, it stays.
func (c *call) removeStream(ctx context.Context, s source) (refused, err error) {
	if s.Kind != signal.KindSSF || s.Stream.ID == "" {
		return nil, nil
	}
	credential, err := s.credential(ctx)
	if errors.Is(err, signal.ErrNoCredential) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	return c.transmitters(s.Record).Remove(ctx, s.Stream, credential), nil
}

func (c *call) removedView(r removal, s source, left error) view {
	done := removedSource{s.stack.Name, s.id, s.Name, left != nil}
	v := view{
		before: []line{marked("✓ "+c.say("signal.removed", s.Name), screen.Good)},
		object: done, sheet: screen.Table{
			Columns: []screen.Column{{Title: "stack"}, {Title: "id"}, {Title: "name"}, {Title: "streamLeft"}},
			Rows:    [][]string{{done.Stack, done.ID, done.Name, strconv.FormatBool(done.StreamLeft)}},
		},
		next: []hint{{"signal list" + r.given(), "hint.signal_list"}},
	}
	switch {
	case left != nil:
		v.before = append(v.before, marked("! "+c.say("signal.stream_left", s.Stream.Issuer, c.streamTrouble(s.Stream.Issuer, left)), screen.Notice))
	case s.Kind != signal.KindSSF:
		v.before = append(v.before, line{text: c.say("signal.stop_sending")})
	}
	return v
}
