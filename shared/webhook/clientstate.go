package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

// ClientState derives the clientState of a tenant's subscription from the stack's
// secret, so that no two tenants share one. It has 43 characters; Graph admits 128
// (https://learn.microsoft.com/graph/api/resources/subscription#properties).
func ClientState(secret, tenant string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(tenant))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (h *Handler) clientStates(ctx context.Context, fresh bool) ([]string, error) {
	states, err := h.config.Secrets.ClientStates(ctx, fresh)
	if err != nil {
		return nil, fmt.Errorf("read client states: %w", err)
	}
	return states, nil
}

// judge marks the items whose clientState fits. If one does not, the secret may have
// been changed since it was read: then it is read again, once in [RefreshPause].
func (h *Handler) judge(ctx context.Context, items []item) error {
	states, err := h.clientStates(ctx, false)
	if err != nil {
		return err
	}
	if mark(items, states) || !h.refresh.AllowN(h.config.Now(), 1) {
		return nil
	}
	if states, err = h.clientStates(ctx, true); err != nil {
		return err
	}
	mark(items, states)
	return nil
}

// mark tells whether no clientState was foreign. An empty one can't become ours.
func mark(items []item, states []string) (familiar bool) {
	familiar = true
	for i := range items {
		state := items[i].clientState
		items[i].ours = accepted(state, states)
		familiar = familiar && (items[i].ours || state == "")
	}
	return familiar
}

// accepted always compares with all of them. How long they are is no secret.
func accepted(state string, states []string) bool {
	fits := 0
	for i := range states {
		fits |= subtle.ConstantTimeCompare([]byte(states[i]), []byte(state))
	}
	return fits == 1
}
