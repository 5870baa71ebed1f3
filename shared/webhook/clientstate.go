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

func (h *Handler) clientState(ctx context.Context, fresh bool) (string, error) {
	wanted, err := h.config.Secrets.ClientState(ctx, fresh)
	if err != nil {
		return "", fmt.Errorf("read the client state: %w", err)
	}
	return wanted, nil
}

// judge marks the items whose clientState fits. If one does not, the secret may have
// been changed since it was read: then it is read again, once in [RefreshPause].
func (h *Handler) judge(ctx context.Context, items []item) error {
	wanted, err := h.clientState(ctx, false)
	if err != nil {
		return err
	}
	now := h.config.Now()
	if mark(items, wanted) || h.refresh.TokensAt(now) < 1 {
		return nil
	}
	if wanted, err = h.clientState(ctx, true); err != nil {
		return err // Graph sends again, and may then be believed
	}
	h.refresh.AllowN(now, 1)
	mark(items, wanted)
	return nil
}

// mark tells whether no clientState was foreign. An empty one can't become ours.
func mark(items []item, wanted string) (familiar bool) {
	familiar = true
	for i := range items {
		state := items[i].clientState
		items[i].ours = subtle.ConstantTimeCompare([]byte(wanted), []byte(state)) == 1
		familiar = familiar && (items[i].ours || state == "")
	}
	return familiar
}
