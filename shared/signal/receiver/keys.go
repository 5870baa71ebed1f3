package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// maxKeys is one byte more than a set of keys that is read.
const maxKeys = 1<<16 + 1

var errNotHTTPS = errors.New("jwks_uri is no address that begins with https://")

// HTTPS returns how keys are read from a jwks_uri: by https only, and bounded in bytes. A
// redirection is not followed. The transport is mostly [http.DefaultTransport].
func HTTPS(transport http.RoundTripper) func(uri string) signal.KeyFetcher {
	return func(uri string) signal.KeyFetcher { return fetcher{transport, uri} }
}

type fetcher struct {
	transport http.RoundTripper
	uri       string
}

// FetchKeys implements [signal.KeyFetcher].
func (f fetcher) FetchKeys(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.uri, http.NoBody)
	if err != nil || req.URL.Scheme != "https" || req.URL.Host == "" {
		return nil, errNotHTTPS
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := f.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jwks_uri answers with status %d", answer.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys))
	if err != nil {
		return nil, fmt.Errorf("the answer of jwks_uri broke off: %w", err)
	}
	return raw, nil
}
