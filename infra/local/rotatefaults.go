package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// inRotation are the faults of the rotator, which may be many: it is called again
// until it succeeds.
func (f *faults) inRotation() *faults {
	if f.rotator != nil {
		return f.rotator
	}
	return f
}

// dressRotator puts the faults between the rotator and what it stores and reads.
func (f *faults) dressRotator(c rotation.Config) rotation.Config {
	c.SecretsManager = faultyManager{f.inRotation(), c.SecretsManager, f.promoted}
	if states, ok := c.Kind.(rotation.ClientStates); ok {
		c.Kind = rotation.ClientStates{Subscriptions: faultyDigest{f.inRotation(), states.Subscriptions}}
	}
	return c
}

// dressApplication does the same for what it asks of Graph, beside the faults that
// are the emulator's.
func (f *faults) dressApplication(a application, p prover) (application, prover) {
	return faultyApplication{f.inRotation(), a}, faultyProver{f.inRotation(), p}
}

type faultyManager struct {
	*faults
	rotation.SecretsManager
	promoted func(ctx context.Context, secretID string)
}

func (m faultyManager) DescribeSecret(ctx context.Context, id string) (rotation.Description, error) {
	return through(m.faults, "DescribeSecret", id, func() (rotation.Description, error) {
		return m.SecretsManager.DescribeSecret(ctx, id)
	})
}

func (m faultyManager) GetSecretValue(ctx context.Context, id, version string) (rotation.Version, error) {
	return through(m.faults, "GetSecretValue", id, func() (rotation.Version, error) {
		return m.SecretsManager.GetSecretValue(ctx, id, version)
	})
}

func (m faultyManager) PutSecretValue(ctx context.Context, id, token string, value directory.Secret) error {
	return m.do("PutSecretValue", id, func() error { return m.SecretsManager.PutSecretValue(ctx, id, token, value) })
}

func (m faultyManager) UpdateSecretVersionStage(ctx context.Context, id, stage, removeFrom, moveTo string) error {
	return m.do("UpdateSecretVersionStage "+stage, id, func() error {
		err := m.SecretsManager.UpdateSecretVersionStage(ctx, id, stage, removeFrom, moveTo)
		if err == nil && stage == "AWSCURRENT" && m.promoted != nil {
			m.promoted(ctx, id)
		}
		return err
	})
}

type faultyDigest struct {
	*faults
	rotation.Subscriptions
}

func (d faultyDigest) ClientStateDigest(ctx context.Context) (string, error) {
	return through(d.faults, "read clientState of record", "", func() (string, error) {
		return d.Subscriptions.ClientStateDigest(ctx)
	})
}

type faultyApplication struct {
	*faults
	application
}

func (a faultyApplication) Registration(ctx context.Context) (directory.Registration, error) {
	return through(a.faults, "get application", "", func() (directory.Registration, error) { return a.application.Registration(ctx) })
}

func (a faultyApplication) AddPassword(ctx context.Context, name string, end time.Time) (directory.Password, error) {
	return through(a.faults, "addPassword", "", func() (directory.Password, error) { return a.application.AddPassword(ctx, name, end) })
}

func (a faultyApplication) RemovePassword(ctx context.Context, keyID string) error {
	return a.do("removePassword", "", func() error { return a.application.RemovePassword(ctx, keyID) })
}

func (a faultyApplication) AddKey(ctx context.Context, name string, der []byte, proof directory.Secret) error {
	return a.do("addKey", "", func() error { return a.application.AddKey(ctx, name, der, proof) })
}

func (a faultyApplication) RemoveKey(ctx context.Context, keyID string, proof directory.Secret) error {
	return a.do("removeKey", "", func() error { return a.application.RemoveKey(ctx, keyID, proof) })
}

type faultyProver struct {
	*faults
	prover
}

func (p faultyProver) ProveClientSecret(ctx context.Context, secret directory.Secret) error {
	return p.do("prove", "", func() error { return p.prover.ProveClientSecret(ctx, secret) })
}

func (p faultyProver) ProveCertificate(ctx context.Context, chain []*x509.Certificate, key crypto.Signer) error {
	return p.do("prove", "", func() error { return p.prover.ProveCertificate(ctx, chain, key) })
}
