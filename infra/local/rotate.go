package main

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// application is [*msgraph.Application], whose credentials a rotation replaces.
type application interface {
	rotation.PasswordApplication
	rotation.KeyApplication
}

// prover signs the app in with a credential that is new.
type prover interface {
	rotation.ClientSecretProver
	rotation.CertificateProver
}

// rotated are the secrets that there are: nothing is stored for a web identity.
func (p *plant) rotated() []string {
	if p.config.mode.Stored() {
		return []string{clientStateSecret, credentialSecret}
	}
	return []string{clientStateSecret}
}

// newRotator makes what the rotator function makes at its start, for one of the
// secrets.
func (p *plant) newRotator(secretID string) (*rotation.Rotator, error) {
	kind, err := p.newKind(secretID)
	if err != nil {
		return nil, err
	}
	config := rotation.Config{
		Stack:          "local",
		Kind:           kind,
		SecretsManager: p.config.secrets,
		Settings:       rotation.DefaultSettings,
		Log:            p.config.log,
		Now:            time.Now,
	}
	if p.config.faults != nil {
		config = p.config.faults.dressRotator(config)
	}
	return rotation.New(config)
}

// newKind makes what knows how to replace one of the secrets.
func (p *plant) newKind(secretID string) (rotation.Kind, error) {
	if secretID == clientStateSecret {
		return rotation.ClientStates{Subscriptions: carried{p}}, nil
	}
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	var app application = graph.Application(p.config.client)
	var prove prover = p.newProver()
	if p.config.faults != nil {
		app, prove = p.config.faults.dressApplication(app, prove)
	}
	switch p.config.mode {
	case directory.AuthCertificate:
		return rotation.Certificates{Application: app, Prover: prove, NewKey: p.config.newKey}, nil
	case directory.AuthClientSecret:
		return rotation.ClientSecrets{Application: app, Prover: prove}, nil
	default:
		return nil, p.config.mode.Unknown()
	}
}

// carried knows the clientState that the subscription carries, from the keeper.
type carried struct{ *plant }

// ClientStateDigest implements [rotation.Subscriptions].
func (c carried) ClientStateDigest(ctx context.Context) (string, error) {
	record, err := c.records.Record(ctx, c.config.tenant)
	return record.ClientState, err
}

// newProver makes what signs the app in with a credential that is new. No fault is
// between it and Entra but those of the emulator.
func (p *plant) newProver() msgraph.Prover {
	return msgraph.Prover{ClientID: p.config.client, NewClient: func(auth msgraph.Auth) (*msgraph.Client, error) {
		return p.newClient(signIn{auth, p.config.transport})
	}}
}

// stepLimit is how long the rotator function may take for one step.
const stepLimit = 10 * time.Minute

// rotate has the rotator do the four steps, as Secrets Manager does, until one fails.
func (e *environment) rotate(ctx context.Context, p *plant, secretID, token string) error {
	for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret, rotation.TestSecret, rotation.FinishSecret} {
		if err := e.step(ctx, p, rotation.Event{Step: step, SecretID: secretID, Token: token}); err != nil {
			return err
		}
	}
	return nil
}

func (e *environment) step(ctx context.Context, p *plant, event rotation.Event) (err error) {
	if e.rotator == nil {
		e.rotator, _ = p.newRotator(event.SecretID) // newPlant has made one without a fault
	}
	call, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	if died := survive(func() { err = e.rotator.Rotate(call, event) }); died != nil {
		e.rotator = nil
		return died
	}
	return err
}
