package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// challengeGrace is how long Graph goes on delivering to a subscription that is
// challenged, longer than the keeper believes.
const challengeGrace = 15 * time.Minute

// watchWebhook lets it be seen which challenges the webhook has taken in.
func (w *world) watchWebhook(c webhook.Config) webhook.Config {
	c.Lifecycle = watchedLifecycles{w, c.Lifecycle}
	return c
}

type watchedLifecycles struct {
	*world
	webhook.LifecycleQueue
}

func (l watchedLifecycles) EnqueueLifecycle(ctx context.Context, events []notification.Lifecycle) error {
	if err := l.LifecycleQueue.EnqueueLifecycle(ctx, events); err != nil {
		return err
	}
	l.seen.mu.Lock()
	defer l.seen.mu.Unlock()
	l.seen.heard = append(l.seen.heard, events...)
	return nil
}

// challenge demands a reauthorization. If the webhook hears of it so early that the
// keeper can tell that delivery has paused, it is a gap once that has.
func (w *world) challenge() {
	w.tenant.ChallengeSubscriptions()
	s, ok := w.keptSubscription()
	if !ok {
		return
	}
	time.AfterFunc(challengeGrace-subscription.DefaultSettings.ChallengeGrace, func() {
		if !w.seen.hasHeardOf(s) {
			return
		}
		time.AfterFunc(subscription.DefaultSettings.ChallengeGrace, func() {
			if now, ok := w.keptSubscription(); ok && now.ID == s.ID && now.Paused {
				w.noteUnanswered()
			}
		})
	})
}

// keptSubscription returns the subscription that the keeper believes to be the one.
func (w *world) keptSubscription() (msgraphtest.SubscriptionState, bool) {
	record, err := w.plant.records.Record(w.ctx, w.tenant.ID())
	w.must(err)
	all := w.tenant.Subscriptions()
	i := slices.IndexFunc(all, func(s msgraphtest.SubscriptionState) bool { return s.ID == record.SubscriptionID })
	if i < 0 {
		return msgraphtest.SubscriptionState{}, false
	}
	return all[i], true
}

// hasHeardOf tells whether the webhook has taken in a challenge that a subscription has
// got since it was last renewed.
func (s *witness) hasHeardOf(of msgraphtest.SubscriptionState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.heard, func(e notification.Lifecycle) bool {
		return e.Event == notification.ReauthorizationRequired && e.SubscriptionID == of.ID &&
			e.Expires.Sub(of.Expires).Abs() < time.Second
	})
}

// noteUnanswered notes that delivery has paused.
func (w *world) noteUnanswered() {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.unanswered = append(w.seen.unanswered, time.Now())
}

// checkUnanswered checks that each pause was followed by an ask for a sweep: at the
// latest by the first keeper who could look once the queue had done with the event.
// s.mu of the witness is held.
func (w *world) checkUnanswered() {
	for _, pause := range w.seen.unanswered {
		kept, ok := firstAfter(w.seen.keeps, pause.Add(maxReceives*w.plant.config.visibility))
		if !ok || !w.seen.askedWithin(pause, kept.ended) {
			w.t.Errorf("delivery paused at %s, and no sweep was asked for until the end of the keeper's run of %s; it was at %s", pause, kept, w.seen.asks)
		}
	}
}

// challengeInVain challenges while nobody can answer.
func (w *world) challengeInVain() (mend func()) {
	fault := w.graphFault()
	all := fault.Match
	fault.Match = func(r msgraphtest.Request) bool { return strings.HasPrefix(r.Path, "/subscriptions") && all(r) }
	mend = w.graph.Inject(fault)
	w.challenge()
	return mend
}
