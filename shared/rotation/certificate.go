package rotation

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// CertificateProver proves a certificate.
type CertificateProver interface {
	// ProveCertificate signs the app in with the certificate, for a token of its own
	// that comes from no cache, and makes one harmless call with it. It makes one
	// attempt. Its error is of type [*directory.Error], whose Operation is "token"
	// where the sign-in failed.
	ProveCertificate(ctx context.Context, certificate Certificate) error
}

// Certificates is a secret that holds a [Certificate]. The first one is made by
// hand: Graph lets a key be added only by whoever holds another.
type Certificates struct {
	Application KeyApplication
	Prover      CertificateProver
	// ParsePFX opens a PFX; nil means that none is accepted.
	ParsePFX ParsePFX
	// NewKey makes a key pair; nil means one of 2048 bits.
	NewKey func() (*rsa.PrivateKey, error)
}

func (k Certificates) name() string { return "certificate" }

func (k Certificates) validate() error {
	if k.Application == nil || k.Prover == nil {
		return errNoApplication
	}
	return nil
}

// create makes a key pair and a certificate. Nobody knows of it yet, so that what
// comes of a failure is nothing.
func (k Certificates) create(_ context.Context, r *run) (directory.Secret, error) {
	newKey := k.NewKey
	if newKey == nil {
		newKey = newRSAKey
	}
	key, err := newKey()
	if err != nil {
		return directory.Secret{}, fmt.Errorf("make a key pair: %w", err)
	}
	certificate, err := selfSigned(key, cut(r.displayName(), maxCommonName), r.now(), r.Settings.Life)
	if err != nil {
		return directory.Secret{}, err
	}
	return certificate.Encode()
}

func (k Certificates) decode(v Version) (Certificate, error) {
	return DecodeCertificate(v.Value, k.ParsePFX)
}

func (k Certificates) check(r *run, v Version) error {
	pending, err := k.decode(v)
	switch {
	case err != nil:
		return err
	case aged(r, pending.Leaf().NotAfter):
		return errAged
	}
	return nil
}

// set adds the certificate to the application, after what is left of rotations that
// came to nothing was removed.
func (k Certificates) set(ctx context.Context, r *run, v Version) error {
	pending, err := k.decode(v)
	if err != nil {
		return err
	}
	keys, err := k.survey(ctx, r, v)
	if err != nil {
		return err
	}
	if err := k.removeUnused(ctx, r, keys); err != nil {
		return err
	}
	if keys.registered(pending) {
		return nil
	}
	return k.add(ctx, r, keys, pending)
}

// add adds a certificate, which may be there already: the list may lag.
func (k Certificates) add(ctx context.Context, r *run, keys keyring, pending Certificate) error {
	err := keys.withProof(r, func(proof directory.Secret) error {
		return k.Application.AddKey(ctx, r.displayName(), pending.Leaf().Raw, proof)
	})
	there := func(now directory.Registration) bool { return keyring{Registration: now}.registered(pending) }
	if refusedState(err) && r.eventually(ctx, k.Application.Registration, there) {
		return nil
	}
	if err != nil {
		return graphFault("addKey", err)
	}
	r.report.added = pending.Thumbprint()
	return nil
}

func (k Certificates) test(ctx context.Context, r *run, v Version) error {
	pending, err := k.decode(v)
	if err != nil {
		return err
	}
	return r.prove(ctx, func(ctx context.Context) error {
		return k.Prover.ProveCertificate(ctx, pending)
	})
}

func (k Certificates) ready(context.Context, *run) error { return nil }

func (k Certificates) clean(ctx context.Context, r *run, v Version) error {
	keys, err := k.survey(ctx, r, v)
	if err != nil {
		return err
	}
	return k.removeUnused(ctx, r, keys)
}

// keyring is what the secret and the application hold at one time.
type keyring struct {
	directory.Registration
	// held are the certificates of the versions in use and of the new one. Those of
	// the versions in use come first, the new one last: it is the last that Entra
	// has heard of.
	held []Certificate
}

func (k keyring) registered(c Certificate) bool {
	return slices.ContainsFunc(k.Keys, func(key directory.Key) bool { return key.Thumbprint == c.Thumbprint() })
}

// survey reads the secret's versions and the application. A version that can't be
// decoded holds nothing, because nobody could sign in with it; of a PFX that we
// can't open that is not certain.
func (k Certificates) survey(ctx context.Context, r *run, pending Version) (keyring, error) {
	versions, err := r.inUse(ctx)
	if err != nil {
		return keyring{}, err
	}
	var keys keyring
	for _, v := range append(versions, pending) {
		certificate, err := k.decode(v)
		if errors.Is(err, errPFX) || err != nil && v.has(stageCurrent) {
			return keyring{}, settingsFault(fmt.Errorf("version %s: %w", v.id, err),
				"Store a certificate of the application with its key, and rotate again.")
		}
		if err == nil {
			keys.held = append(keys.held, certificate)
		}
	}
	keys.Registration, err = k.Application.Registration(ctx)
	return keys, graphFault("get the application", err)
}

// removeUnused removes the keys that we made and that no certificate held is for. A
// key whose thumbprint is not known may be any.
func (k Certificates) removeUnused(ctx context.Context, r *run, keys keyring) error {
	for _, key := range keys.Keys {
		inUse := slices.ContainsFunc(keys.held, func(c Certificate) bool { return c.Thumbprint() == key.Thumbprint })
		if inUse || key.Thumbprint == "" || !ownedBy(r.owner(), key.DisplayName) {
			continue
		}
		if err := k.remove(ctx, r, keys, key.KeyID); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a key, which may be gone already: the list may lag.
func (k Certificates) remove(ctx context.Context, r *run, keys keyring, keyID string) error {
	err := keys.withProof(r, func(proof directory.Secret) error {
		return k.Application.RemoveKey(ctx, keyID, proof)
	})
	gone := func(now directory.Registration) bool {
		return !slices.ContainsFunc(now.Keys, func(key directory.Key) bool { return key.KeyID == keyID })
	}
	if refusedState(err) && r.eventually(ctx, k.Application.Registration, gone) {
		return nil
	}
	if err != nil {
		return graphFault("removeKey", err)
	}
	r.report.removed = append(r.report.removed, keyID)
	return nil
}

// signer is the certificate that is to prove who we are: one that the application
// knows and that is valid. Of those it is one that has been known for longest.
func (k keyring) signer(now time.Time) (Certificate, error) {
	for _, c := range k.held {
		leaf := c.Leaf()
		if k.registered(c) && !now.Before(leaf.NotBefore) && now.Before(leaf.NotAfter) {
			return c, nil
		}
	}
	return Certificate{}, credentialFault(errNoSigner)
}

var errNoSigner = errors.New("none of the certificates in the secret is valid and known to the application")
