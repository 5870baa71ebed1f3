package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"
)

// errNoSecret tells that there is nothing to compare a clientState with, which is our
// fault and not the sender's.
var errNoSecret = errors.New("client state secret is empty")

// keyring holds the digests of the accepted clientStates. Digests have one length, so
// that a comparison does not tell how long a clientState is.
type keyring [][sha256.Size]byte

// keyring reads the accepted clientStates. That there is none is an error: without one
// the handler would drop as forged what Graph could send again later.
func (h *Handler) keyring(ctx context.Context, fresh bool) (keyring, error) {
	states, err := h.config.Secrets.ClientStates(ctx, fresh)
	if err != nil {
		return nil, fmt.Errorf("read client states: %w", err)
	}
	var keys keyring
	for _, state := range states {
		if state != "" {
			keys = append(keys, sha256.Sum256([]byte(state)))
		}
	}
	if len(keys) == 0 {
		return nil, errNoSecret
	}
	return keys, nil
}

// fit tells whether the clientState is one of the accepted. It always compares all of
// them, and in full.
func (k keyring) fit(state string) bool {
	digest := sha256.Sum256([]byte(state))
	fits := 0
	for i := range k {
		fits |= subtle.ConstantTimeCompare(k[i][:], digest[:])
	}
	return fits == 1
}

// judge marks the items whose clientState fits. If one does not, the secret may have
// been changed since it was read: then it is read again, once in [RefreshPause].
func (h *Handler) judge(ctx context.Context, items []item) error {
	keys, err := h.keyring(ctx, false)
	if err != nil {
		return err
	}
	if keys.mark(items) || !h.mayRefresh(h.config.Now()) {
		return nil
	}
	if keys, err = h.keyring(ctx, true); err != nil {
		return err
	}
	keys.mark(items)
	return nil
}

// mark tells whether no clientState was foreign. An empty one can't become ours.
func (k keyring) mark(items []item) (familiar bool) {
	familiar = true
	for i := range items {
		if i > 0 && items[i].clientState == items[i-1].clientState {
			items[i].ours = items[i-1].ours
			continue
		}
		items[i].ours = k.fit(items[i].clientState)
		familiar = familiar && (items[i].ours || items[i].clientState == "")
	}
	return familiar
}

func (h *Handler) mayRefresh(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.refreshed.IsZero() && now.Sub(h.refreshed) < RefreshPause {
		return false
	}
	h.refreshed = now
	return true
}
