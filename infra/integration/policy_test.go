package integration

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
)

// exceptions are rights that no story can be seen to use, by action, with the reason
// for each. Only AWS itself uses them, under the function's role.
var exceptions = map[string]string{
	"logs:CreateLogStream":   "AWS Lambda makes the log stream of an execution environment",
	"logs:PutLogEvents":      "AWS Lambda writes what the program prints",
	"sqs:GetQueueAttributes": "AWS Lambda asks for it when the event source mapping is made, and to find out how many pollers it needs",
}

// A grant is one right that a policy gives: one action on one resource.
type grant struct{ Action, Resource string }

// grants takes a policy apart. A statement that denies, or a pattern where an action
// should stand, is a fault.
func grants(policy []templatetest.Statement) (all []grant, faults []string) {
	for _, s := range policy {
		if s.Effect != "Allow" {
			faults = append(faults, fmt.Sprintf("statement %s has the effect %s, which nobody has tested", s.Sid, s.Effect))
		}
		for _, action := range s.Actions {
			for _, resource := range s.Resources {
				all = append(all, grant{action, resource})
				if action == tokenAction && resource == "*" && boundToken(s) {
					continue
				}
				// Log streams have no names that could be known before.
				plain := strings.TrimSuffix(resource, ":*")
				if strings.ContainsAny(action, "*?") || strings.ContainsAny(plain, "*?") || plain != resource && !strings.HasPrefix(action, "logs:") {
					faults = append(faults, fmt.Sprintf("statement %s allows %s on %s: a wildcard", s.Sid, action, resource))
				}
			}
		}
	}
	return all, faults
}

// tokenAction is about no resource.
const tokenAction = "sts:GetWebIdentityToken"

// boundToken tells whether a statement says for whom a token may be, how it is signed,
// and for how long: as the programs ask for it.
func boundToken(s templatetest.Statement) bool {
	audience := s.Conditions["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"]
	return len(audience) == 1 && strings.HasPrefix(audience[0], "api://AzureADTokenExchange") &&
		maps.EqualFunc(s.Conditions, tokenConditions(audience[0]), func(a, b map[string][]string) bool {
			return maps.EqualFunc(a, b, slices.Equal[[]string])
		})
}

// tokenConditions are those of a role that may have tokens for an audience.
func tokenConditions(audience string) map[string]map[string][]string {
	return map[string]map[string][]string{
		"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": {audience}},
		// No value is all values, too
		// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
		"Null":                  {"sts:IdentityTokenAudience": {"false"}},
		"StringEquals":          {"sts:SigningAlgorithm": {"RS256"}},
		"NumericLessThanEquals": {"sts:DurationSeconds": {strconv.Itoa(identity.Lifetime)}},
	}
}

// compare tells where a policy and what was done differ: what was done and isn't
// allowed, and, if everything has been played, what is allowed and was never done.
func compare(policy []templatetest.Statement, done []grant, complete bool) []string {
	allowed, faults := grants(policy)
	for _, d := range done {
		if !slices.Contains(allowed, d) {
			faults = append(faults, fmt.Sprintf("it calls %s on %s, which its role does not allow", d.Action, d.Resource))
		}
	}
	for _, a := range allowed {
		used, excepted := slices.Contains(done, a), exceptions[a.Action] != ""
		switch {
		case used && excepted:
			faults = append(faults, fmt.Sprintf("it uses %s, which is among the exceptions", a.Action))
		case complete && !used && !excepted:
			faults = append(faults, fmt.Sprintf("its role allows %s on %s, which no story uses", a.Action, a.Resource))
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

// checkPolicies compares what the functions did with their roles, in each mode. The
// names of resources are the same in all worlds but for what moto adds to the ARNs of
// secrets. Most stories are played in one mode only, so a right that two modes give is
// used if either has used it.
func checkPolicies(t *testing.T, seen *accesses, complete bool) {
	t.Helper()
	for _, mode := range []string{"web-identity", "certificate", "client-secret"} {
		for role, policy := range policies(t, mode) {
			var done []grant
			for _, a := range seen.list() {
				g := grant{a.Action, named(a.Resource)}
				if a.Function == role && (a.Mode == mode || allows(policy, g)) {
					done = append(done, g)
				}
			}
			for _, fault := range compare(policy, done, complete) {
				t.Errorf("%s, with %s: %s", role, mode, fault)
			}
		}
	}
}

func allows(policy []templatetest.Statement, g grant) bool {
	all, _ := grants(policy)
	return slices.Contains(all, g)
}

// policies are those of all functions, and of the schedules, in a mode.
func policies(t *testing.T, mode string) map[string][]templatetest.Statement {
	t.Helper()
	stack := imagined(t, map[string]string{"AuthMode": mode})
	functions, err := stack.Functions()
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := stack.Policy("ScheduleRole")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]templatetest.Statement{"schedule": schedule}
	for _, f := range functions {
		all[f.LogicalID] = namedPolicy(f.Policy)
	}
	return all
}

// named is the ARN of a secret without the six characters that Secrets Manager makes
// up, and any other ARN as it is.
func named(arn string) string {
	if i := strings.LastIndex(arn, "-"); strings.Contains(arn, ":secretsmanager:") && i == len(arn)-7 {
		return arn[:i]
	}
	return arn
}

func namedPolicy(policy []templatetest.Statement) []templatetest.Statement {
	policy = slices.Clone(policy)
	for i, s := range policy {
		policy[i].Resources = nil
		for _, resource := range s.Resources {
			policy[i].Resources = append(policy[i].Resources, named(resource))
		}
	}
	return policy
}

// TestPoliciesCanDiffer breaks the template's own policies, one right at a time, and
// sees that it is noticed.
func TestPoliciesCanDiffer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"web-identity", "client-secret"} {
		for role, policy := range policies(t, mode) {
			checkDifferences(t, role, policy)
		}
	}
}

func checkDifferences(t *testing.T, role string, policy []templatetest.Statement) {
	t.Helper()
	var done []grant
	all, _ := grants(policy)
	for _, g := range all {
		if exceptions[g.Action] == "" {
			done = append(done, g)
		}
	}
	if faults := compare(policy, done, true); len(faults) > 0 {
		t.Fatalf("%s: a function that does what it may differs: %q", role, faults)
	}
	for i, g := range done {
		without := slices.Concat(done[:i], done[i+1:])
		want := fmt.Sprintf("its role allows %s on %s, which no story uses", g.Action, g.Resource)
		if faults := compare(policy, without, true); !slices.Equal(faults, []string{want}) {
			t.Errorf("%s: without %s on %s the difference is %q", role, g.Action, g.Resource, faults)
		}
		if faults := compare(policy, without, false); len(faults) > 0 {
			t.Errorf("%s: what was not played is not allowed for: %q", role, faults)
		}
		elsewhere := grant{g.Action, g.Resource + "-of-another"}
		want = fmt.Sprintf("it calls %s on %s, which its role does not allow", elsewhere.Action, elsewhere.Resource)
		if faults := compare(policy, append(slices.Clone(done), elsewhere), true); !slices.Equal(faults, []string{want}) {
			t.Errorf("%s: %s on another resource makes the difference %q", role, g.Action, faults)
		}
	}
}

// TestPolicyFaults shows policies that are wrong in themselves.
func TestPolicyFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statement templatetest.Statement
		want      string
	}{
		"wildcard action":   {templatetest.Statement{Sid: "S", Effect: "Allow", Actions: []string{"sqs:*"}, Resources: []string{"arn:q"}}, "a wildcard"},
		"wildcard resource": {templatetest.Statement{Sid: "S", Effect: "Allow", Actions: []string{"sqs:SendMessage"}, Resources: []string{"*"}}, "a wildcard"},
		"suffix":            {templatetest.Statement{Sid: "S", Effect: "Allow", Actions: []string{"sqs:SendMessage"}, Resources: []string{"arn:q:*"}}, "a wildcard"},
		"token for anybody": {templatetest.Statement{Sid: "S", Effect: "Allow", Actions: []string{tokenAction}, Resources: []string{"*"},
			Conditions: map[string]map[string][]string{"NumericLessThanEquals": {"sts:DurationSeconds": {"300"}}}}, "a wildcard"},
		"deny": {templatetest.Statement{Sid: "S", Effect: "Deny", Actions: []string{"sqs:SendMessage"}, Resources: []string{"arn:q"}}, "the effect Deny"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, faults := grants([]templatetest.Statement{test.statement}); len(faults) != 1 || !strings.Contains(faults[0], test.want) {
				t.Errorf("got %q, want %q", faults, test.want)
			}
		})
	}
}

// TestTokenConditions leaves out one condition of a role's tokens at a time.
func TestTokenConditions(t *testing.T) {
	t.Parallel()
	statement := templatetest.Statement{Sid: "SignIn", Effect: "Allow", Actions: []string{tokenAction}, Resources: []string{"*"},
		Conditions: tokenConditions("api://AzureADTokenExchange")}
	if _, faults := grants([]templatetest.Statement{statement}); len(faults) > 0 {
		t.Errorf("with all conditions: %q", faults)
	}
	for operator := range statement.Conditions {
		broken := statement
		broken.Conditions = maps.Clone(statement.Conditions)
		delete(broken.Conditions, operator)
		if _, faults := grants([]templatetest.Statement{broken}); len(faults) != 1 {
			t.Errorf("without %s: %q, want one fault", operator, faults)
		}
	}
}

// imagined is the template deployed without anything that is real.
func imagined(t *testing.T, parameters map[string]string) *templatetest.Stack {
	t.Helper()
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	given := maps.Clone(required)
	maps.Copy(given, parameters)
	stack, err := templatetest.Deploy(template, place, given, paper{})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// required are the parameters that have no default, and those that take as much of
// the template as there is: a credential that is stored and rotated.
var required = map[string]string{"TenantId": aGUID, "ClientId": aGUID, "AuthMode": "client-secret", "CredentialRotationDays": "30",
	"CredentialSecretArn": "arn:aws:secretsmanager:" + place.Region + ":" + place.Account + ":secret:sessionstamp-credential-AbCdEf"}

const aGUID = "0c5b5b8e-8a8f-4f0e-9d1c-2f1e6a3b4c5d"

// paper makes queues, tables and secrets that have names and nothing else.
type paper struct{}

// Make implements [templatetest.Maker].
func (paper) Make(kind, id string, _ map[string]any) (templatetest.Made, bool, error) {
	name := place.StackName + "-" + id
	arn := func(service, resource string) map[string]string {
		return map[string]string{"Arn": "arn:aws:" + service + ":" + place.Region + ":" + place.Account + ":" + resource, "QueueName": name}
	}
	switch kind {
	case "AWS::SQS::Queue":
		return templatetest.Made{Ref: "https://sqs/" + name, Attributes: arn("sqs", name)}, true, nil
	case "AWS::DynamoDB::Table":
		return templatetest.Made{Ref: name, Attributes: arn("dynamodb", "table/"+name)}, true, nil
	case "AWS::SecretsManager::Secret":
		return templatetest.Made{Ref: arn("secretsmanager", "secret:"+name+"-AbCdEf")["Arn"]}, true, nil
	}
	return templatetest.Made{}, false, nil
}
