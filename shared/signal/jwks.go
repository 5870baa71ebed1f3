package signal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

const (
	// keysAge is how long a set of keys is believed: so long, a key that the transmitter
	// has withdrawn still signs.
	keysAge = time.Hour
	// keysPause lies between two fetches. A stranger who names unknown keys causes one
	// each minute.
	keysPause = time.Minute
	// keysTimeout leaves time for an answer within three seconds.
	keysTimeout = 2 * time.Second
	maxKeys     = 1 << 16 // bytes
	// RSA keys below 2048 bits are forbidden (RFC 7518, 3.3); above 8192 they only cost time.
	minRSA, maxRSA = 2048, 8192
)

var errKeys = errors.New("jwks_uri holds no set of keys that can be used: look at the transmitter's metadata")

// A KeyFetcher reads the transmitter's JSON Web Key Set (RFC 7517) from its jwks_uri. It
// follows no redirection to another host, and reads no more than 65,537 bytes.
type KeyFetcher interface {
	FetchKeys(ctx context.Context) ([]byte, error)
}

// Keys are a transmitter's keys, fetched when needed. They are safe for concurrent use.
type Keys struct {
	fetcher KeyFetcher

	mu    sync.Mutex                  // held while they are fetched
	known map[string]crypto.PublicKey // by algorithm and kid
	read  time.Time                   // when known was fetched
	tried time.Time                   // when it was last asked for
}

// NewKeys fetches nothing yet.
func NewKeys(fetcher KeyFetcher) *Keys { return &Keys{fetcher: fetcher} }

// find returns the key of that name for that algorithm. It fetches at most once.
func (k *Keys) find(ctx context.Context, algorithm, kid string, now time.Time) (crypto.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := !k.read.IsZero() && now.Sub(k.read) < keysAge
	if key := k.known[algorithm+" "+kid]; key != nil && fresh {
		return key, nil
	}
	if !k.tried.IsZero() && now.Sub(k.tried) < keysPause {
		// A new key may have been published since.
		if fresh {
			return nil, &Refusal{Reason: UnknownKey, Temporary: true}
		}
		return nil, &Refusal{Reason: NoKeys, Temporary: true}
	}
	if err := k.fetch(ctx, now); err != nil {
		return nil, &Refusal{Reason: NoKeys, Temporary: true, Err: err}
	}
	if key := k.known[algorithm+" "+kid]; key != nil {
		return key, nil
	}
	return nil, refuse(UnknownKey)
}

func (k *Keys) fetch(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	k.tried = now
	raw, err := k.fetcher.FetchKeys(ctx)
	if err != nil {
		return fmt.Errorf("fetch the transmitter's keys: %w", err)
	}
	known := parseKeys(raw)
	if len(known) == 0 {
		return errKeys
	}
	k.known, k.read = known, now
	return nil
}

// parseKeys reads the keys that can be used, and passes over all others.
func parseKeys(raw []byte) map[string]crypto.PublicKey {
	if len(raw) > maxKeys {
		return nil
	}
	set, _ := parse(raw)
	known := make(map[string]crypto.PublicKey)
	for _, element := range set.list("keys") {
		jwk, _ := element.(object)
		algorithm, key := parseKey(jwk)
		if key != nil && jwk.text("kid") != "" && jwk.text("use") != "enc" {
			known[algorithm+" "+jwk.text("kid")] = key
		}
	}
	return known
}

// parseKey returns nil for a key that is not for RS256 or ES256.
func parseKey(jwk object) (algorithm string, key crypto.PublicKey) {
	switch jwk.text("kty") {
	case "RSA":
		algorithm, key = "RS256", rsaKey(jwk)
	case "EC":
		algorithm, key = "ES256", ecKey(jwk)
	}
	if alg := jwk.text("alg"); alg != "" && alg != algorithm {
		return "", nil
	}
	return algorithm, key
}

func rsaKey(jwk object) crypto.PublicKey {
	n, e := new(big.Int).SetBytes(bytesOf(jwk, "n")), new(big.Int).SetBytes(bytesOf(jwk, "e"))
	const minExponent, maxExponentBits = 3, 31
	exponent := e.Int64()
	if n.BitLen() < minRSA || n.BitLen() > maxRSA ||
		e.BitLen() > maxExponentBits || exponent < minExponent || exponent%2 == 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(exponent)}
}

func ecKey(jwk object) crypto.PublicKey {
	const uncompressed, coordinate = 4, 32
	x, y := bytesOf(jwk, "x"), bytesOf(jwk, "y")
	if jwk.text("crv") != "P-256" || len(x) != coordinate || len(y) != coordinate {
		return nil
	}
	point := bytes.Join([][]byte{{uncompressed}, x, y}, nil)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil { // the point is not on the curve
		return nil
	}
	return key
}

func bytesOf(o object, name string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(o.text(name))
	if err != nil {
		return nil
	}
	return raw
}
