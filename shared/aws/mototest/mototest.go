// Package mototest starts [moto's server], which answers like DynamoDB, SQS, Secrets
// Manager and others of AWS, from the virtual environment that make tools installs.
// It takes about a second, and no container.
//
// [moto's server]: https://docs.getmoto.org/en/latest/docs/server_mode.html
package mototest

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Region and Account are where everything in a moto server lies.
const (
	Region  = "eu-central-1"
	Account = "123456789012"
)

// patience is how long a server may take to start on a busy machine.
const patience = time.Minute

//go:embed launch.py
var launcher string

// shared holds the server that the tests of one binary share. Nobody calls stop, but
// it keeps open the pipe whose end is the end of the server.
var shared struct {
	once     sync.Once
	endpoint string
	stop     func()
	err      error
}

// Shared returns the endpoint, "http://127.0.0.1:port", of a server that all tests
// of one test binary share, and which ends with it. Tests keep apart by the names of
// their tables and queues.
func Shared(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() {
		shared.endpoint, shared.stop, shared.err = launch(t.Context())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.endpoint
}

// Start returns the endpoint of a server that holds nothing yet and ends with the
// test.
func Start(t testing.TB) string {
	t.Helper()
	endpoint, stop, err := launch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return endpoint
}

// Config returns what the clients of AWS's SDK need for an endpoint, with
// credentials that open nothing.
func Config(endpoint string) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "no-secret", ""),
	}
}

// QuickRetryer makes a retryer like the SDK's own for [aws.Config], but waits no more
// than a millisecond.
func QuickRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
}

// launch starts a server and returns once it takes connections. The server ends
// when stop is called or this process ends, whichever comes first; it outlives ctx.
func launch(ctx context.Context) (endpoint string, stop func(), err error) {
	python, err := interpreter()
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), python, "-c", launcher) //nolint:gosec // the interpreter of our own virtual environment
	stdin, err := command.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	complaints := new(strings.Builder)
	command.Stderr = complaints
	if err := command.Start(); err != nil {
		return "", nil, fmt.Errorf("start moto: %w", err)
	}
	stop = func() {
		_ = stdin.Close()
		_ = command.Wait() // its exit status says nothing that a test asks for
	}
	late := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	defer late.Stop()
	endpoint, err = bufio.NewReader(stdout).ReadString('\n') // printed once its socket is open
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("moto does not start within %s (make tools installs it anew): %w\n%s", patience, err, complaints)
	}
	return strings.TrimSpace(endpoint), stop, nil
}

// interpreter returns the Python of the virtual environment at the module's root, which
// is above the folder in which go test runs the tests of a package.
func interpreter() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, ".venv", "installed")); err == nil {
			return filepath.Join(dir, ".venv", "bin", "python"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("moto is not installed: run make tools")
		}
		dir = filepath.Dir(dir)
	}
}
