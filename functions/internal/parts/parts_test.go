package parts_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/sessionstamp/sessionstamp/functions/internal/parts"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// In every cloud and for every way to sign in there are all parts, made without a call.
// What is stored expires.
func TestNew(t *testing.T) {
	t.Parallel()
	const id = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	env := program.Environment{AWS: aws.Config{Region: "eu-central-1"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	for _, cloud := range parts.Clouds() {
		for _, mode := range directory.AuthModes() {
			app := config.App{ClientID: id, Cloud: cloud, Mode: mode, CredentialSecret: "arn"}
			p, err := parts.New(env, config.Stack{Tenant: id, Name: "s", Namespace: "n"}, app, config.Users{})
			if err != nil {
				t.Fatalf("%s, %s: %v", cloud, mode, err)
			}
			if p.Graph == nil || p.Domains == nil || p.Brake == nil || p.Reporter.Adviser.Portal == "" || (p.Expires != nil) != mode.Stored() {
				t.Errorf("%s, %s: %+v", cloud, mode, p)
			}
		}
	}
}
