package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SAM deploys by AWS's [sam deploy]. Nothing is left for it to ask: it has no terminal, all
// answers stand in samconfig.toml beside the template, and it shows no change set to confirm.
// Whoever calls `sam deploy` in that folder later deploys the same.
//
// [sam deploy]: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html
type SAM struct {
	// Program is the path of sam.
	Program string
	// Tree holds template.yaml, and functions/NAME/bootstrap of each function.
	Tree fs.FS
	// Folder is where the tree is written to. It is made; what is in it is replaced.
	Folder string
	// Profile is that of AWS's configuration, "" for the usual one.
	Profile string
	// Env is the environment of the program, as os.Environ returns it.
	Env []string
}

// ErrNoSAM is returned by [FindSAM].
var ErrNoSAM = errors.New("the AWS SAM CLI is not installed")

// FindSAM looks for sam on the PATH.
func FindSAM() (string, error) {
	path, err := exec.LookPath("sam")
	if err != nil {
		return "", ErrNoSAM
	}
	return path, nil
}

// Deploy implements [Deployer]. An error has the last line that sam has written.
func (s SAM) Deploy(ctx context.Context, p Plan) error {
	if err := s.unpack(p); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.Program, samArguments(p)...)                        //nolint:gosec // the person's own program
	entras := func(variable string) bool { return strings.HasPrefix(variable, "AZURE_") } // sam needs no secret of Entra's
	cmd.Dir, cmd.Env = s.Folder, append(slices.DeleteFunc(slices.Clone(s.Env), entras), "SAM_CLI_TELEMETRY=0", "AWS_REGION="+p.Region, "AWS_DEFAULT_REGION="+p.Region)
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sam deploy: %w: %s", err, said.last())
	}
	return nil
}

// samArguments are few: values with blanks and commas would have to be quoted for sam, and on
// Windows once more.
func samArguments(p Plan) []string {
	return []string{
		"deploy", "--config-file", "samconfig.toml", "--stack-name", p.Stack, "--region", p.Region,
		"--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
	}
}

// unpack writes the tree and the configuration.
func (s SAM) unpack(p Plan) error {
	const private, runs = 0o700, 0o755
	if err := os.RemoveAll(s.Folder); err != nil {
		return err
	}
	err := fs.WalkDir(s.Tree, ".", func(name string, entry fs.DirEntry, err error) error {
		to := filepath.Join(s.Folder, filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(to, private)
		}
		content, err := fs.ReadFile(s.Tree, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, runs)
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Folder, "samconfig.toml"), []byte(Config(p, s.Profile)), 0o600)
}

// Config returns samconfig.toml for a plan: see [configuration file]. A value is quoted twice,
// for TOML and for sam, as sam itself writes it.
//
// [configuration file]: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
func Config(p Plan, profile string) string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s = %s\n", key, strconv.Quote(value)) }
	b.WriteString("# Written by sessionstamp setup. `sam deploy` in this folder deploys the same again.\nversion = 0.1\n\n[default.deploy.parameters]\n")
	line("template_file", "template.yaml")
	line("stack_name", p.Stack)
	line("region", p.Region)
	if profile != "" {
		line("profile", profile)
	}
	// The roles have names, because Microsoft Entra is told to trust them by name.
	line("capabilities", "CAPABILITY_IAM CAPABILITY_NAMED_IAM")
	b.WriteString("confirm_changeset = true\nfail_on_empty_changeset = false\nresolve_s3 = true\n")
	line("s3_prefix", p.Stack)
	fmt.Fprintf(&b, "tags = [%s]\n", strings.Join(tags(p), ", "))
	var values []string
	for _, v := range p.Values {
		values = append(values, fmt.Sprintf(`%s="%s"`, v.Name, v.Value))
	}
	line("parameter_overrides", strings.Join(values, " "))
	return b.String()
}

// tags are all that the stack is to have: CloudFormation takes away what is not named. In a list
// sam takes each in quotes, whatever is in it.
func tags(p Plan) (all []string) {
	wanted := map[string]string{VersionTag: p.Version}
	for name, value := range p.Tags {
		if name != VersionTag && !strings.HasPrefix(name, "aws:") {
			wanted[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		all = append(all, strconv.Quote(fmt.Sprintf(`"%s"="%s"`, name, wanted[name])))
	}
	return all
}

// VersionTag is the tag of a stack that tells which sessionstamp it runs.
const VersionTag = "sessionstamp:version"

// tail keeps the end of what is written.
type tail struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 1 << 14
	if t.Len() > most {
		t.Next(t.Len() - most)
	}
	return t.Buffer.Write(p)
}

// last returns the last line that is not empty.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(t.String()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

var _ io.Writer = (*tail)(nil)
