package ask_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

// reads are what the persons of these tests are asked for.
var reads = []string{"User.Read.All", "GroupMember.Read.All"}

// visited is a tenant in which a person sits at the browser, and may be asked for reads.
func visited(t *testing.T) emulated {
	t.Helper()
	graph := emulate(t, 2, msgraphtest.Options{}, "User.RevokeSessions.All")
	graph.tenant.AddApp(msgraphtest.AppOptions{ID: ask.GraphCommandLineTools, Delegated: reads})
	graph.tenant.SignInPerson(userID(0))
	return graph
}

// person returns a client that a person signs in to.
func (e emulated) person(t *testing.T, tenant string, auth msgraph.Auth) *ask.Client {
	t.Helper()
	return clientOf(t, msgraph.Options{TenantID: tenant, Auth: auth, Transport: e.server})
}

// prompts counts device codes, and enters them.
type prompts struct {
	server         *msgraphtest.Server
	accept, silent bool
	shown          int
}

func (p *prompts) auth(permissions ...string) msgraph.Auth {
	return ask.DeviceCode(func(_ context.Context, code ask.Code) error {
		p.shown++
		if p.silent {
			return nil
		}
		if !p.server.EnterDeviceCode(code.UserCode, p.accept) || code.URL == "" {
			return errDenied
		}
		return nil
	}, permissions...)
}

// A person is asked once, and has what was asked for. The sign-in outlives its tokens, until
// the person's sessions are revoked.
func TestDeviceCode(t *testing.T) {
	for name, tenant := range map[string]string{"named tenant": tenantID, "the person's own": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := visited(t)
				p := &prompts{server: graph.server, accept: true}
				client := graph.person(t, tenant, p.auth(reads...))
				for range 3 {
					me, err := client.Me(t.Context())
					if err != nil || me.ID != userID(0) || me.UserPrincipalName == "" {
						t.Errorf("me %+v, %v", me, err)
					}
					time.Sleep(2 * time.Hour)
				}
				if of, err := client.Organization(t.Context()); err != nil || of.ID != tenantID {
					t.Errorf("organization %+v, %v", of, err)
				}
				_, err := client.Domains(t.Context())
				if e := graphError(t, err); !e.Forbidden() || e.Code != "Authorization_RequestDenied" || p.shown != 1 {
					t.Errorf("not asked for: %v after %d prompts", err, p.shown)
				}
				if _, err := graph.client.RevokeSignInSessions(t.Context(), userIDs(1)); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour)
				if _, err := client.Me(t.Context()); err != nil || p.shown != 2 {
					t.Errorf("%v after %d prompts, want 2", err, p.shown)
				}
			})
		})
	}
}

// Whoever does not sign in is not asked again. The error has Entra's code, or the next step.
func TestNoDeviceCode(t *testing.T) {
	for name, tt := range map[string]struct {
		accept, silent bool
		scope, tenant  string
		code, says     string
	}{
		"declined":     {scope: reads[0], tenant: tenantID, code: "authorization_declined"},
		"no consent":   {accept: true, scope: "User.RevokeSessions.All", tenant: tenantID, code: "AADSTS65001"},
		"other tenant": {accept: true, scope: reads[0], tenant: "0b7e5a0c-6f0e-4a1b-9c55-000000000001", code: "AADSTS50020"},
		"no tenant":    {accept: true, scope: reads[0], tenant: "0b7e5a0c-6f0e-4a1b-9c55-000000000002", code: "AADSTS90002"},
		"nobody there": {silent: true, scope: reads[0], tenant: tenantID, says: "sign in by browser"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := visited(t)
				graph.server.AddTenant(msgraphtest.TenantOptions{ID: "0b7e5a0c-6f0e-4a1b-9c55-000000000001"})
				p, start := &prompts{server: graph.server, accept: tt.accept, silent: tt.silent}, time.Now()
				_, err := graph.person(t, tt.tenant, p.auth(tt.scope)).Me(t.Context())
				e := graphError(t, err)
				if e.Operation != directory.Token || !e.NotDone || e.Code != tt.code || p.shown > 1 || time.Since(start) > 16*time.Minute {
					t.Errorf("%+v after %d prompts and %s, want %q", e, p.shown, time.Since(start), tt.code)
				}
				if !strings.Contains(err.Error(), tt.says) || errors.Is(err, context.DeadlineExceeded) && tt.says == "" {
					t.Errorf("error %v, want %q", err, tt.says)
				}
			})
		})
	}
}

// script puts a program of that name first on the path. It is the path of the whole process,
// so such a test is not parallel.
func script(t *testing.T, name, body string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/usr/bin:/bin")
}

// opened is the address that the browser is told to open. xdg-open is a script that writes it
// to a pipe.
func opened(t *testing.T) func() string {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, "xdg-open", `printf %s "$1" > `+pipe)
	return func() string {
		address, _ := os.ReadFile(pipe)
		return string(address)
	}
}

// The browser is opened, and what it posts to this machine signs the person in.
func TestBrowser(t *testing.T) {
	address := opened(t)
	graph := visited(t)
	for _, tt := range []struct{ scope, code string }{{reads[0], ""}, {"User.RevokeSessions.All", "AADSTS65001"}} {
		client, browsed := graph.person(t, "", ask.Browser(tt.scope)), make(chan error)
		go func() { browsed <- msgraphtest.Browse(t.Context(), graph.server, address()) }()
		me, err := client.Me(t.Context())
		if codeOf(t, err) != tt.code || tt.code == "" && me.ID != userID(0) {
			t.Errorf("me %+v, %v, want %q", me, err, tt.code)
		}
		if err := <-browsed; err != nil {
			t.Error(err)
		}
	}
}

// Without a browser, the error says what else there is.
func TestNoBrowser(t *testing.T) {
	script(t, "xdg-open", "exit 3")
	_, err := visited(t).person(t, tenantID, ask.Browser(reads...)).Me(t.Context())
	if e := graphError(t, err); e.Operation != directory.Token || !e.NotDone || !strings.Contains(err.Error(), "device code") {
		t.Errorf("error %v", err)
	}
}

// The Azure CLI is asked for all that it has. What it says is not passed on, but Entra's code.
func TestAzureCLI(t *testing.T) {
	token := func(lasts time.Duration) string {
		return fmt.Sprintf(`echo '{"accessToken":"t0k3n","expires_on":%d}'`, time.Now().Add(lasts).Unix())
	}
	for name, tt := range map[string]struct {
		says, code, want string
		runs             int // of az, for two requests
	}{
		"signed in":     {token(time.Hour), "", "", 1},
		"almost over":   {token(time.Minute), "", "", 2},
		"signed out":    {`echo "Please run 'az login' to setup account for ` + principal + `." >&2; exit 1`, "", "az login", 2},
		"sign in again": {`echo "AADSTS50173: ` + principal + `" >&2; exit 1`, "AADSTS50173", "az login", 2},
	} {
		t.Run(name, func(t *testing.T) {
			runs := filepath.Join(t.TempDir(), "runs")
			script(t, "az", `printf x >> `+runs+`; [ "$*" = "account get-access-token -o json --resource https://graph.microsoft.com --tenant `+tenantID+`" ] || exit 2; `+tt.says)
			var w wire
			client := clientOf(t, msgraph.Options{TenantID: tenantID, Auth: ask.AzureCLI(), Transport: &w})
			_, _ = client.Me(t.Context())
			_, err := client.Me(t.Context())
			if ran, _ := os.ReadFile(runs); len(ran) != tt.runs {
				t.Errorf("az ran %d times, want %d", len(ran), tt.runs)
			}
			if codeOf(t, err) != tt.code || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if err == nil && w.authorization != "Bearer t0k3n" {
				t.Errorf("authorization %q", w.authorization)
			}
		})
	}
}

// An app signs in by the variables that Azure's SDKs know.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x509test.Issue(t, x509test.Template("app", time.Now(), time.Now().AddDate(1, 0, 0)), key, nil, nil).Raw})...)
	for name, content := range map[string][]byte{"token": []byte("t0k3n.of.another"), "good.pem": pair, "bad.pem": []byte(secret)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		variables map[string]string
		operation string
		wants     string // in the error
	}{
		"secret":       {map[string]string{"AZURE_CLIENT_SECRET": secret}, "", ""},
		"certificate":  {map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": filepath.Join(dir, "good.pem")}, "", ""},
		"workload":     {map[string]string{"AZURE_FEDERATED_TOKEN_FILE": filepath.Join(dir, "token")}, "", ""},
		"nothing":      {nil, directory.Token, "AZURE_CLIENT_SECRET"},
		"no client":    {map[string]string{"AZURE_CLIENT_SECRET": secret, "AZURE_CLIENT_ID": ""}, directory.Token, "AZURE_CLIENT_ID"},
		"no file":      {map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": filepath.Join(dir, "none")}, directory.Certificate, "may read it"},
		"no key":       {map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": filepath.Join(dir, "bad.pem")}, directory.Certificate, "cannot be read"},
		"no token":     {map[string]string{"AZURE_FEDERATED_TOKEN_FILE": filepath.Join(dir, "none")}, directory.Token, ""},
		"other tenant": {map[string]string{"AZURE_CLIENT_SECRET": secret, "AZURE_TENANT_ID": clientID}, directory.Token, "not the tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			look := func(variable string) string {
				if value, set := tt.variables[variable]; set {
					return value
				}
				return map[string]string{"AZURE_TENANT_ID": strings.ToUpper(tenantID), "AZURE_CLIENT_ID": clientID}[variable]
			}
			_, err := clientOf(t, msgraph.Options{TenantID: tenantID, Auth: ask.Environment(look), Transport: new(wire)}).Me(t.Context())
			if (err == nil) != (tt.operation == "") {
				t.Fatalf("error %v", err)
			}
			if err == nil {
				return
			}
			if e := graphError(t, err); e.Operation != tt.operation || !e.NotDone || !strings.Contains(err.Error(), tt.wants) || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, want %q", err, tt.wants)
			}
		})
	}
}

func TestNobodyIsAskedForNothing(t *testing.T) {
	t.Parallel()
	if _, err := ask.New(msgraph.Options{Auth: ask.Browser()}); err == nil {
		t.Error("a client without a permission to ask for")
	}
}
