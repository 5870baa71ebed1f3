package importtest

import (
	"strings"
	"testing"
)

const (
	models = "github.com/microsoftgraph/msgraph-sdk-go/models"
	lambda = "github.com/aws/aws-lambda-go/lambda"
	sqs    = "github.com/aws/aws-sdk-go-v2/service/sqs"
	// azidentity signs in, which the receiving side has no reason to.
	azidentity = "github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// inventions are graphs that break one rule, or keep it though it looks close.
var inventions = []struct {
	name    string
	imports map[string][]string // of packages in this module; a name with "!" is a test binary
	want    string              // "" for none
}{
	{"nothing", map[string][]string{"shared/webhook": {"./shared/notification", "net/http"}}, ""},
	{"graph client", map[string][]string{"shared/msgraph": {models, "./shared/directory"}}, ""},
	{"client of a function", map[string][]string{"functions/revoker": {"./shared/msgraph", lambda}, "shared/msgraph": {models}}, ""},
	{"use case names the SDK", map[string][]string{"shared/sweep": {models}}, "shared/sweep imports " + models},
	{"use case names azidentity", map[string][]string{"shared/rotation": {azidentity}}, "shared/rotation imports"},
	{"use case names kiota", map[string][]string{"shared/sweep": {"github.com/microsoft/kiota-abstractions-go"}}, "shared/sweep imports"},
	{"use case names AWS", map[string][]string{"shared/subscription": {sqs}}, "shared/subscription imports " + sqs},
	{"use case names Lambda", map[string][]string{"shared/webhook": {lambda}}, "shared/webhook imports " + lambda},
	{"graph client names AWS", map[string][]string{"shared/msgraph": {sqs}}, "shared/msgraph imports " + sqs},
	{"function names the Graph SDK", map[string][]string{"functions/revoker": {models}}, "functions/revoker imports " + models},
	{"emulator names the SDK", map[string][]string{"shared/msgraph/msgraphtest": {models}}, "shared/msgraph/msgraphtest imports " + models},
	{
		"use case links the SDK through another",
		map[string][]string{"shared/revocation": {"./shared/directory"}, "shared/directory": {"./shared/msgraph"}, "shared/msgraph": {models}},
		"(shared/revocation → shared/directory → shared/msgraph → " + models + ")",
	},
	{
		"emulator links the SDK",
		map[string][]string{"shared/msgraph/msgraphtest": {"./shared/msgraph"}, "shared/msgraph": {models}},
		"shared/msgraph/msgraphtest links " + models,
	},
	{
		"use case links AWS through another",
		map[string][]string{"shared/revocation": {"./shared/aws/queue"}, "shared/aws/queue": {sqs}},
		"shared/revocation links " + sqs,
	},
	{
		"tests of a use case link the SDK",
		map[string][]string{"shared/sweep!": {"./shared/msgraph"}, "shared/msgraph": {models}},
		"shared/sweep links " + models,
	},
	{"tests of the client link it", map[string][]string{"shared/msgraph!": {"./shared/msgraph"}, "shared/msgraph": {models}}, ""},
	{"root package", map[string][]string{"shared/msgraph": {graphRoot}}, "shared/msgraph links " + graphRoot + ": the root"},
	{
		"receiving function links the SDK",
		map[string][]string{"functions/webhook": {"./shared/msgraph"}, "shared/msgraph": {models}},
		"functions/webhook links " + models,
	},
	{
		"receiving function links azidentity through what functions share",
		map[string][]string{
			"functions/webhook":              {"./functions/internal/graphclient"},
			"functions/internal/graphclient": {"./shared/msgraph"},
			"shared/msgraph":                 {azidentity},
		},
		"functions/webhook links " + azidentity,
	},
	{
		"other functions link it",
		map[string][]string{
			"functions/keeper":               {"./functions/internal/graphclient"},
			"functions/internal/graphclient": {"./shared/msgraph"},
			"shared/msgraph":                 {azidentity},
		},
		"",
	},
	{
		"AWS side links the Graph SDK",
		map[string][]string{"shared/aws/secrets": {"./shared/msgraph"}, "shared/msgraph": {azidentity}},
		"shared/aws/secrets links " + azidentity,
	},
	{"function links a fake", map[string][]string{"functions/revoker": {"./shared/msgraph/msgraphtest"}}, "functions/revoker links shared/msgraph/msgraphtest: test-only"},
	{
		"use case links testing through another",
		map[string][]string{"shared/webhook": {"./shared/notification"}, "shared/notification": {"testing"}},
		"shared/webhook links testing: test-only",
	},
	{"use case links a suite", map[string][]string{"shared/memory": {"./shared/revocation/revocationtest"}}, "shared/memory links shared/revocation/revocationtest"},
	{"suite links testing", map[string][]string{"shared/revocation/revocationtest": {"testing"}}, ""},
	{"test links testing", map[string][]string{"shared/webhook!": {"testing", "net/http/httptest"}}, ""},
	{"local runs the emulator", map[string][]string{"infra/local": {"./shared/msgraph/msgraphtest"}}, ""},
	{"local links a suite", map[string][]string{"infra/local": {"./shared/revocation/revocationtest"}}, "infra/local links shared/revocation/revocationtest"},
	{"local links testing", map[string][]string{"infra/local": {"net/http/httptest"}}, "infra/local links net/http/httptest"},
	{"neighbour of local runs the emulator", map[string][]string{"infra/entra": {"./shared/msgraph/msgraphtest"}}, "infra/entra links"},
	{"shared knows infra", map[string][]string{"shared/webhook": {"./infra/local"}}, "shared/webhook imports"},
	{"shared tests know infra", map[string][]string{"shared/webhook!": {"./infra/local"}}, "shared/webhook imports"},
	{"shared knows a function", map[string][]string{"shared/webhook": {"./functions/webhook"}}, "shared/webhook imports"},
	{"function knows infra", map[string][]string{"functions/webhook": {"./infra/local"}}, "functions/webhook imports"},
}

// TestRulesCanBreak shows each rule a graph that breaks it, and one that keeps it.
func TestRulesCanBreak(t *testing.T) {
	t.Parallel()
	for _, test := range inventions {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := violations(invent(test.imports))
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("found what is allowed: %q", got)
			case test.want != "" && !strings.Contains(strings.Join(got, "\n"), test.want):
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// invent makes a graph. "./x" is a package of this module.
func invent(imports map[string][]string) graph {
	g := make(graph)
	for folder, list := range imports {
		n := node{ImportPath: module + "/" + folder, Name: "p"}
		if tested, ok := strings.CutSuffix(folder, "!"); ok {
			n = node{ImportPath: module + "/" + tested + ".test", Name: "main"}
		}
		for _, path := range list {
			n.Imports = append(n.Imports, strings.Replace(path, "./", module+"/", 1))
		}
		g[n.ImportPath] = n
	}
	return g
}
