package signaltest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

// receiver is a small one that does as the specification says, unless told otherwise.
type receiver struct {
	t       *testing.T
	tr      *signaltest.Transmitter
	token   string
	got     []string // the bodies
	header  http.Header
	respond http.HandlerFunc // nil means 202
}

func (r *receiver) RoundTrip(in *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	r.got, r.header = append(r.got, string(body)), in.Header
	w := httptest.NewRecorder()
	if r.respond == nil {
		w.WriteHeader(http.StatusAccepted)
	} else {
		r.respond(w, in)
	}
	return w.Result(), nil
}

func start(t *testing.T, o signaltest.Options) *receiver {
	t.Helper()
	r := &receiver{t: t}
	o.Push = r
	r.tr = signaltest.New(o)
	r.token = r.authorize("ssf.read ssf.manage")
	return r
}

// authorize gets a token as RFC 6749 has it.
func (r *receiver) authorize(scope string) string {
	r.t.Helper()
	status, body := r.form(url.QueryEscape(signaltest.ClientSecret), scope)
	if status != http.StatusOK {
		r.t.Fatalf("token: %d %v", status, body)
	}
	return body["access_token"].(string)
}

func (r *receiver) form(secret, scope string) (int, map[string]any) {
	r.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	in, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.tr.TokenURL(), strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	in.SetBasicAuth(signaltest.ClientID, secret)
	in.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(in)
}

// call makes a call of the management API with the token.
func (r *receiver) call(method, path, body string) (int, map[string]any) {
	r.t.Helper()
	in, err := http.NewRequestWithContext(r.t.Context(), method, strings.TrimSuffix(r.tr.Issuer(), "/")+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	in.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		in.Header.Set("Content-Type", "application/json")
	}
	return r.do(in)
}

func (r *receiver) do(in *http.Request) (int, map[string]any) {
	r.t.Helper()
	got, err := r.tr.Client().Do(in)
	if err != nil {
		r.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var body map[string]any
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &body); err != nil {
			r.t.Fatal(err)
		}
	}
	return got.StatusCode, body
}

func (r *receiver) create() (id string) {
	r.t.Helper()
	types, err := json.Marshal(signaltest.Types())
	if err != nil {
		r.t.Fatal(err)
	}
	status, body := r.call(http.MethodPost, "/ssf/streams", `{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://receiver.example.com/idp/1","authorization_header":"Bearer push"},"events_requested":`+string(types)+`}`)
	if status != http.StatusCreated {
		r.t.Fatalf("create: %d %v", status, body)
	}
	return body["stream_id"].(string)
}

func (r *receiver) expect(want int, method, path, body string) map[string]any {
	r.t.Helper()
	status, said := r.call(method, path, body)
	if status != want {
		r.t.Errorf("%s %s %s: %d %v, want %d", method, path, body, status, said, want)
	}
	return said
}

func (r *receiver) deliver(want int) {
	r.t.Helper()
	if n := r.tr.Deliver(r.t.Context()); n != want {
		r.t.Errorf("%d SETs were taken, want %d", n, want)
	}
}

// verified checks a SET's signature with another library, and returns its parts.
func (r *receiver) verified(token string) (jwt.MapClaims, map[string]any) {
	r.t.Helper()
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(tok *jwt.Token) (any, error) {
		return r.published(tok.Header["kid"].(string)), nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return claims, parsed.Header
}

// published finds a key in the key set that the metadata name.
func (r *receiver) published(kid string) any {
	r.t.Helper()
	in, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, strings.TrimSuffix(r.tr.Issuer(), "/")+"/jwks", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	_, set := r.do(in)
	for _, one := range set["keys"].([]any) {
		k := one.(map[string]any)
		bytes := func(name string) []byte {
			b, err := base64.RawURLEncoding.DecodeString(k[name].(string))
			if err != nil {
				r.t.Fatal(err)
			}
			return b
		}
		switch {
		case k["kid"] != kid:
		case k["kty"] == "RSA":
			return &rsa.PublicKey{N: new(big.Int).SetBytes(bytes("n")), E: int(new(big.Int).SetBytes(bytes("e")).Int64())}
		default:
			point, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, bytes("x"), bytes("y")))
			if err != nil {
				r.t.Fatal(err)
			}
			return point
		}
	}
	return nil
}

func (r *receiver) noFaults() {
	r.t.Helper()
	if f := r.tr.Faults(); len(f) > 0 {
		r.t.Errorf("faults: %q", f)
	}
}

func TestLifeOfAStream(t *testing.T) {
	t.Parallel()
	for _, o := range []signaltest.Options{
		{Algorithm: "RS256"},
		{Algorithm: "ES256", Issuer: "https://idp.example.com/a/b/"},
	} {
		r := start(t, o)
		r.metadata()
		id := r.create()
		query := "/ssf/streams?stream_id=" + id
		r.expect(http.StatusConflict, http.MethodPost, "/ssf/streams", `{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://b.example.com"}}`)
		r.expect(http.StatusOK, http.MethodGet, "/ssf/streams", "")
		shown := r.expect(http.StatusOK, http.MethodGet, query, "")
		if shown["iss"] != r.tr.Issuer() || len(shown["events_delivered"].([]any)) != 4 {
			t.Errorf("the stream is %v", shown)
		}
		patched := r.expect(http.StatusOK, http.MethodPatch, "/ssf/streams", `{"stream_id":"`+id+`","description":"d"}`)
		if patched["description"] != "d" || len(patched["events_delivered"].([]any)) != 4 {
			t.Errorf("the patched stream is %v", patched)
		}
		put := r.expect(http.StatusOK, http.MethodPut, "/ssf/streams", `{"stream_id":"`+id+`","delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://b.example.com","authorization_header":"Bearer push"}}`)
		if put["description"] != nil || len(put["events_delivered"].([]any)) != 0 {
			t.Errorf("the replaced stream is %v", put)
		}
		r.expect(http.StatusNoContent, http.MethodPost, "/ssf/verify", `{"stream_id":"`+id+`","state":"abc"}`)
		r.deliver(1)
		r.isVerification(id)
		r.expect(http.StatusNoContent, http.MethodDelete, query, "")
		r.expect(http.StatusNotFound, http.MethodGet, query, "")
		r.noFaults()
	}
}

// metadata reads them where SSF 7.2.1 has them.
func (r *receiver) metadata() {
	r.t.Helper()
	issuer, err := url.Parse(r.tr.Issuer())
	if err != nil {
		r.t.Fatal(err)
	}
	issuer.Path = "/.well-known/ssf-configuration" + strings.TrimSuffix(issuer.Path, "/")
	in, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, issuer.String(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	status, said := r.do(in)
	if status != http.StatusOK || said["issuer"] != r.tr.Issuer() || said["default_subjects"] != "ALL" {
		r.t.Errorf("the metadata are %d %v", status, said)
	}
}

func (r *receiver) isVerification(id string) {
	r.t.Helper()
	claims, header := r.verified(r.got[len(r.got)-1])
	event := claims["events"].(map[string]any)[signaltest.TypeVerification].(map[string]any)
	sub := claims["sub_id"].(map[string]any)
	if header["typ"] != "secevent+jwt" || event["state"] != "abc" || sub["id"] != id || claims["sub"] != nil || claims["exp"] != nil {
		r.t.Errorf("the verification is %v %v", header, claims)
	}
	if r.header.Get("Authorization") != "Bearer push" || r.header.Get("Content-Type") != "application/secevent+jwt" {
		r.t.Errorf("it came with %v", r.header)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	r := start(t, signaltest.Options{Algorithm: "ES256"})
	r.create()
	who := signaltest.Email("a@example.com")
	r.tr.Emit(signaltest.PasswordChanged(who, time.Now()))
	r.tr.Rotate()
	r.tr.Emit(signaltest.PasswordChanged(who, time.Now()))
	r.deliver(2)
	_, first := r.verified(r.got[0])
	_, second := r.verified(r.got[1])
	if first["kid"] == second["kid"] {
		t.Error("the key is still the old one")
	}
	r.tr.Withdraw()
	if r.published(first["kid"].(string)) != nil || r.published(second["kid"].(string)) == nil {
		t.Error("the wrong key was withdrawn")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := start(t, signaltest.Options{MinVerification: time.Hour, RefuseSubjects: true, StaticToken: "static"})
	id := r.create()
	reader, manager := r.authorize("ssf.read"), r.token
	const push = `"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://b.example.com"}`
	r.expect(http.StatusNoContent, http.MethodPost, "/ssf/verify", `{"stream_id":"`+id+`"}`)
	for _, c := range []struct {
		token, method, path, body string
		want, faults              int
	}{
		{"", "GET", "/ssf/streams", "", 401, 1},
		{"other", "GET", "/ssf/streams", "", 401, 0},
		{"static", "GET", "/ssf/streams", "", 200, 0},
		{reader, "GET", "/ssf/status?stream_id=" + id, "", 200, 0},
		{reader, "POST", "/ssf/status", `{"stream_id":"` + id + `","status":"paused"}`, 403, 1},
		{manager, "GET", "/ssf/streams?access_token=" + manager, "", 401, 1},
		{manager, "GET", "/ssf/other", "", 404, 1},
		{manager, "GET", "/ssf/status?stream_id=other", "", 404, 0},
		{manager, "POST", "/ssf/status", `{"stream_id":"` + id + `","status":"off"}`, 400, 1},
		{manager, "POST", "/ssf/streams", `{}`, 400, 1},
		{manager, "POST", "/ssf/streams", `{"aud":"a",` + push + `}`, 400, 1},
		{manager, "POST", "/ssf/streams", `{"events_requested":[],` + push + `}`, 400, 1},
		{manager, "POST", "/ssf/streams", strings.Replace("{"+push+"}", "https", "http", 1), 400, 1},
		{manager, "PATCH", "/ssf/streams", `{"description":"d"}`, 400, 1},
		{manager, "PATCH", "/ssf/streams", `{"stream_id":"` + id + `","iss":"https://other.example.com"}`, 400, 1},
		{manager, "PATCH", "/ssf/streams", `{"stream_id":"` + id + `","iss":"https://transmitter.example.com"}`, 200, 0},
		{manager, "PUT", "/ssf/streams", `{"stream_id":"` + id + `"}`, 400, 1},
		{manager, "DELETE", "/ssf/streams", "", 400, 1},
		{manager, "POST", "/ssf/verify", `{"stream_id":"` + id + `"}`, 429, 1},
		{manager, "POST", "/ssf/subjects:add", `{"stream_id":"` + id + `","subject":{"format":"email","email":"a@example.com"}}`, 403, 0},
		{manager, "POST", "/ssf/subjects:add", `{"stream_id":"` + id + `","subject":{"email":"a@example.com"}}`, 400, 1},
	} {
		before := len(r.tr.Faults())
		r.token = c.token
		r.expect(c.want, c.method, c.path, c.body)
		if n := len(r.tr.Faults()) - before; n != c.faults {
			t.Errorf("%s %s %s: %d faults, want %d", c.method, c.path, c.body, n, c.faults)
		}
	}
}

func TestTamperedIsWrongInOneWay(t *testing.T) {
	t.Parallel()
	r := start(t, signaltest.Options{Algorithm: "ES256"})
	r.create()
	all := r.tr.Tampered(signaltest.PasswordChanged(signaltest.Email("a@example.com"), time.Now()))
	for name, c := range all {
		parsed, err := jwt.Parse(c.Token, func(tok *jwt.Token) (any, error) {
			return r.published(tok.Header["kid"].(string)), nil
		})
		if bad := err != nil; bad != (c.Err == "invalid_key") {
			t.Errorf("%s: %v", name, err)
		}
		claims := parsed.Claims.(jwt.MapClaims)
		if bad := claims["iss"] != r.tr.Issuer(); bad != (name == "issuer") {
			t.Errorf("%s: the issuer is %v", name, claims["iss"])
		}
		if _, other := claims["aud"].(string); other != (name == "audience") {
			t.Errorf("%s: the audience is %v", name, claims["aud"])
		}
	}
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	status := 0
	r := start(t, signaltest.Options{Algorithm: "ES256", Break: func(*http.Request) int { return status }})
	status = http.StatusBadGateway
	r.expect(http.StatusBadGateway, http.MethodGet, "/jwks", "")
	r.expect(http.StatusBadGateway, http.MethodGet, "/ssf/streams", "")
	status = 0
	r.tr.ExpireTokens()
	r.expect(http.StatusUnauthorized, http.MethodGet, "/ssf/streams", "")
	r.noFaults()
}

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	r := start(t, signaltest.Options{TokenLife: time.Minute, Now: func() time.Time { return now }})
	for _, c := range []struct {
		secret, scope string
		want, faults  int
	}{
		{url.QueryEscape(signaltest.ClientSecret), "ssf.read", 200, 0},
		{"other", "ssf.read", 401, 0},
		{signaltest.ClientSecret, "ssf.read", 401, 1}, // not encoded
		{url.QueryEscape(signaltest.ClientSecret), "", 400, 1},
		{url.QueryEscape(signaltest.ClientSecret), "admin", 400, 1},
	} {
		before := len(r.tr.Faults())
		status, said := r.form(c.secret, c.scope)
		if n := len(r.tr.Faults()) - before; status != c.want || n != c.faults {
			t.Errorf("%q %q: %d %v with %d faults, want %d with %d", c.secret, c.scope, status, said, n, c.want, c.faults)
		}
	}
	now = now.Add(time.Minute)
	r.expect(http.StatusUnauthorized, http.MethodGet, "/ssf/streams", "")
}
