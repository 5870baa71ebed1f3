package signaltest

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A KeycloakServer is Keycloak itself, running on this machine with its [SSF transmitter]:
// a transmitter that none of us has written. Java 17 or newer runs it.
//
// [SSF transmitter]: https://www.keycloak.org/nightly/securing-apps/ssf-support
type KeycloakServer struct {
	base    string
	client  *http.Client
	admin   string // its access token, for a minute
	process *exec.Cmd
}

// A KeycloakRealm is a realm with one receiver, who is a client, and one user.
type KeycloakRealm struct {
	Issuer, TokenURL       string
	ClientID, ClientSecret string
	// UserID and Email are the user's, whom the receiver hears about.
	UserID, Email string

	server *KeycloakServer
	path   string
}

// StartKeycloak runs the distribution that is unpacked at home until Close. It is ready
// after half a minute where nobody else works, and is on a free port of 127.0.0.1. It pushes to that address
// over https with the certificate of [httptest.NewTLSServer], or over http. Its log is
// keycloak.log in the folder scratch.
func StartKeycloak(ctx context.Context, home, scratch string) (*KeycloakServer, error) {
	stub := httptest.NewTLSServer(http.NotFoundHandler())
	defer stub.Close()
	if err := writeKeyPair(stub, scratch); err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	unused, err2 := freePort(ctx)                                  // start-dev listens for http, whatever it is told
	log, err3 := os.Create(filepath.Join(scratch, "keycloak.log")) //nolint:gosec // the test names it
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	k := &KeycloakServer{base: "https://127.0.0.1:" + port, client: stub.Client()}
	k.client.Timeout = 20 * time.Second
	k.process = exec.CommandContext(ctx, filepath.Join(home, "bin", "kc.sh"), "start-dev", //nolint:gosec // it is what the caller asks for
		"--features=ssf", "--db=dev-mem", "--http-host=127.0.0.1", "--http-port="+unused,
		"--https-port="+port, "--hostname="+k.base,
		"--https-certificate-file="+filepath.Join(scratch, "cert.pem"),
		"--https-certificate-key-file="+filepath.Join(scratch, "key.pem"),
		"--truststore-paths="+filepath.Join(scratch, "cert.pem"),
		"--spi-ssf-transmitter--default--allow-insecure-push-targets=true",
		"--spi-ssf-transmitter--default--outbox-drainer-interval=1s")
	k.process.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD=admin", "JAVA_OPTS_KC_HEAP=-Xmx700m")
	k.process.Stdout, k.process.Stderr = log, log
	k.process.Cancel = func() error { return k.process.Process.Signal(syscall.SIGTERM) }
	if err := errors.Join(k.process.Start(), log.Close()); err != nil { // the process has its own
		return nil, err
	}
	if err := k.ready(ctx); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// Close ends the server.
func (k *KeycloakServer) Close() {
	_ = k.process.Cancel()
	_ = k.process.Wait() // it ends with the signal's status
}

// Client reaches the server and trusts its certificate.
func (k *KeycloakServer) Client() *http.Client { return k.client }

func writeKeyPair(s *httptest.Server, folder string) error {
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	if err := os.WriteFile(filepath.Join(folder, "cert.pem"), cert, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
}

func freePort(ctx context.Context) (string, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// ready waits until the server answers.
func (k *KeycloakServer) ready(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := k.call(ctx, http.MethodGet, "/realms/master", nil, nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("keycloak is not ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// Realm makes a realm whose receiver may have SETs pushed to URLs below push, and hears
// about everybody.
func (k *KeycloakServer) Realm(ctx context.Context, name, push string) (*KeycloakRealm, error) {
	r := &KeycloakRealm{
		Issuer: k.base + "/realms/" + name, TokenURL: k.base + "/realms/" + name + "/protocol/openid-connect/token",
		ClientID: "receiver", ClientSecret: "receiver-secret", Email: "somebody@example.com",
		server: k, path: "/admin/realms/" + name,
	}
	err := errors.Join(
		k.manage(ctx, http.MethodPost, "/admin/realms", map[string]any{"realm": name, "enabled": true,
			"attributes": map[string]string{"ssf.transmitterEnabled": "true"}}, nil),
		k.manage(ctx, http.MethodPost, r.path+"/clients", r.receiver(push), nil),
		k.manage(ctx, http.MethodPost, r.path+"/users", map[string]any{"username": "somebody", "email": r.Email, "enabled": true, "firstName": "S", "lastName": "B"}, nil))
	if err != nil {
		return nil, err
	}
	var found []struct{ ID string }
	if err := k.manage(ctx, http.MethodGet, r.path+"/users?username=somebody&exact=true", nil, &found); err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("keycloak has %d users of the name it was just given", len(found))
	}
	r.UserID = found[0].ID
	return r, nil
}

// receiver is the client of the guide's section "Creating a Client representing an SSF Receiver".
func (r *KeycloakRealm) receiver(push string) map[string]any {
	return map[string]any{
		"clientId": r.ClientID, "secret": r.ClientSecret, "publicClient": false,
		"serviceAccountsEnabled": true, "standardFlowEnabled": false,
		"optionalClientScopes": []string{scopeManage, scopeRead},
		"attributes":           map[string]string{"ssf.enabled": "true", "ssf.validPushUrls": push + "*", "ssf.defaultSubjects": "ALL", "ssf.userSubjectFormat": "email"},
	}
}

// ChangePassword has an administrator set the user's password.
func (r *KeycloakRealm) ChangePassword(ctx context.Context, password string) error {
	return r.Manage(ctx, http.MethodPut, "/users/"+r.UserID+"/reset-password",
		map[string]any{"type": "password", "value": password, "temporary": false}, nil)
}

// SignOut has an administrator end the user's sessions.
func (r *KeycloakRealm) SignOut(ctx context.Context) error {
	return r.Manage(ctx, http.MethodPost, "/users/"+r.UserID+"/logout", map[string]any{}, nil)
}

// Manage makes a call of the Admin REST API about the realm, as an administrator. The path
// is the one below the realm's; in and out are JSON, or nil.
func (r *KeycloakRealm) Manage(ctx context.Context, method, path string, in, out any) error {
	return r.server.manage(ctx, method, r.path+path, in, out)
}

// manage makes a call of the Admin REST API as its first administrator.
func (k *KeycloakServer) manage(ctx context.Context, method, path string, in, out any) error {
	form := url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {"admin"}}
	var token struct {
		Text string `json:"access_token"`
	}
	k.admin = ""
	if err := k.call(ctx, http.MethodPost, "/realms/master/protocol/openid-connect/token", form, &token); err != nil {
		return err
	}
	k.admin = token.Text
	return k.call(ctx, method, path, in, out)
}

func (k *KeycloakServer) call(ctx context.Context, method, path string, in, out any) error {
	kind, body := "application/json", []byte(nil)
	if form, ok := in.(url.Values); ok {
		kind, body = "application/x-www-form-urlencoded", []byte(form.Encode())
	} else if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, k.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", kind)
	if k.admin != "" {
		r.Header.Set("Authorization", "Bearer "+k.admin)
	}
	got, err := k.client.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	said, err := io.ReadAll(got.Body)
	switch {
	case err != nil:
		return err
	case got.StatusCode >= 300:
		return fmt.Errorf("keycloak answered %s %s with %d %s", method, path, got.StatusCode, strings.TrimSpace(string(said)))
	case out == nil:
		return nil
	}
	return json.Unmarshal(said, out)
}
