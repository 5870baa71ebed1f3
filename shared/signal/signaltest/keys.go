package signaltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
)

// key is one that signs or has signed.
type key struct {
	id     string
	signer crypto.Signer
}

// Rotate signs with a new key from now on. The old ones stay published.
func (t *Transmitter) Rotate() {
	signer, err := newSigner(t.opts.Algorithm)
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = append(t.keys, key{rand.Text(), signer})
}

// Withdraw publishes no key but the one that signs now.
func (t *Transmitter) Withdraw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = t.keys[len(t.keys)-1:]
}

func newSigner(algorithm string) (crypto.Signer, error) {
	if algorithm == "ES256" {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// jwks is the key set (RFC 7517). As Keycloak's, it has a key for another use.
func (t *Transmitter) jwks(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	keys := []map[string]string{{"kty": "oct", "use": "enc", "kid": "other", "k": "AAAA"}}
	for _, k := range t.keys {
		keys = append(keys, k.public())
	}
	t.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"keys": keys})
}

func (k key) public() map[string]string {
	if public, ok := k.signer.Public().(*rsa.PublicKey); ok {
		return map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
			"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes())}
	}
	point, err := k.signer.Public().(*ecdsa.PublicKey).Bytes() // 4, x, y
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	return map[string]string{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": k.id,
		"x": encode(point[1:33]), "y": encode(point[33:])}
}

// Sign makes a token of any header and claims with the key that signs now. Where the
// header has no alg or kid, it has the key's: so a test can forge what no transmitter sends.
func (t *Transmitter) Sign(header, claims map[string]any) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sign(header, claims)
}

// sign makes a compact JWS (RFC 7515, section 7.1). t.mu is held.
func (t *Transmitter) sign(header, claims map[string]any) string {
	k := t.keys[len(t.keys)-1]
	full := map[string]any{"alg": t.opts.Algorithm, "kid": k.id}
	for name, value := range header {
		full[name] = value
	}
	text := part(full) + "." + part(claims)
	signature, err := k.signature(text)
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	return text + "." + encode(signature)
}

// signature is that of RS256 or ES256 (RFC 7518, sections 3.3 and 3.4).
func (k key) signature(text string) ([]byte, error) {
	hash := sha256.Sum256([]byte(text))
	private, ok := k.signer.(*ecdsa.PrivateKey)
	if !ok {
		return k.signer.Sign(rand.Reader, hash[:], crypto.SHA256)
	}
	r, s, err := ecdsa.Sign(rand.Reader, private, hash[:])
	if err != nil {
		return nil, err
	}
	both := make([]byte, 64)
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return both, nil
}

func part(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("signaltest: " + err.Error())
	}
	return encode(text)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
