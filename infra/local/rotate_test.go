package main

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A turnover is how a world signs in, and how its secrets are replaced.
type turnover struct {
	mode directory.AuthMode
	// lag is how late the token endpoint hears of a new credential. Some are too
	// late for one invocation.
	lag    time.Duration
	random *mathrand.Rand
	app    *msgraphtest.App
	// checking counts the checks and orders that sign in now, which nothing may keep
	// from it.
	checking atomic.Int64

	account *account // of a web identity
	late    bool     // the federated credential was made a moment ago
	// made is what was made by hand. It is removed a while after so many rotations:
	// where that is one, others still sign in with it as the previous version.
	made        handMade
	retireAfter int
	retireDelay time.Duration
	retired     atomic.Bool

	keys     atomic.Int64 // key pairs handed out
	repeated atomic.Int64 // rotations that had to begin again

	mu   sync.Mutex
	done turnovers
}

// turnovers count what happened to the credentials and secrets of worlds that sign in
// in the same way.
type turnovers struct {
	Worlds int
	// Credentials and ClientStates were replaced by a rotation.
	Credentials, ClientStates int
	// Retired credentials were made by hand, and removed.
	Retired int
	// Reloaded is how often a function was refused with a credential that had been
	// removed, and read the one that is stored.
	Reloaded int
	// Withheld is how often AWS issued no token, Unverified how many tokens were signed
	// by a key that Entra did not know yet.
	Withheld, Unverified int
	// Retrusted federated credentials were removed and made again, Late ones were new
	// when the world began.
	Retrusted, Late int
}

// newTurnover draws the mode, the lag and what the administrator does. Most worlds
// have the mode that is quickest to play.
func newTurnover(p plan, seed uint64) *turnover {
	random := mathrand.New(mathrand.NewPCG(seed, 0x207a7e))
	o := &turnover{random: random, mode: directory.AuthClientSecret, lag: time.Duration(random.Int64N(int64(3 * time.Minute)))}
	o.done.Worlds = 1
	if random.IntN(8) == 0 {
		o.lag = 10 * time.Minute
	}
	o.retireAfter = 1
	if p.disasters { // hours see few second rotations
		o.retireAfter += random.IntN(2)
	}
	o.retireDelay = time.Duration(random.Int64N(int64(p.play / 8)))
	switch random.IntN(8) {
	case 0:
		o.mode = directory.AuthCertificate
	case 1, 2:
		o.beByWebIdentity(p, seed%calmEvery == 0)
	}
	return o
}

// beByWebIdentity lets half of the federated credentials be new when the world begins.
// Entra then hears of them in the time for which a sign-in is patient.
func (o *turnover) beByWebIdentity(p plan, calm bool) {
	o.mode = directory.AuthWebIdentity
	o.account = newAccount(o.random, p, calm)
	if o.late = o.random.IntN(2) == 0; o.late {
		o.done.Late = 1
		o.lag = time.Duration(o.random.Int64N(int64(time.Minute)))
	}
}

// note counts something.
func (o *turnover) note(count func(*turnovers)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	count(&o.done)
}

func (o *turnover) count(c *counts) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.account != nil {
		o.done.Unverified = int(o.account.unverified.Load())
	}
	c.Repeated = int(o.repeated.Load())
	c.Turnovers = map[directory.AuthMode]turnovers{o.mode: o.done}
}

// add adds what happened in other worlds.
func (n turnovers) add(m turnovers) turnovers {
	return turnovers{
		n.Worlds + m.Worlds, n.Credentials + m.Credentials, n.ClientStates + m.ClientStates, n.Retired + m.Retired,
		n.Reloaded + m.Reloaded, n.Withheld + m.Withheld, n.Unverified + m.Unverified, n.Retrusted + m.Retrusted, n.Late + m.Late,
	}
}

// proves tells whether something of all happened that can happen in a mode.
func (n turnovers) proves(mode directory.AuthMode) bool {
	proved := n.Worlds > 0 && n.ClientStates > 0
	if mode == directory.AuthWebIdentity {
		return proved && n.Withheld > 0 && n.Unverified > 0 && n.Retrusted > 0 && n.Late > 0
	}
	return proved && n.Credentials > 0 && n.Retired > 0 && n.Reloaded > 0
}

// drawRotatorFaults draws how often a call of the rotator fails, and how often it
// dies at one.
func (w *world) drawRotatorFaults(seed uint64) *faults {
	f := &faults{seed: seed, until: w.start.Add(w.plan.play)}
	if !w.calm {
		f.fail, f.crash = 0.05*w.turnover.random.Float64(), 0.05*w.turnover.random.Float64()
	}
	return f
}

// rotations draws when a secret is to be replaced, and returns what does so. In some
// hours there is no run of the keeper between two.
func (w *world) rotations(ctx context.Context, secretID string) func() {
	most := 2
	if w.plan.disasters {
		most = 4
	}
	random := mathrand.New(mathrand.NewPCG(w.turnover.random.Uint64(), 1))
	times := make([]time.Time, random.IntN(most+1))
	for i := range times {
		times[i] = w.start.Add(time.Duration(random.Int64N(int64(w.plan.play))))
	}
	slices.SortFunc(times, time.Time.Compare)
	return func() {
		function := new(environment)
		for _, at := range times {
			w.until(at)
			w.rotate(ctx, function, random, secretID)
		}
	}
}

// rotate replaces a secret. A rotation that fails begins again later, with the same
// token unless it was let go of.
func (w *world) rotate(ctx context.Context, function *environment, random *mathrand.Rand, secretID string) {
	for ctx.Err() == nil {
		token := w.plant.config.secrets.RotateSecret(secretID, fmt.Sprintf("%032x", random.Uint64()))
		if function.rotate(ctx, w.plant, secretID, token) == nil {
			w.rotated(secretID)
			w.checkPromoted(ctx, secretID)
			return
		}
		w.turnover.repeated.Add(1)
		time.Sleep(time.Duration(random.Int64N(int64(time.Hour))))
	}
}

// rotated counts a rotation, and lets the administrator remove in the end what it has
// replaced.
func (w *world) rotated(secretID string) {
	w.turnover.note(func(c *turnovers) {
		if secretID == clientStateSecret {
			c.ClientStates++
			return
		}
		if c.Credentials++; c.Credentials == w.turnover.retireAfter {
			time.AfterFunc(w.turnover.retireDelay, w.retire)
		}
	})
}

// checkPromoted checks that both versions of a secret are accepted: the one that has
// become current, and the one that others still hold.
func (w *world) checkPromoted(ctx context.Context, secretID string) {
	ctx = context.WithoutCancel(ctx)
	if secretID == clientStateSecret {
		w.checkCarried(ctx)
		return
	}
	held, err := w.held(ctx)
	w.must(err)
	for i, v := range held {
		if err := w.signsIn(ctx, v); err != nil {
			w.t.Errorf("at %s, version %d of the credential, 0 the current one, is refused: %v", time.Since(w.start), i, err)
		}
	}
}

// held are the current and the previous version of the credential, unless the
// administrator has removed that.
func (w *world) held(ctx context.Context) ([]rotation.Version, error) {
	current, err := w.plant.config.secrets.Current(ctx, credentialSecret)
	if err != nil {
		return nil, err
	}
	previous, err := w.plant.config.secrets.Previous(ctx, credentialSecret)
	removed := w.turnover.retired.Load() && previous.Value.Reveal() == w.turnover.made.stored
	if errors.Is(leaktest.Seen(w.t, err), rotation.ErrNotFound) || removed {
		return []rotation.Version{current}, nil
	}
	return []rotation.Version{current, previous}, err
}

// signsIn tells whether a version of the credential is accepted now.
func (w *world) signsIn(ctx context.Context, v rotation.Version) error {
	w.turnover.checking.Add(1)
	defer w.turnover.checking.Add(-1)
	check := w.plant.newProver()
	if w.turnover.mode == directory.AuthCertificate {
		certificate, err := rotation.DecodeCertificate(v.Value, nil)
		if err != nil {
			return err
		}
		return check.ProveCertificate(ctx, certificate.Chain(), certificate.Signer())
	}
	secret, err := rotation.DecodeClientSecret(v.Value)
	if err != nil {
		return err
	}
	return check.ProveClientSecret(ctx, secret.Text)
}

// checkCarried checks that the webhook accepts what Graph notifies with.
func (w *world) checkCarried(ctx context.Context) {
	record, err := w.plant.records.Record(ctx, w.tenant.ID())
	w.must(err)
	states := w.clientStates(ctx)
	for _, s := range w.tenant.Subscriptions() {
		if s.ID == record.SubscriptionID && s.ClientState != states.current && s.ClientState != states.previous {
			w.t.Errorf("at %s, the subscription carries a clientState that the webhook does not accept", time.Since(w.start))
		}
	}
}

// clientStates are the clientStates, read without faults.
func (w *world) clientStates(ctx context.Context) clientStates {
	states, err := readClientStates(ctx, w.plant.config.secrets)
	w.must(err)
	return states
}

// dueClientState is what the subscription is to carry: the current clientState, or
// the previous one if the keeper had no run since the current one has settled.
func (w *world) dueClientState(ctx context.Context) string {
	states := w.clientStates(ctx)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	if states.previous != "" && w.seen.kept.Before(states.changed.Add(clientStateSettle)) {
		return states.previous
	}
	return states.current
}

// waitsForKeeper tells whether a rotation may be under way when all ends: that of
// the clientState has to wait until the keeper has moved the subscription to the one
// that an earlier rotation has made current.
func (w *world) waitsForKeeper(ctx context.Context, secretID string) bool {
	return secretID == clientStateSecret && w.dueClientState(ctx) != w.clientStates(ctx).current
}

// checkSecrets checks that the app can sign in, that no rotation is left half done,
// and that of our credentials there are those in use and no others.
func (w *world) checkSecrets() {
	ctx := w.t.Context()
	graph, err := w.plant.calm().newGraph()
	w.must(err)
	registration, err := graph.Application(w.turnover.app.ID()).Registration(ctx)
	if err != nil {
		w.t.Errorf("the app can't sign in: %v", err)
		return
	}
	var names []string
	for _, p := range registration.Passwords {
		names = append(names, p.DisplayName)
	}
	for _, k := range registration.Keys {
		names = append(names, k.DisplayName)
	}
	ours := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, "sessionstamp/") })
	w.checkOurs(ctx, len(ours), len(names)-len(ours))
}

// checkOurs checks how many credentials there are that a rotation has made, and how
// many that others have.
func (w *world) checkOurs(ctx context.Context, ours, others int) {
	made := 0
	for _, secretID := range w.plant.rotated() {
		described, err := w.plant.config.secrets.DescribeSecret(ctx, secretID)
		w.must(err)
		for id, stages := range described.Stages {
			if slices.Contains(stages, "AWSPENDING") && !w.waitsForKeeper(ctx, secretID) {
				w.t.Errorf("a rotation is left half done: version %s of %s is %v", id, secretID, stages)
			}
			if secretID == credentialSecret && id != "first" {
				made++
			}
		}
		w.checkPromoted(ctx, secretID)
	}
	byHand := 2
	if w.turnover.mode == directory.AuthWebIdentity || w.turnover.retired.Load() {
		byHand = 1 // somebody else's
	}
	if ours != made || others != byHand {
		w.t.Errorf("of the app's credentials %d were made by rotations and %d by hand, want %d and %d", ours, others, made, byHand)
	}
}
