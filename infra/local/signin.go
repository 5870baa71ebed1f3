package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// The secrets of a plant.
const (
	credentialSecret  = "credential"
	clientStateSecret = "client-state"
)

// newSecrets stores what a plant begins with.
func newSecrets(credential, clientState string) *memory.Secrets {
	secrets := new(memory.Secrets)
	secrets.CreateSecret(credentialSecret, directory.NewSecret(credential))
	secrets.CreateSecret(clientStateSecret, directory.NewSecret(clientState))
	return secrets
}

// storedSecret is a client secret as an administrator stores it.
func storedSecret(clientSecret string) string { return `{"clientSecret":"` + clientSecret + `"}` }

// auth is how the plant signs in.
func (p *plant) auth() msgraph.Auth {
	stored := credential{p.config.secrets}
	return msgraph.Auth{
		Mode:         p.config.mode,
		WebIdentity:  p.config.identity,
		Certificates: stored,
		Secrets:      stored,
	}
}

// credential is what the plant signs in with, where it is stored. It keeps no copy:
// that msgraph does, until Entra refuses it.
type credential struct{ secrets *memory.Secrets }

// ClientSecret implements [msgraph.SecretSource].
func (c credential) ClientSecret(ctx context.Context, _ bool) (string, error) {
	v, err := c.secrets.Current(ctx, credentialSecret)
	if err != nil {
		return "", err
	}
	secret, err := rotation.DecodeClientSecret(v.Value)
	return secret.Text.Reveal(), err
}

// Certificate implements [msgraph.CertificateSource].
func (c credential) Certificate(ctx context.Context, _ bool) ([]*x509.Certificate, crypto.Signer, error) {
	v, err := c.secrets.Current(ctx, credentialSecret)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := rotation.DecodeCertificate(v.Value, nil)
	if err != nil {
		return nil, nil, err
	}
	return certificate.Chain(), certificate.Signer(), nil
}

// The times of the clientState: how long a webhook keeps its copy, and how old a
// version must be for the keeper to use it, as in a deployment.
const (
	clientStateLife   = 5 * time.Minute
	clientStateSettle = 2 * clientStateLife
)

// clientStates are both versions of the clientState that Graph may send.
type clientStates struct {
	current, previous string
	changed           time.Time // when the current one was made
}

func readClientStates(ctx context.Context, secrets *memory.Secrets) (clientStates, error) {
	current, err := secrets.Current(ctx, clientStateSecret)
	if err != nil {
		return clientStates{}, err
	}
	previous, err := secrets.Previous(ctx, clientStateSecret)
	if err != nil && !errors.Is(err, rotation.ErrNotFound) {
		return clientStates{}, err
	}
	return clientStates{current.Value.Reveal(), previous.Value.Reveal(), current.Created}, nil
}

// keptClientStates are the clientStates as a webhook knows them, which keeps a copy.
type keptClientStates struct {
	secrets *memory.Secrets

	mu   sync.Mutex
	copy clientStates
	read time.Time
}

// ClientStates implements [webhook.Secrets].
func (k *keptClientStates) ClientStates(ctx context.Context) (current, previous string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read.IsZero() || time.Since(k.read) >= clientStateLife {
		states, err := readClientStates(ctx, k.secrets)
		if err != nil {
			return "", "", err
		}
		k.copy, k.read = states, time.Now()
	}
	return k.copy.current, k.copy.previous, nil
}

// settledClientStates are the clientStates as the keeper must see them: one that is
// new counts as the previous one until every webhook knows it.
type settledClientStates struct{ secrets *memory.Secrets }

// ClientStates implements [subscription.Secrets].
func (s settledClientStates) ClientStates(ctx context.Context) (current, previous string, err error) {
	states, err := readClientStates(ctx, s.secrets)
	if young := time.Since(states.changed) < clientStateSettle; err == nil && young && states.previous != "" {
		return states.previous, states.current, nil
	}
	return states.current, states.previous, err
}
