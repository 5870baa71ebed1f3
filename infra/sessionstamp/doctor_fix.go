package main

import (
	"context"
	"errors"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// mendable counts the actions of --fix.
func mendable(found []doctor.Finding) (n int) {
	for _, f := range found {
		n += len(f.Mend)
	}
	return n
}

// mend shows what it will do, asks once, and does it. One that fails does not keep the others
// from being done.
func (c *call) mend(ctx context.Context, x examined, found []doctor.Finding) (mended bool, err error) {
	var plan []doctor.Remedy
	for _, f := range found {
		plan = append(plan, f.Mend...)
	}
	c.tell(line{text: c.say("doctor.plan", language.Number(len(plan))), colour: screen.Strong})
	for _, r := range plan {
		c.tell(line{text: "  " + c.remedy(r), hang: 4})
	}
	if !x.yes {
		if err := c.agree(ctx, c.say("doctor.question")); err != nil {
			return false, err
		}
	}
	for _, r := range plan {
		err := x.apply(ctx, r)
		if ctx.Err() != nil {
			return mended, ctx.Err()
		}
		mark, colour := "✓ ", screen.Good
		if err != nil {
			mark, colour = "✗ ", screen.Wrong
		}
		c.tell(line{text: mark + c.remedy(r), colour: colour, hang: 2})
		if err != nil {
			c.tell(line{text: "  " + sentence(c.lang, err), hang: 2})
		}
		mended = mended || err == nil
	}
	return mended, nil
}

// remedy says what an action does.
func (c *call) remedy(r doctor.Remedy) string {
	key := language.Key("doctor.do_" + string(r.Do))
	switch r.Do {
	case doctor.Trust:
		return c.say(key, r.App.DisplayName, r.Credential.Name, r.Credential.Issuer, r.Credential.Subject)
	case doctor.Grant, doctor.Withdraw, doctor.Distrust, doctor.RemoveSecret, doctor.RemoveCert, doctor.Disown:
		return c.say(key, r.App.DisplayName, r.Value)
	case doctor.EnableSchedule, doctor.ProtectTable:
		return c.say(key, r.Value)
	case doctor.AskFullRound:
	}
	return c.say(key)
}

// apply does one action. Whoever repeats it does no harm.
func (x examined) apply(ctx context.Context, r doctor.Remedy) error {
	if x.asks == nil || x.entra == nil && r.App.ID != "" {
		return failure(nil, "fail.mend_elsewhere")
	}
	switch r.Do {
	case doctor.Grant:
		return x.entra.Grant(ctx, r.App, r.Value)
	case doctor.Withdraw:
		return x.entra.Withdraw(ctx, r.App, r.Value)
	case doctor.Trust:
		return x.entra.Trust(ctx, r.App, r.Credential)
	case doctor.Distrust:
		return x.entra.Distrust(ctx, r.App, r.Value)
	case doctor.RemoveSecret:
		return x.entra.RemovePassword(ctx, r.App, r.Value)
	case doctor.RemoveCert:
		return x.entra.RemoveCertificate(ctx, r.App, r.Value)
	case doctor.Disown:
		return x.entra.Disown(ctx, r.App, r.Value)
	case doctor.EnableSchedule:
		return x.enableSchedule(ctx, r.Value)
	case doctor.ProtectTable:
		return x.asks.ProtectTable(ctx)
	case doctor.AskFullRound:
		_, err := x.asks.Order(ctx, sweep.OrderFull)
		return err
	}
	return errors.New("no such action: " + string(r.Do))
}

// enableSchedule finds the schedule by its name.
func (x examined) enableSchedule(ctx context.Context, name string) error {
	for logical, id := range x.stack.Resources {
		if id == name && strings.HasSuffix(logical, "Schedule") {
			return x.asks.EnableSchedule(ctx, logical)
		}
	}
	return failure(stack.ErrNoResource, "fail.no_resource", name)
}
