package rotation

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// CertificateProver proves a certificate.
type CertificateProver interface {
	// ProveCertificate signs the app in with the key of the certificate that comes
	// first in the chain, for a token of its own that comes from no cache, and makes
	// one harmless call with it. It makes one attempt. Its error is of type
	// [*directory.Error], whose Operation is "token" where the sign-in failed.
	ProveCertificate(ctx context.Context, chain []*x509.Certificate, key crypto.Signer) error
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
		return credentialFault(err)
	}
	stock, err := takeStock(ctx, r, k, v)
	if err != nil {
		return err
	}
	if err := removeUnused(ctx, r, k, stock); err != nil {
		return err
	}
	if registered(stock.registration, pending) {
		return nil
	}
	return k.add(ctx, r, stock, pending)
}

// add adds a certificate, which may be there already: the list may lag.
func (k Certificates) add(ctx context.Context, r *run, stock stock[Certificate], pending Certificate) error {
	err := withProof(r, stock, func(proof directory.Secret) error {
		return k.Application.AddKey(ctx, r.displayName(), pending.Leaf().Raw, proof)
	})
	there := func(now directory.Registration) bool { return registered(now, pending) }
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
		return credentialFault(err)
	}
	return r.prove(ctx, func(ctx context.Context) error {
		return k.Prover.ProveCertificate(ctx, pending.Chain(), pending.Signer())
	})
}

func (k Certificates) ready(context.Context, *run) error { return nil }

func (k Certificates) clean(ctx context.Context, r *run, v Version) error {
	return clean(ctx, r, k, v)
}

func (k Certificates) registration(ctx context.Context) (directory.Registration, error) {
	return k.Application.Registration(ctx)
}

func (k Certificates) list(registration directory.Registration) []listed { return keys(registration) }

func (k Certificates) remove(ctx context.Context, r *run, stock stock[Certificate], keyID string) (string, error) {
	return "removeKey", withProof(r, stock, func(proof directory.Secret) error {
		return k.Application.RemoveKey(ctx, keyID, proof)
	})
}

func registered(registration directory.Registration, c Certificate) bool {
	return slices.ContainsFunc(registration.Keys, func(key directory.Key) bool { return key.Thumbprint == c.Thumbprint() })
}

// signer is the certificate that is to prove who we are: one that the application
// knows and that is valid. Of those it is one that has been known for longest.
func signer(s stock[Certificate], now time.Time) (Certificate, error) {
	for _, c := range s.held {
		leaf := c.Leaf()
		if registered(s.registration, c) && !now.Before(leaf.NotBefore) && now.Before(leaf.NotAfter) {
			return c, nil
		}
	}
	return Certificate{}, credentialFault(errNoSigner)
}

var errNoSigner = errors.New("none of the certificates in the secret is valid and known to the application")
