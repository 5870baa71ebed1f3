package ststest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// The algorithms that a token can be signed with.
const (
	rs256 = "RS256"
	es384 = "ES384"
)

// A signer signs tokens by one algorithm.
type signer struct {
	keyID  string
	method jwt.SigningMethod
	key    any
}

// signers are made once for the process, since an RSA key costs time: so all servers
// have the same keys.
var signers = sync.OnceValue(func() map[string]signer {
	return map[string]signer{
		rs256: {"RSA_1", jwt.SigningMethodRS256, rsaKey()},
		es384: {"EC384_1", jwt.SigningMethodES384, ecKey()},
	}
})

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })

func must[T any](made T, err error) T {
	if err != nil {
		panic("ststest: " + err.Error())
	}
	return made
}

// sign makes a token of claims.
func (s signer) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(s.method, claims)
	token.Header["kid"] = s.keyID
	return token.SignedString(s.key)
}

// publicKeys are the keys as a set of them shows them (RFC 7517, RFC 7518).
func publicKeys() []map[string]string {
	point := must(ecKey().PublicKey.Bytes()) // 4, x, y
	half := len(point) / 2
	return []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": rs256, "kid": signers()[rs256].keyID,
		"n": number(rsaKey().N.Bytes()), "e": number(big.NewInt(int64(rsaKey().E)).Bytes()),
	}, {
		"kty": "EC", "use": "sig", "alg": es384, "kid": signers()[es384].keyID,
		"crv": "P-384", "x": number(point[1 : 1+half]), "y": number(point[1+half:]),
	}}
}

func number(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
