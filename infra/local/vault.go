package main

import (
	"context"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// A vault is Secrets Manager, with the one secret of which clientStates are derived.
type vault struct {
	mu     sync.Mutex
	secret string
}

func (v *vault) read() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.secret
}

func (v *vault) store(secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secret = secret
}

// clientState is what one function accepts. It keeps the secret until it is asked for a
// fresh one, as the functions on AWS do.
type clientState struct {
	vault  *vault
	tenant string

	mu   sync.Mutex
	kept string
}

// ClientState implements [webhook.Secrets].
func (c *clientState) ClientState(_ context.Context, fresh bool) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fresh || c.kept == "" {
		c.kept = c.vault.read()
	}
	return webhook.ClientState(c.kept, c.tenant), nil
}
