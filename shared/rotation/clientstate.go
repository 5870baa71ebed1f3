package rotation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// clientStateLength is the number of letters and digits of a clientState; Graph
// accepts 128 (https://learn.microsoft.com/graph/api/resources/subscription).
const clientStateLength = 64

const lettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Subscriptions knows with which clientState Graph notifies.
type Subscriptions interface {
	// ClientStateDigest returns the SHA-256, in lower-case hexadecimal digits, of the
	// clientState that the live subscription was made with, or "" if there is none
	// or it is not known: ClientState of the keeper's record.
	ClientStateDigest(ctx context.Context) (string, error)
}

// ClientStates is a secret that is a clientState, as plain text of 64 letters and
// digits. There is nothing to set: the keeper moves the subscription to a new one by
// itself, and the webhook accepts both meanwhile. As it accepts two, there is no
// other rotation until the keeper has done so.
type ClientStates struct {
	Subscriptions Subscriptions
}

var (
	errNoSubscriptions = errors.New("subscriptions must be given")
	errClientState     = errors.New("it is not a text of 64 letters and digits")
	errLate            = errors.New("it is too old to be promoted: the keeper would use it before every webhook has read it")
	errStillPrevious   = errors.New("the subscription still carries the previous clientState, which would be accepted no more")
)

func (k ClientStates) name() string { return "client-state" }

func (k ClientStates) validate() error {
	if k.Subscriptions == nil {
		return errNoSubscriptions
	}
	return nil
}

func (k ClientStates) create(ctx context.Context, r *run) (directory.Secret, error) {
	if err := k.ready(ctx, r); err != nil {
		return directory.Secret{}, err
	}
	return newClientState(), nil
}

// newClientState makes a random text. Bytes that would make some letters likelier
// than others are not used.
func newClientState() directory.Secret {
	const fair = 256 - 256%len(lettersAndDigits)
	var text strings.Builder
	buffer := make([]byte, 1)
	for text.Len() < clientStateLength {
		_, _ = rand.Read(buffer) // it never fails
		if int(buffer[0]) < fair {
			text.WriteByte(lettersAndDigits[int(buffer[0])%len(lettersAndDigits)])
		}
	}
	return directory.NewSecret(text.String())
}

func (k ClientStates) check(r *run, v Version) error {
	text := v.Value.Reveal()
	if len(text) != clientStateLength || strings.Trim(text, lettersAndDigits) != "" {
		return errClientState
	}
	if r.now().Sub(v.Created) > r.Settings.ClientStateAge {
		return errLate
	}
	return nil
}

func (k ClientStates) set(context.Context, *run, Version) error { return nil }

func (k ClientStates) test(context.Context, *run, Version) error { return nil }

// ready makes sure that the subscription does not depend on what a rotation makes
// the webhook forget.
func (k ClientStates) ready(ctx context.Context, r *run) error {
	carried, err := k.Subscriptions.ClientStateDigest(ctx)
	if err != nil {
		return recordFault(err)
	}
	previous := r.secret.holder(stagePrevious)
	if carried == "" || previous == "" {
		return nil
	}
	v, err := r.version(ctx, previous)
	if err != nil {
		return err
	}
	if digest := sha256.Sum256([]byte(v.Value.Reveal())); carried != hex.EncodeToString(digest[:]) {
		return nil
	}
	return settingsFault(errStillPrevious, "Wait for the keeper's next run, or see in its log why it failed.")
}

func (k ClientStates) clean(context.Context, *run, Version) error { return nil }
