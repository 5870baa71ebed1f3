package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

const (
	renewTenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	renewApp    = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
	renewAdmin  = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0001"
	adminSecret = "adm1n~s3cr3t"
	renewARN    = "arn:aws:secretsmanager:" + stacktest.Region + ":" + stacktest.Account + ":secret:sessionstamp/entra-AbCdEf"
	byHand      = "made in the portal"
)

// A vault is one secret of Secrets Manager, as strict as it is documented about stages.
type vault struct {
	versions map[string]*version // by their ids
	last     string              // what was written last, whatever its stages
}

type version struct {
	text   string
	stages []string
}

// holder returns the version that has a stage, "" for none.
func (v *vault) holder(stage string) string {
	for id, one := range v.versions {
		if slices.Contains(one.stages, stage) {
			return id
		}
	}
	return ""
}

// put gives a stage to a version, which must exist, or to none.
func (v *vault) put(stage, to string) {
	for id, one := range v.versions {
		one.stages = slices.DeleteFunc(one.stages, func(s string) bool { return s == stage })
		if id == to {
			one.stages = append(one.stages, stage)
		}
	}
	maps.DeleteFunc(v.versions, func(_ string, one *version) bool { return len(one.stages) == 0 })
}

func (v *vault) current() directory.Secret {
	if one := v.versions[v.holder("AWSCURRENT")]; one != nil {
		return directory.NewSecret(one.text)
	}
	return directory.Secret{}
}

// vaultRequest has the fields of all that is asked.
type vaultRequest struct {
	SecretID            string `json:"SecretId"`
	ClientRequestToken  string
	SecretString        string
	VersionStages       []string
	VersionStage        string
	MoveToVersionID     string `json:"MoveToVersionId"`
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
}

// answer returns a body, or the code of an error. See
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html.
func (v *vault) answer(operation string, in vaultRequest) (body map[string]any, code string) {
	switch {
	case in.SecretID != renewARN:
		return nil, "ResourceNotFoundException"
	case operation == "DescribeSecret":
		stages := make(map[string][]string)
		for id, one := range v.versions {
			stages[id] = one.stages
		}
		return map[string]any{"ARN": renewARN, "Name": "sessionstamp/entra", "VersionIdsToStages": stages}, ""
	case operation == "GetSecretValue":
		if one := v.versions[v.holder(in.VersionStage)]; one != nil {
			return map[string]any{"ARN": renewARN, "SecretString": one.text}, ""
		}
		return nil, "ResourceNotFoundException"
	case operation == "PutSecretValue":
		return v.write(in)
	case operation == "UpdateSecretVersionStage":
		return v.move(in)
	}
	return nil, "InvalidRequestException"
}

// write stores a version. That it comes twice with one token is no error.
func (v *vault) write(in vaultRequest) (map[string]any, string) {
	id := in.ClientRequestToken
	if had := v.versions[id]; had != nil && had.text != in.SecretString {
		return nil, "ResourceExistsException"
	} else if had == nil {
		if len(v.versions) == 0 {
			in.VersionStages = append(in.VersionStages, "AWSCURRENT")
		}
		v.versions[id] = &version{text: in.SecretString, stages: []string{"new"}}
		for _, stage := range in.VersionStages {
			v.put(stage, id)
		}
		v.put("new", "")
		v.last = in.SecretString
	}
	return map[string]any{"VersionId": id}, ""
}

func (v *vault) move(in vaultRequest) (map[string]any, string) {
	holder := v.holder(in.VersionStage)
	if in.RemoveFromVersionID != holder && (in.RemoveFromVersionID != "" || in.MoveToVersionID != holder) {
		return nil, "InvalidParameterException"
	}
	if in.MoveToVersionID != "" && v.versions[in.MoveToVersionID] == nil {
		return nil, "ResourceNotFoundException"
	}
	if in.VersionStage == "AWSCURRENT" {
		v.put("AWSPREVIOUS", holder)
	}
	v.put(in.VersionStage, in.MoveToVersionID)
	return map[string]any{"ARN": renewARN}, ""
}

// A break is at one call, as they are counted from 1: before or after its effect, and alone or
// as the last that the program makes.
type breakdown struct {
	at          int
	after, dies bool
}

// A renewWorld is a deployment at AWS, its app at Entra, and all that goes between them and
// the command. After each call that may have changed something it judges that the stored
// credential works.
type renewWorld struct {
	t          *testing.T
	entra      *msgraphtest.Server
	deployment *stacktest.Deployment
	admin      *ask.Client
	kind       directory.AuthMode
	before     account.Stored

	mu    sync.Mutex
	vault vault
	calls []bool // those so far, and whether each may change something
	fails breakdown
	// meddle is called before each call.
	meddle func(call string)
}

// renewKey is RSA, which takes a while to make.
var renewKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newRenewWorld has a credential that an earlier renewal has made, and one of other means. It
// is called in a bubble. Entra knows new ones so late.
func newRenewWorld(t *testing.T, kind directory.AuthMode, late time.Duration) *renewWorld {
	t.Helper()
	time.Sleep(time.Until(at)) // the beginning of the bubble's time is long ago
	w := &renewWorld{t: t, kind: kind, deployment: stacktest.New(t)}
	w.entra = msgraphtest.New(msgraphtest.Options{Apps: msgraphtest.Registration{Credential: late}, Violation: func(what string) { t.Error(what) }})
	t.Cleanup(w.entra.Close)
	tenant := w.entra.AddTenant(msgraphtest.TenantOptions{ID: renewTenant, Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}}})
	tenant.AddApp(msgraphtest.AppOptions{ID: renewApp, Permissions: []string{"Domain.Read.All"}})
	tenant.AddApp(msgraphtest.AppOptions{ID: renewAdmin, Permissions: []string{ask.ManageApps}, Secrets: []msgraphtest.Secret{{Text: adminSecret}}})
	maps.Copy(w.deployment.Parameters, map[string]string{
		"TenantId": renewTenant, "ClientId": renewApp, "AuthMode": string(kind), "CredentialSecretArn": renewARN, "Cloud": "global",
	})
	w.admin = w.client(t)
	w.begin()
	time.Sleep(160 * 24 * time.Hour)
	return w
}

func (w *renewWorld) client(t *testing.T) *ask.Client {
	t.Helper()
	client, err := ask.New(msgraph.Options{
		Cloud: msgraph.Clouds()[0], TenantID: renewTenant, ClientID: renewAdmin, Transport: w.entra,
		Auth: msgraph.Auth{ClientSecret: always(adminSecret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (w *renewWorld) names() setup.Deployment {
	return setup.Deployment{Stack: w.deployment.Name, Account: stacktest.Account, Region: stacktest.Region}
}

// app is what an administrator sees.
func (w *renewWorld) app() directory.App {
	app, err := w.admin.AppByClientID(w.t.Context(), renewApp)
	if err != nil {
		w.t.Error(err)
	}
	return app
}

// begin adds the first credentials.
func (w *renewWorld) begin() {
	ctx, end := w.t.Context(), time.Now().AddDate(0, 0, 180)
	w.before = account.Stored{Name: w.names().CredentialName(), End: end}
	_, _, err := w.admin.AddPassword(ctx, w.app(), byHand, end)
	if w.kind == directory.AuthCertificate {
		w.before.Key = renewKey()
		w.before.Certificate = x509test.Issue(w.t, x509test.Template("sessionstamp", time.Now(), end), w.before.Key, nil, nil)
		err = errors.Join(err, w.admin.AddCertificate(ctx, w.app(), w.before.Name, w.before.Certificate.Raw))
	} else if err == nil {
		_, w.before.ClientSecret, err = w.admin.AddPassword(ctx, w.app(), w.before.Name, end)
	}
	text, failed := w.before.Text()
	if err := errors.Join(err, failed); err != nil {
		w.t.Fatal(err)
	}
	w.vault.versions = map[string]*version{"first": {text: text.Reveal(), stages: []string{"AWSCURRENT"}}}
}

// renew runs the command.
func (w *renewWorld) renew(args ...string) (status int, stdout, stderr string) {
	return play(w.t.Context(), func(p *program) {
		p.Env = func(name string) string {
			return map[string]string{tenantVariable: renewTenant, clientVariable: renewAdmin, secretVariable: adminSecret}[name] + stacktest.Env(name)
		}
		p.Now = func() time.Time { return time.Now().In(tokyo) }
		p.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			writes := r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/token")
			return w.carry(r, writes, r.Method+" "+r.URL.Path, w.entra.RoundTrip)
		})
		p.AWS = roundTripper(func(r *http.Request) (*http.Response, error) {
			_, operation, is := strings.Cut(r.Header.Get("X-Amz-Target"), "secretsmanager.")
			if !is {
				return w.carry(r, false, r.Header.Get("X-Amz-Target"), w.deployment.RoundTrip)
			}
			return w.carry(r, operation == "PutSecretValue" || operation == "UpdateSecretVersionStage", operation, func(r *http.Request) (*http.Response, error) { return w.keep(r, operation) })
		})
	}, append([]string{"credential", "renew"}, args...)...)
}

// carry brings one call to its end, unless it is the one that breaks.
func (w *renewWorld) carry(r *http.Request, writes bool, call string, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	w.mu.Lock()
	w.calls = append(w.calls, writes)
	n, fails := len(w.calls), w.fails
	w.mu.Unlock()
	if w.meddle != nil {
		w.meddle(call)
	}
	if n == fails.at && !fails.after || fails.dies && n > fails.at && fails.at > 0 {
		return nil, syscall.ECONNRESET
	}
	response, err := next(r)
	if writes {
		if err := w.works(r.Context()); err != nil {
			w.t.Errorf("%+v: after call %d, %s, the stored credential does not work: %v", fails, n, call, err)
		}
	}
	if n == fails.at && err == nil {
		response.Body.Close()
		return nil, syscall.ECONNRESET
	}
	return response, err
}

// keep answers for Secrets Manager.
func (w *renewWorld) keep(r *http.Request, operation string) (*http.Response, error) {
	var in vaultRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	body, code := w.vault.answer(operation, in)
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Request: r}
	if code != "" {
		response.StatusCode, body = http.StatusBadRequest, map[string]any{"__type": code}
	}
	text, err := json.Marshal(body)
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, err
}

// stored is what the functions would read.
func (w *renewWorld) stored() account.Stored {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored, err := account.ParseStored(w.vault.current())
	if err != nil {
		w.t.Error(err)
	}
	return stored
}

// auth reads what is stored as the functions do: once, and again when it is of no use.
func (w *renewWorld) auth() (auth msgraph.Auth) {
	var held account.Stored
	read := func(fresh bool) account.Stored {
		if fresh || held.Name == "" {
			held = w.stored()
		}
		return held
	}
	if w.kind == directory.AuthClientSecret {
		auth.ClientSecret = func(_ context.Context, fresh bool) (string, error) { return read(fresh).ClientSecret.Reveal(), nil }
		return auth
	}
	auth.Certificate = func(_ context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
		return []*x509.Certificate{read(fresh).Certificate}, read(false).Key, nil
	}
	return auth
}

func (w *renewWorld) options() msgraph.Options {
	return msgraph.Options{Cloud: msgraph.Clouds()[0], TenantID: renewTenant, ClientID: renewApp, Transport: w.entra, Auth: w.auth()}
}

// works signs in as a function that starts now.
func (w *renewWorld) works(ctx context.Context) error { return ask.SignIn(ctx, w.options()) }

// whole checks that nothing is left over: one credential of ours, which is the stored one, the
// one of other means, and no pending version.
func (w *renewWorld) whole() {
	w.t.Helper()
	var names []string
	for _, c := range w.app().Credentials {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	want := []string{byHand, w.stored().Name}
	if !slices.Equal(names, want) || w.stored().Name == w.before.Name || w.vault.holder("AWSPENDING") != "" || w.works(w.t.Context()) != nil {
		w.t.Errorf("%+v: the app has %q, want %q; pending: %q; %v", w.fails, names, want, w.vault.holder("AWSPENDING"), w.works(w.t.Context()))
	}
}
