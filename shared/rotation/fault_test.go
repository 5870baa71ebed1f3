package rotation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// errDenied is an error of AWS's.
var errDenied = errors.New("AccessDeniedException")

// refusals are what Entra, Graph and Secrets Manager answer when something is wrong.
var refusals = []struct {
	name string
	at   string // the call
	err  error
}{
	{"tenant unknown", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS90002", RequestID: "c0rr-1"}},
	{"tenant malformed", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS900023", RequestID: "c0rr-1"}},
	{"client unknown", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS700016", RequestID: "c0rr-1"}},
	{"client unknown to Graph", "getApplication", &directory.Error{Operation: "getApplication", StatusCode: 404, Code: "Request_ResourceNotFound", NotDone: true}},
	{"secret wrong", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS7000215", RequestID: "c0rr-1"}},
	{"secret expired", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS7000222", RequestID: "c0rr-1"}},
	{"certificate wrong", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS700027", RequestID: "c0rr-1"}},
	{"another code", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS50034", RequestID: "c0rr-1"}},
	{"certificate out of its time", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS1000502", RequestID: "c0rr-1"}},
	{"clock", "prove", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS700024", RequestID: "c0rr-1"}},
	{"permission withdrawn meanwhile", "prove", &directory.Error{Operation: "getApplication", StatusCode: 403, Code: "Authorization_RequestDenied", NotDone: true}},
	{"consent withdrawn", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS65001", RequestID: "c0rr-1"}},
	{"app disabled", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS7000112", RequestID: "c0rr-1"}},
	{"no service principal", "prove", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS7000229", RequestID: "c0rr-1"}},
	{"no permission to read", "getApplication", &directory.Error{Operation: "getApplication", StatusCode: 403, Code: "Authorization_RequestDenied", NotDone: true}},
	{"no permission to add", "addPassword", &directory.Error{Operation: "addPassword", StatusCode: 403, Code: "Authorization_RequestDenied", NotDone: true}},
	{"kind forbidden", "addPassword", &directory.Error{Operation: "addPassword", StatusCode: 403, Code: "CredentialTypeNotAllowedAsPerAppPolicy", NotDone: true}},
	{"life forbidden", "addPassword", &directory.Error{Operation: "addPassword", StatusCode: 403, Code: "CredentialInvalidLifetimeAsPerAppPolicy", NotDone: true}},
	{"throttled", "addPassword", &directory.Error{Operation: "addPassword", StatusCode: 429, NotDone: true}},
	{"proof refused", "addKey", &directory.Error{Operation: "addKey", StatusCode: 401, Code: "Authentication_MissingOrMalformed", NotDone: true}},
	{"proof refused at the end", "removeKey", &directory.Error{Operation: "removeKey", StatusCode: 401, Code: "Authentication_MissingOrMalformed", NotDone: true}},
	{"token refused", "addKey", &directory.Error{Operation: "addKey", StatusCode: 401, Code: "InvalidAuthenticationToken", NotDone: true}},
	{"not to be described", "DescribeSecret", errDenied},
	{"not to be stored", "PutSecretValue", errDenied},
	{"not to be promoted", "UpdateSecretVersionStage AWSCURRENT", errDenied},
	{"no answer", "getApplication", &directory.Error{Operation: "getApplication", Err: syscall.ECONNRESET}},
}

// What an administrator reads, who has nothing but the log.
func TestFaults(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	for _, refusal := range refusals {
		t.Run(refusal.name, func(t *testing.T) {
			kind := "client-secret"
			if strings.HasSuffix(refusal.at, "Key") {
				kind = "certificate"
			}
			syncTest(t, kind, func(t *testing.T, w *world) {
				for range 2 { // until there is one to remove
					w.rotate()
				}
				w.strike = func(c call, do func() error) error {
					if c.name == refusal.at {
						return refusal.err
					}
					return do()
				}
				err := w.attempt(w.vault.rotateSecret(w.token()))
				if !errors.Is(err, refusal.err) {
					t.Errorf("error %v does not wrap %v", err, refusal.err)
				}
				fmt.Fprintf(&got, "%s\n  %s: %v\n", refusal.name, w.fault(err), err)
				w.wantLog(`"wrong":"` + string(w.fault(err)) + `"`)
			})
		})
	}
	goldentest.Compare(t, "testdata/faults.txt", got.String())
}

// One record for each step.
func TestLog(t *testing.T) {
	t.Parallel()
	syncTest(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		w.rotate()
		w.log.Reset()
		w.rotate()
		w.strike = func(c call, do func() error) error {
			if c.name == "addPassword" {
				return errStruck
			}
			return do()
		}
		_ = w.attempt(w.vault.rotateSecret(w.token()))
		var got bytes.Buffer
		for line := range strings.Lines(w.log.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			delete(record, "time")
			text, _ := json.Marshal(record)
			got.Write(append(text, '\n'))
		}
		goldentest.Compare(t, "testdata/log.jsonl", got.String())
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	syncTest(t, "client-secret", func(t *testing.T, w *world) {
		good := rotation.DefaultSettings
		for name, change := range map[string]func(*rotation.Settings){
			"life":      func(s *rotation.Settings) { s.Life = 0 },
			"proofs":    func(s *rotation.Settings) { s.Proofs = 0 },
			"limit":     func(s *rotation.Settings) { s.ProofLimit = 0 },
			"gap":       func(s *rotation.Settings) { s.ProofGap = 0 },
			"pause":     func(s *rotation.Settings) { s.ProofPause = 0 },
			"max pause": func(s *rotation.Settings) { s.ProofPauseMax = 1 },
			"margin":    func(s *rotation.Settings) { s.DeadlineMargin = 0 },
			"age":       func(s *rotation.Settings) { s.ClientStateAge = 0 },
		} {
			settings := good
			change(&settings)
			if _, err := rotation.New(rotation.Config{Stack: stack, SecretsManager: outside{w: w}, Settings: settings}); leaktest.Seen(t, err) == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		for name, kind := range map[string]rotation.Kind{
			"none":           nil,
			"client secrets": rotation.ClientSecrets{},
			"certificates":   rotation.Certificates{Prover: outside{w: w}},
			"client states":  rotation.ClientStates{},
		} {
			if err := (rotation.Config{Kind: kind, Settings: good}).Validate(); leaktest.Seen(t, err) == nil || strings.Contains(err.Error(), "positive") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
