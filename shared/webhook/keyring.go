package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

// errNoSecret tells that there is nothing to compare a clientState with, which is
// our fault and not the sender's.
var errNoSecret = errors.New("client state secret is empty")

// keyring holds the digests of the secrets that a clientState may be. Digests
// have one length, so a comparison does not tell how long a secret is.
type keyring struct{ current, previous key }

// key is the digest of a secret, and 1 in usable unless the secret was empty.
type key struct {
	digest [sha256.Size]byte
	usable int
}

func newKey(secret string) key {
	k := key{digest: sha256.Sum256([]byte(secret))}
	if secret != "" {
		k.usable = 1
	}
	return k
}

// readKeyring asks for the secrets. That none is there is an error: without it
// everything would be dropped as forged that Graph could send again later.
func readKeyring(ctx context.Context, s Secrets) (keyring, error) {
	current, previous, err := s.ClientStates(ctx)
	if err != nil {
		return keyring{}, fmt.Errorf("read client states: %w", err)
	}
	if current == "" && previous == "" {
		return keyring{}, errNoSecret
	}
	return keyring{current: newKey(current), previous: newKey(previous)}, nil
}

// fit tells whether the clientState is one of the secrets, in a time that depends
// on neither: both are always compared, and in full.
func (k *keyring) fit(state notification.ClientState) bool {
	digest := sha256.Sum256([]byte(state.Reveal()))
	current := k.current.equal(&digest)
	previous := k.previous.equal(&digest)
	return current|previous == 1
}

// equal returns 1 if the digest is the key's and the key is usable, else 0.
func (k *key) equal(digest *[sha256.Size]byte) int {
	return subtle.ConstantTimeCompare(k.digest[:], digest[:]) & k.usable
}
