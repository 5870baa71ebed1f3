package templatetest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// paper makes queues that are names and nothing else.
type paper struct{}

func (paper) Make(kind, id string, _ map[string]any) (templatetest.Made, bool, error) {
	if kind != "AWS::SQS::Queue" {
		return templatetest.Made{}, false, nil
	}
	return templatetest.Made{Ref: "https://sqs/" + id, Attributes: map[string]string{"Arn": "arn:sqs:" + id}}, true, nil
}

// sound is a template without a fault, which each test spoils in one place.
const sound = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Name: {Type: String, Default: a, AllowedPattern: "[a-z]+"}
  Size: {Type: Number, Default: 5, MinValue: 1, MaxValue: 9}
  Mode: {Type: String, Default: x, AllowedValues: [x, z]}
Rules:
  SmallZ:
    RuleCondition: !Equals [!Ref Mode, z]
    Assertions:
      - {Assert: !Not [!Equals [!Ref Size, 9]], AssertDescription: z is too large}
Mappings:
  Sizes: {x: {Word: ex}, z: {Word: zed}}
Conditions:
  IsNotZAndFive: !And [!Condition IsNotZ, !Equals [!Ref Size, 5]]
  IsZ: !Equals [!Ref Mode, z]
  IsNotZ: !Not [!Condition IsZ]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Architectures: [arm64]
    Environment: {Variables: {GLOBAL: !Ref AWS::StackName}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ${AWS::StackName}-role
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Sid: S, Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn, Condition: {StringEquals: {k: [v, !Ref Mode]}}}
  Function:
    Type: AWS::Serverless::Function
    DependsOn: Queue
    Properties:
      FunctionName: f
      CodeUri: functions/f/
      MemorySize: 128
      Timeout: 3
      Role: !GetAtt Role.Arn
      Environment:
        Variables:
          QUEUE: !Ref Queue
          SUB: !Sub "${Name}-${Queue.Arn}-${!Literal}"
          JOINED: !Join ["-", [a, !Ref Size]]
          PART: !Select [1, !Split ["-", "p-q"]]
          CHOSEN: !If [IsZ, z, !If [IsNotZ, other, never]]
          FOUND: !FindInMap [Sizes, !Ref Mode, Word]
          FIVE: !If [IsNotZAndFive, five, !Ref AWS::NoValue]
          LEFT_OUT: !If [IsZ, z, !Ref AWS::NoValue]
Outputs:
  Where: {Description: d, Value: !Ref Queue}
  Here: {Condition: IsNotZ, Value: here}
  There: {Condition: IsZ, Value: there}
`

func deploy(t *testing.T, text string, parameters map[string]string) (*templatetest.Stack, error) {
	t.Helper()
	template, err := templatetest.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return templatetest.Deploy(template, templatetest.Place{Account: "1", Region: "r", StackName: "stack"}, parameters, paper{})
}

func TestFunction(t *testing.T) {
	t.Parallel()
	stack, err := deploy(t, sound, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := stack.Function("Function")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"GLOBAL": "stack", "QUEUE": "https://sqs/Queue", "SUB": "a-arn:sqs:Queue-${Literal}",
		"JOINED": "a-5", "PART": "q", "CHOSEN": "other", "FOUND": "ex", "FIVE": "five"}
	if d := cmp.Diff(want, f.Environment); d != "" {
		t.Errorf("environment (-want +got):\n%s", d)
	}
	policy := []templatetest.Statement{{Sid: "S", Effect: "Allow", Actions: []string{"sqs:SendMessage"}, Resources: []string{"arn:sqs:Queue"},
		Conditions: map[string]map[string][]string{"StringEquals": {"k": {"v", "x"}}}}}
	if f.Role != "arn:aws:iam::1:role/stack-role" {
		t.Errorf("the role is %s", f.Role)
	}
	if d := cmp.Diff(policy, f.Policy); d != "" {
		t.Errorf("policy (-want +got):\n%s", d)
	}
	outputs, err := stack.Outputs()
	wanted := map[string]string{"Where": "https://sqs/Queue", "Here": "here"}
	if d := cmp.Diff(wanted, outputs); err != nil || d != "" {
		t.Errorf("outputs (-want +got, %v):\n%s", err, d)
	}
}

// TestFaults spoils the template in one place each, and gives parameters that are none.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old, spoilt string
		parameters  map[string]string
		want        string
	}{
		"reference":           {"QUEUE: !Ref Queue", "QUEUE: !Ref Qeue", nil, "there is no parameter or resource Qeue"},
		"attribute":           {"!GetAtt Queue.Arn", "!GetAtt Queue.ARN", nil, "Queue has no attribute ARN"},
		"sub":                 {"${Name}-", "${Neam}-", nil, "there is no parameter or resource Neam"},
		"sub attribute":       {"${Queue.Arn}", "${Queue.Url}", nil, "Queue has no attribute Url"},
		"intrinsic function":  {"!Join", "!Cidr", nil, "intrinsic function Fn::Cidr"},
		"condition":           {"!If [IsZ, z, !Ref", "!If [IsY, z, !Ref", nil, "there is no condition IsY"},
		"depends":             {"DependsOn: Queue", "DependsOn: Qeue", nil, "there is no resource Qeue"},
		"output's condition":  {"Condition: IsZ, Value", "Condition: IsY, Value", nil, "there is no condition IsY"},
		"output":              {"Value: !Ref Queue", "Value: !Ref Qeue", nil, "output Where"},
		"twice":               {"Timeout: 3", "Timeout: 3\n      Timeout: 4", nil, "stands there twice"},
		"alias":               {"Default: a", "Default: &a a, NoEcho: *a", nil, "neither a map"},
		"circle":              {"  Queue:\n    Type: AWS::SQS::Queue", "  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {A: !Ref Queue}", nil, "refers to itself"},
		"section":             {"Outputs:", "Outptus:", nil, "no such section"},
		"resource attribute":  {"DependsOn: Queue", "DependOn: Queue", nil, "no such attribute of a resource"},
		"type":                {"Type: AWS::SQS::Queue", "Type: AWS::SQS::Quue", nil, "type AWS::SQS::Quue is not known"},
		"property":            {"MemorySize: 128", "MemorySize: 128\n      Memory: 128", nil, "property Memory is not known"},
		"handler":             {"Handler: bootstrap", "Handler: main", nil, `is "main", want "bootstrap"`},
		"role":                {"Role: !GetAtt Role.Arn", "Role: arn", nil, "no role of the template"},
		"managed policy":      {"RoleName: !", "ManagedPolicyArns: [a]\n      RoleName: !", nil, "property ManagedPolicyArns is not known"},
		"globals":             {"Globals:", "Globals:\n  Api: {}", nil, "globals: Api is not known"},
		"unknown parameter":   {"", "", map[string]string{"Neam": "a"}, "the template has none of that name"},
		"pattern":             {"", "", map[string]string{"Name": "A"}, "does not match"},
		"value":               {"", "", map[string]string{"Mode": "y"}, "is none of"},
		"range":               {"", "", map[string]string{"Size": "10"}, "out of range"},
		"no number":           {"", "", map[string]string{"Size": "many"}, "invalid syntax"},
		"rule":                {"", "", map[string]string{"Mode": "z", "Size": "9"}, "rule SmallZ: Assertions: z is too large"},
		"function in a rule":  {"RuleCondition: !Equals [!Ref Mode, z]", "RuleCondition: !Condition IsZ", nil, "Condition is not known in a rule"},
		"rule without words":  {", AssertDescription: z is too large", "", nil, "AssertDescription is missing"},
		"part of a rule":      {"RuleCondition:", "Condition:", nil, "property Condition is not known"},
		"mapping":             {"[Sizes, !Ref Mode, Word]", "[Sizes, !Ref Mode, Wort]", nil, "leads nowhere"},
		"and":                 {"!And [!Condition IsNotZ, ", "!And [", nil, "want 2 to 10 conditions"},
		"parameter not given": {"Default: a,", "", nil, "Default is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.old != "" && !strings.Contains(sound, test.old) {
				t.Fatalf("the template does not hold %q", test.old)
			}
			stack, err := deploy(t, strings.Replace(sound, test.old, test.spoilt, 1), test.parameters)
			if leaktest.Seen(t, err) == nil {
				_, err = stack.Function("Function")
			}
			if leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestEvents reads what starts a function.
func TestEvents(t *testing.T) {
	t.Parallel()
	stack, err := deploy(t, sound[:strings.Index(sound, "Outputs:")]+`
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Function
      EventSourceArn: !GetAtt Queue.Arn
      BatchSize: 100
      MaximumBatchingWindowInSeconds: 1
      FunctionResponseTypes: [ReportBatchItemFailures]
      ScalingConfig: {MaximumConcurrency: 2}
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: !Sub rate(${Size} minutes)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Role.Arn, Input: "{}"}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: secretsmanager.amazonaws.com, SourceAccount: !Ref AWS::AccountId}
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: arn:secret
      RotationLambdaARN: !GetAtt Function.Arn
      RotateImmediatelyOnUpdate: false
      RotationRules: {AutomaticallyAfterDays: !Ref Size}
  Resource:
    Type: Custom::Thing
    Properties: {ServiceToken: !GetAtt Function.Arn, Number: 5, Flag: true}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := stack.EventSources()
	if d := cmp.Diff([]templatetest.EventSource{{LogicalID: "Source", Function: "f", Queue: "arn:sqs:Queue",
		BatchSize: 100, Window: 1e9, Concurrency: 2, Partial: true}}, sources); d != "" || err != nil {
		t.Errorf("event sources, %v (-want +got):\n%s", err, d)
	}
	schedules, err := stack.Schedules()
	if d := cmp.Diff([]templatetest.Schedule{{LogicalID: "Schedule", Function: "arn:aws:lambda:r:1:function:f", Role: "arn:aws:iam::1:role/stack-role",
		Expression: "rate(5 minutes)", Input: "{}"}}, schedules); d != "" || err != nil {
		t.Errorf("schedules, %v (-want +got):\n%s", err, d)
	}
	rotations, err := stack.Rotations()
	if d := cmp.Diff([]templatetest.Rotation{{LogicalID: "Rotation", Secret: "arn:secret", Function: "arn:aws:lambda:r:1:function:f", Days: 5}}, rotations); d != "" || err != nil {
		t.Errorf("rotations, %v (-want +got):\n%s", err, d)
	}
	permissions, err := stack.Permissions()
	if d := cmp.Diff([]templatetest.Permission{{LogicalID: "Permission", Function: "f", Service: "secretsmanager.amazonaws.com", Account: "1"}}, permissions); d != "" || err != nil {
		t.Errorf("permissions, %v (-want +got):\n%s", err, d)
	}
	custom, err := stack.Custom("Resource")
	want := map[string]any{"ServiceToken": "arn:aws:lambda:r:1:function:f", "Number": "5", "Flag": "true"}
	if !maps.Equal(want, custom) || err != nil {
		t.Errorf("the custom resource has %v (%v), want %v", custom, err, want)
	}
}
