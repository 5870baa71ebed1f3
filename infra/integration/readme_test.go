package integration

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestReadmeKnowsTheStack checks that README.md tells of every alarm, and that the
// parameters, outputs and titles it names are there.
func TestReadmeKnowsTheStack(t *testing.T) {
	t.Parallel()
	readme := strings.ReplaceAll(readText(t, "README.md"), "\n", " ")
	stack := imagined(t, nil)
	outputs, err := stack.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("outputs? `(\\w+)`").FindAllStringSubmatch(readme, -1) {
		if _, ok := outputs[found[1]]; !ok {
			t.Errorf("README.md names the output %s, the stack has %d others", found[1], len(outputs))
		}
	}
	for name := range outputs {
		if name != "NotificationUrl" && name != "TableName" && !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not say what the output %s is for", name)
		}
	}
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		name := strings.TrimPrefix(properties(t, stack, id)["AlarmName"].(string), "sessionstamp-")
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not say what the alarm %s means", name)
		}
	}
	board := properties(t, stack, "Dashboard")["DashboardBody"].(string)
	for _, title := range []string{"Subscription: hours left", "Who was stamped"} {
		if !strings.Contains(board, title) || !strings.Contains(readme, "*"+title+"*") {
			t.Errorf("README.md and the dashboard do not both speak of %q", title)
		}
	}
}

// TestSumsAreFilled checks that an alarm on a sum of metrics has a value although one
// of them has none: CloudWatch has no sum otherwise, and the alarm never rings.
func TestSumsAreFilled(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		queries, ok := properties(t, stack, id)["Metrics"].([]any)
		if !ok {
			continue
		}
		for _, query := range queries {
			expression, ok := query.(map[string]any)["Expression"].(string)
			if ok && !strings.Contains(expression, "FILL(") {
				t.Errorf("%s has no value while one of its metrics has none: %s", id, expression)
			}
		}
	}
}

// TestCustomResourceKeepsItsName pins the name of the custom resource. Under another
// one an update would set the system up as the new resource, and then take it down
// by the deletion of the old.
func TestCustomResourceKeepsItsName(t *testing.T) {
	t.Parallel()
	if ids := imagined(t, nil).IDs("Custom::Subscription"); !slices.Equal(ids, []string{"Subscription"}) {
		t.Errorf("custom resources %q, want Subscription alone", ids)
	}
}

var (
	indented  = regexp.MustCompile(`(?m)(?:^ {4,}\S.*\n)+`)
	trailing  = regexp.MustCompile(`\s#`)
	modifiers = regexp.MustCompile(`\$\w+:`)
)

// TestReadmeCommands has a shell read the commands of README.md. It also refuses what
// means something else in zsh than in bash: a comment, which an interactive zsh takes for
// words, and "$name:", where it takes the colon for the start of a modifier.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	readme := readText(t, "README.md")
	_, administrators, _ := strings.Cut(readme, "\n## Deploy\n")
	administrators, _, found := strings.Cut(administrators, "\n## How it works\n")
	blocks := indented.FindAllString(administrators, -1)
	if !found || len(blocks) < 20 {
		t.Fatalf("README.md has %d blocks of commands for administrators, want 20 or more", len(blocks))
	}
	for _, block := range blocks {
		command := exec.CommandContext(t.Context(), "bash", "-n")
		command.Stdin = strings.NewReader(block)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%sbash: %v: %s", block, err, out)
		}
		if trailing.MatchString(block) || modifiers.MatchString(block) {
			t.Errorf("%szsh reads this differently", block)
		}
	}
}

// TestReadmeClientSecret checks that what README.md has stored for a client secret tells
// when it expires. Without that no alarm rings.
func TestReadmeClientSecret(t *testing.T) {
	t.Parallel()
	readme := readText(t, "README.md")
	expires := submatch(t, readme, `(?m)^ +expires=(\d\S+)$`)[0]
	const value = "made-up-8Q~client-secret"
	programs := regexp.MustCompile(`jq --raw-input --arg expires "\$expires" '(.*?)'`).FindAllStringSubmatch(readme, -1)
	if len(programs) != 2 {
		t.Errorf("README.md makes the document in %d places, want 2", len(programs))
	}
	for _, program := range programs {
		secret, err := rotation.DecodeClientSecret(evaluated(program[1], map[string]string{".": value, "$expires": expires}))
		if err != nil || secret.Text.Reveal() != value || secret.Expires.Format(time.RFC3339) != expires {
			t.Errorf("%s: expires %s, want %s (%v)", program[1], secret.Expires, expires, err)
		}
	}
}

// TestReadmeCertificate checks that what README.md has stored for a certificate is one:
// what openssl writes, the key first.
func TestReadmeCertificate(t *testing.T) {
	t.Parallel()
	program := submatch(t, readText(t, "README.md"), `jq --raw-input --slurp '(.*?)'`)[0]
	certificate, err := rotation.DecodeCertificate(evaluated(program, map[string]string{".": keyAndCertificate(t)}), nil)
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	if name := certificate.Leaf().Subject.CommonName; name != "by hand" {
		t.Errorf("%s: it is the certificate of %q", program, name)
	}
}

// evaluated is what jq makes of an object whose values are names.
func evaluated(program string, values map[string]string) directory.Secret {
	member := regexp.MustCompile(`(\w+): ([.$\w]+)`)
	return directory.NewSecret(member.ReplaceAllStringFunc(program, func(text string) string {
		parts := member.FindStringSubmatch(text)
		value := strings.ReplaceAll(values[parts[2]], "\n", `\n`)
		return `"` + parts[1] + `":"` + value + `"`
	}))
}

func keyAndCertificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	certificate := x509test.Issue(t, x509test.Template("by hand", time.Time{}, time.Now().Add(time.Hour)), key, nil, nil)
	certificatePEM, keyPEM := x509test.PEM(t, certificate, key)
	return keyPEM + certificatePEM
}

// TestReadmeSubjects checks that the federated credentials that README.md makes are for
// the roles of the stack.
func TestReadmeSubjects(t *testing.T) {
	t.Parallel()
	readme := readText(t, "README.md")
	subject := submatch(t, readme, `--arg subject "([^"]*)"`)[0]
	parts := strings.Fields(submatch(t, readme, `for part in ([a-z ]+); do`)[0])
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := templatetest.Place{Account: "210987654321", Region: "ap-northeast-1", StackName: "stamps"}
	given := map[string]string{"TenantId": aGUID, "ClientId": aGUID, "AuthMode": "web-identity"}
	stack, err := templatetest.Deploy(template, elsewhere, given, paper{})
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := stack.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for name, value := range outputs {
		if strings.HasSuffix(name, "Subject") {
			want = append(want, value)
		}
	}
	for _, part := range parts {
		got = append(got, os.Expand(subject, func(name string) string {
			return map[string]string{"partition": "aws", "account": elsewhere.Account, "stack": elsewhere.StackName,
				"part": part, "AWS_DEFAULT_REGION": elsewhere.Region}[name]
		}))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("README.md makes credentials for %q, the stack needs %q", got, want)
	}
}

// TestReadmeClouds checks that README.md names each cloud that can be chosen, with its
// portal and its audience, and the global one's audience among the names for commands.
func TestReadmeClouds(t *testing.T) {
	t.Parallel()
	readme := readText(t, "README.md")
	said, portals := make(map[string]string), make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`.*\\[(.+)\\]\\((https://.+)\\).*`(api://\\w+)`").FindAllStringSubmatch(readme, -1) {
		said[row[1]], portals[row[1]] = row[4], row[3]
		if row[3] != "https://"+row[2] {
			t.Errorf("README.md shows %s and leads to %s", row[2], row[3])
		}
	}
	clouds := strings.Split(submatch(t, readText(t, "template.yaml"), `AllowedValues: \[(global.*)\]`)[0], ", ")
	if len(said) != len(clouds) {
		t.Errorf("README.md tells of %d clouds, want %q", len(said), clouds)
	}
	for _, cloud := range clouds {
		outputs, err := imagined(t, map[string]string{"Cloud": cloud}).Outputs()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := said[cloud], outputs["TokenAudience"]; got != want {
			t.Errorf("README.md says of the cloud %s that its audience is %q, want %q", cloud, got, want)
		}
	}
	for _, cloud := range msgraph.Clouds() {
		if got := portals[cloud.Name]; got != cloud.Portal {
			t.Errorf("README.md says of the cloud %s that its portal is %q, want %q", cloud.Name, got, cloud.Portal)
		}
	}
	if got := submatch(t, readme, `(?m)^ +audience=(\S+)$`)[0]; got != said["global"] {
		t.Errorf("README.md begins with the audience %s, want %s", got, said["global"])
	}
}

// submatch returns what the groups of a pattern match that fits once.
func submatch(t *testing.T, text, pattern string) []string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("%s fits %d times, want once", pattern, len(found))
	}
	return found[0][1:]
}
