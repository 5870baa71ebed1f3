package rotation

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// proofAudiences are whom a [proof of possession] is addressed to. Microsoft's page
// has named both: first the directory's older API, later Microsoft Graph. The second
// is tried where the first is refused.
//
// [proof of possession]: https://learn.microsoft.com/graph/application-rollkey-prooftoken
var proofAudiences = []string{
	"00000002-0000-0000-c000-000000000000",
	"00000003-0000-0000-c000-000000000000",
}

// A proof is good for ten minutes at most, which begin a little in the past, since
// our clock may be ahead of Graph's.
const (
	proofLife = 10 * time.Minute
	proofSkew = time.Minute
)

// withProof makes a call with a proof that we hold a key of the application.
func withProof(r *run, s stock[Certificate], call func(proof directory.Secret) error) (err error) {
	signer, err := signer(s, r.now())
	if err != nil {
		return err
	}
	for _, audience := range proofAudiences {
		proof, signErr := signer.proof(s.registration.ObjectID, audience, r.now())
		if signErr != nil {
			return signErr
		}
		if err = call(proof); !proofRefused(err) {
			return err
		}
	}
	return err
}

// proofRefused tells whether Graph may have disliked the proof, and certainly did
// nothing. It was seen to say so with the status 401. With 400 it says that the key is
// there already, or no longer, which another proof does not change.
func proofRefused(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotDone && (e.Forbidden() || e.StatusCode == http.StatusUnauthorized)
}

// proof is a JSON Web Token by which the holder of the key says that he speaks for
// the application with that object id.
func (c Certificate) proof(objectID, audience string, now time.Time) (directory.Secret, error) {
	begins := now.Add(-proofSkew)
	head := map[string]any{"alg": "RS256", "typ": "JWT", "kid": strings.ToUpper(c.Thumbprint()), "x5t": c.x5t()}
	claims := map[string]any{"aud": audience, "iss": objectID, "nbf": begins.Unix(), "exp": begins.Add(proofLife).Unix()}
	signed := segment(head) + "." + segment(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := c.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return directory.Secret{}, fmt.Errorf("sign a proof of possession: %w", err)
	}
	return directory.NewSecret(signed + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func segment(fields map[string]any) string {
	text, _ := json.Marshal(fields) //nolint:errchkjson // texts and numbers
	return base64.RawURLEncoding.EncodeToString(text)
}
