package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// listed is a password or a key as the application lists it.
type listed struct {
	keyID, displayName string
	// hint is of a password, thumbprint of a key.
	hint, thumbprint string
	// end is zero where it is not known.
	end time.Time
}

func passwords(registration directory.Registration) []listed {
	var all []listed
	for _, p := range registration.Passwords {
		all = append(all, listed{keyID: p.KeyID, displayName: p.DisplayName, hint: p.Hint, end: p.End})
	}
	return all
}

func keys(registration directory.Registration) []listed {
	var all []listed
	for _, k := range registration.Keys {
		all = append(all, listed{keyID: k.KeyID, displayName: k.DisplayName, thumbprint: k.Thumbprint, end: k.End})
	}
	return all
}

// A credential is what a version of a secret holds: a [ClientSecret] or a
// [Certificate].
type credential interface {
	// mayBe tells whether what is listed may be this credential.
	mayBe(listed) bool
}

// credentials is what the rotations of passwords and of keys differ in where they
// remove what is not used. C is what a version holds.
type credentials[C credential] interface {
	decode(Version) (C, error)
	registration(context.Context) (directory.Registration, error)
	list(directory.Registration) []listed
	// remove makes one attempt, and names its operation.
	remove(ctx context.Context, r *run, s stock[C], keyID string) (operation string, err error)
}

// stock is what the application and the secret hold.
type stock[C credential] struct {
	registration directory.Registration
	// listed are the credentials in the registration.
	listed []listed
	// held are the credentials of the versions that were read: those in use first, the
	// new one next, which is the last that Entra has heard of.
	held []C
	// read are the ids of the versions in use among them.
	read []string
}

// takeStock reads the versions in use, and then the application. More are versions
// that were read already.
func takeStock[C credential](ctx context.Context, r *run, k credentials[C], more ...Version) (s stock[C], err error) {
	versions, err := r.inUse(ctx)
	if err != nil {
		return s, err
	}
	if err := s.hold(k, slices.Concat(versions, more)); err != nil {
		return s, err
	}
	s.registration, err = k.registration(ctx)
	s.listed = k.list(s.registration)
	return s, graphFault("get the application", err)
}

// hold adds what versions hold. A version that can't be decoded holds nothing, because
// nobody could sign in with it; of a PFX that we can't open that is not certain. The
// current one must be put right first.
func (s *stock[C]) hold(k credentials[C], versions []Version) error {
	for _, v := range versions {
		s.read = append(s.read, v.id)
		c, err := k.decode(v)
		if errors.Is(err, errPFX) || err != nil && v.has(stageCurrent) {
			return settingsFault(fmt.Errorf("version %s: %w", v.id, err),
				"Store a credential of the application that can be read, and rotate again.")
		}
		if err == nil {
			s.held = append(s.held, c)
		}
	}
	return nil
}

// holds tells whether a version that was read may hold what is listed.
func (s *stock[C]) holds(l listed) bool {
	return slices.ContainsFunc(s.held, func(c C) bool { return c.mayBe(l) })
}

// unused are the credentials that a rotation of this secret added, and that no version
// holds or may hold.
func (s *stock[C]) unused(r *run) (unused []listed) {
	for _, l := range s.listed {
		if _, ours := madeFor(r.secret.ARN, l.displayName); ours && !s.holds(l) && !r.spared(l.displayName) {
			unused = append(unused, l)
		}
	}
	return unused
}

// spared tells whether a credential was made for a version that is pending still. Its
// value may have been sent and show only later, so that nobody can tell yet whether
// that version holds it.
func (r *run) spared(displayName string) bool {
	for id := range r.secret.Stages {
		if r.secret.isPending(id) && isNamed(displayName, r.nameFor(id)) {
			return true
		}
	}
	return false
}

// others are the key ids of credentials that rotations of other secrets added, or of
// this one while it held the other kind, and that still let somebody in.
func (s *stock[C]) others(r *run) (keyIDs []string) {
	for _, l := range slices.Concat(passwords(s.registration), keys(s.registration)) {
		byRotation, ours := madeFor(r.secret.ARN, l.displayName)
		over := !l.end.IsZero() && l.end.Before(r.now())
		judged := slices.Contains(s.listed, l) && (ours || s.holds(l))
		if byRotation && !judged && !over {
			keyIDs = append(keyIDs, l.keyID)
		}
	}
	return keyIDs
}

// clean removes what neither the new version nor one in use holds, and notes what is
// for somebody else to remove.
func clean[C credential](ctx context.Context, r *run, k credentials[C], v Version) error {
	s, err := takeStock(ctx, r, k, v)
	if err != nil {
		return err
	}
	r.report.others = s.others(r)
	return removeUnused(ctx, r, k, s)
}

// removeUnused removes what no version holds or may hold. Where there is something to
// remove, it looks at the secret once more: this step may come late, or go on beside
// that of the next rotation. A version gets AWSPENDING before a credential is made for
// it. So whatever was listed belongs to a version whose label shows by now, or to none.
func removeUnused[C credential](ctx context.Context, r *run, k credentials[C], s stock[C]) error {
	if len(s.unused(r)) == 0 {
		return nil
	}
	now, err := r.SecretsManager.DescribeSecret(ctx, r.event.SecretID)
	if err != nil {
		return secretsFault("DescribeSecret", err)
	}
	r.secret = r.secret.merged(now)
	versions, err := r.inUse(ctx, s.read...)
	if err != nil {
		return err
	}
	if err := s.hold(k, versions); err != nil {
		return err
	}
	for _, l := range s.unused(r) {
		if err := remove(ctx, r, k, s, l.keyID); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a credential, which may be gone already: the list may lag.
func remove[C credential](ctx context.Context, r *run, k credentials[C], s stock[C], keyID string) error {
	operation, err := k.remove(ctx, r, s, keyID)
	gone := func(now directory.Registration) bool {
		return !slices.ContainsFunc(k.list(now), func(l listed) bool { return l.keyID == keyID })
	}
	if refusedState(err) && r.eventually(ctx, k.registration, gone) {
		return nil
	}
	if err != nil {
		return graphFault(operation, err)
	}
	r.report.removed = append(r.report.removed, keyID)
	return nil
}
