package setup

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// TestMain is sam as well: the test starts itself in its place, and it writes down what it
// got.
//
//nolint:forbidigo,gosec // played as sam, it is a process of its own
func TestMain(m *testing.M) {
	if os.Getenv("PLAYS_SAM") == "" {
		os.Exit(m.Run())
	}
	typed, _ := io.ReadAll(os.Stdin)
	said := strings.Join(os.Args[1:], " ") + "\nstdin: " + string(typed) + "\nregion: " + os.Getenv("AWS_REGION") + os.Getenv("AZURE_CLIENT_SECRET")
	_ = os.WriteFile(os.Getenv("PLAYS_SAM"), []byte(said), 0o600)
	if os.Getenv("FAILS") != "" {
		_, _ = os.Stderr.WriteString("Error: AccessDenied\n\n")
		os.Exit(1)
	}
}

// TestSAM: sam can ask nothing, whatever its template is, and finds all answers in a file.
func TestSAM(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said, folder := filepath.Join(t.TempDir(), "said"), filepath.Join(t.TempDir(), "deploy")
	w := wish()
	w.Flags = map[string]string{federatedDomains: "example.co.jp, example.co.jp", alarmsTo: "ops@example.co.jp"}
	f := facts()
	f.AWS.Stack = running(nil)
	f.AWS.Stack.Tags = map[string]string{"Cost Center": "営業 部", VersionTag: "0.0.9"}
	p, problems := Make(f, w)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tree := fstest.MapFS{"template.yaml": {Data: []byte("T")}, "functions/keeper/bootstrap": {Data: []byte("F")}}
	sam := SAM{Program: self, Tree: tree, Folder: folder, Profile: "admin", Env: []string{"PLAYS_SAM=" + said, "AWS_REGION=us-east-1", "AZURE_CLIENT_SECRET=s3cret"}}
	for range 2 { // the second time there is a folder
		if err := sam.Deploy(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(said)
	want := "deploy --config-file samconfig.toml --stack-name sessionstamp --region ap-northeast-1 --no-confirm-changeset --no-fail-on-empty-changeset --no-progressbar\nstdin: \nregion: ap-northeast-1"
	if string(got) != want {
		t.Errorf("%v, sam was called with %s", err, got)
	}
	config, err := os.ReadFile(filepath.Join(folder, "samconfig.toml"))
	for _, line := range []string{
		`region = "ap-northeast-1"`, `profile = "admin"`, `tags = ["\"Cost Center\"=\"営業 部\"", "\"sessionstamp:version\"=\"0.1.0\""]`, `capabilities = "CAPABILITY_IAM CAPABILITY_NAMED_IAM"`,
		`FederatedDomains=\"example.co.jp, example.co.jp\" `, `CredentialSecretArn=\"\"`, `AlarmsTo=\"ops@example.co.jp\"`,
	} {
		if !strings.Contains(string(config), line) {
			t.Errorf("%v, no %s in %s", err, line, config)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, "samconfig.toml")); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("others may read the settings: %v", err)
	}
	info, err := os.Stat(filepath.Join(folder, "functions/keeper/bootstrap"))
	if err != nil || info.Mode()&0o111 == 0 && runtime.GOOS != "windows" {
		t.Errorf("the function cannot be run: %v", err)
	}
	sam.Env = append(sam.Env, "FAILS=1")
	if err := sam.Deploy(t.Context(), p); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
}
