package integration

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// steps are those of a rotation, in Secrets Manager's order
// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html).
var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// A rotating is one rotation of a secret, as Secrets Manager does it. Moto, which has
// no function to call, does nothing but to begin.
type rotating struct {
	world         *world
	function      *function
	secret, token string
}

// beginRotation begins the rotation that a schedule of the stack is for.
func (w *world) beginRotation(id string) *rotating {
	w.t.Helper()
	rotations, err := w.stack.Rotations()
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(rotations, func(r templatetest.Rotation) bool { return r.LogicalID == id })
	if i < 0 {
		w.t.Fatalf("the stack has no rotation %s", id)
	}
	r := &rotating{world: w, secret: rotations[i].Secret, token: uuid.NewString()}
	for _, f := range w.functions {
		if f.ARN == rotations[i].Function {
			r.function = f
		}
	}
	if r.function == nil {
		w.t.Fatalf("%s calls %s, which is no function of the stack", id, rotations[i].Function)
	}
	mototest.BeginRotation(w.t, mototest.SecretsManager(w.cloud.endpoint), r.secret, r.token)
	return r
}

// step calls the function for one step.
func (r *rotating) step(name string) error {
	event, err := json.Marshal(map[string]string{"Step": name, "SecretId": r.secret, "ClientRequestToken": r.token, "RotationToken": uuid.NewString()})
	if err != nil {
		return err
	}
	_, err = r.function.program.Invoke(r.world.ctx, event)
	return err
}

// all does every step until one fails.
func (r *rotating) all() error {
	for _, step := range steps {
		if err := r.step(step); err != nil {
			return err
		}
	}
	return nil
}

// replaced does a rotation from beginning to end.
func (w *world) replaced(id string) {
	w.t.Helper()
	w.must(w.beginRotation(id).all())
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// secret is the current value of a secret.
func (w *world) secret(arn string) string {
	w.t.Helper()
	var out struct{ SecretString string }
	w.must(w.cloud.call(w.ctx, "secretsmanager.GetSecretValue", map[string]string{"SecretId": arn}, &out))
	return out.SecretString
}

// TestRotations checks which secrets are rotated, and that Secrets Manager may call the
// function by then, on behalf of this account alone.
func TestRotations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parameters map[string]string
		want       []string
	}{
		"both":           {nil, []string{"ClientStateRotation", "CredentialRotation"}},
		"by hand":        {map[string]string{"CredentialRotationDays": "0"}, []string{"ClientStateRotation"}},
		"nothing stored": {map[string]string{"AuthMode": "web-identity", "CredentialSecretArn": ""}, []string{"ClientStateRotation"}},
		// A rotation would add a credential at Microsoft, and remove another.
		"dry run":          {map[string]string{"DryRun": "true"}, []string{"ClientStateRotation"}},
		"clientState kept": {map[string]string{"ClientStateRotationDays": "0"}, []string{"CredentialRotation"}},
		"none":             {map[string]string{"ClientStateRotationDays": "0", "CredentialRotationDays": "0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := imagined(t, test.parameters)
			if ids := stack.IDs("AWS::SecretsManager::RotationSchedule"); !slices.Equal(ids, test.want) {
				t.Errorf("rotations %q, want %q", ids, test.want)
			}
			checkRotations(t, stack)
		})
	}
}

func checkRotations(t *testing.T, stack *templatetest.Stack) {
	t.Helper()
	rotations, errR := stack.Rotations()
	permissions, errP := stack.Permissions()
	rotator, errF := stack.Function("RotatorFunction")
	if err := errors.Join(errR, errP, errF); err != nil {
		t.Fatal(err)
	}
	want := []templatetest.Permission{{LogicalID: "RotatorPermission", Function: rotator.Name,
		Service: "secretsmanager.amazonaws.com", Account: mototest.Account}}
	if !slices.Equal(permissions, want) {
		t.Errorf("permissions %+v, want %+v", permissions, want)
	}
	var replaced []string
	for _, statement := range rotator.Policy {
		if slices.Contains(statement.Actions, "secretsmanager:PutSecretValue") {
			replaced = append(replaced, statement.Resources...)
		}
	}
	for i, rotation := range rotations {
		if rotation.Function != rotator.ARN || rotation.Days < 1 || !slices.Contains(stack.DependsOn(rotation.LogicalID), "RotatorPermission") {
			t.Errorf("%+v: want the rotator, some days, and the permission first", rotation)
		}
		if len(replaced) != len(rotations) || replaced[i] != rotation.Secret {
			t.Errorf("the rotator may replace %q, want what is rotated", replaced)
		}
	}
}

// TestStoredOrNot checks that functions know of the secret where it holds what they
// sign in with, and of none where nothing is stored, in every cloud.
func TestStoredOrNot(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"web-identity", "certificate", "client-secret"} {
		for _, cloud := range msgraph.Clouds() {
			stack := imagined(t, map[string]string{"AuthMode": mode, "Cloud": cloud.Name})
			for _, id := range []string{"RevokerFunction", "KeeperFunction", "SweeperFunction", "RotatorFunction"} {
				f, err := stack.Function(id)
				if err != nil {
					t.Fatal(err)
				}
				_, known := f.Environment["CREDENTIAL_SECRET_ARN"]
				if f.Environment["AUTH_MODE"] != mode || known != (mode != "web-identity") {
					t.Errorf("%s: AUTH_MODE is %s, want %s; it knows of a secret: %t", id, f.Environment["AUTH_MODE"], mode, known)
				}
			}
			if custom := properties(t, stack, "Subscription"); custom["AuthMode"] != mode {
				t.Errorf("the set-up is not done again when the mode becomes %s", mode)
			}
			checkAudience(t, stack, cloud.ExchangeAudience(), mode == "web-identity")
		}
	}
}

// checkAudience checks how functions may sign in, and to whom tokens may be addressed.
func checkAudience(t *testing.T, stack *templatetest.Stack, want string, tokens bool) {
	t.Helper()
	outputs, err := stack.Outputs()
	if err != nil || outputs["TokenAudience"] != want {
		t.Errorf("the output TokenAudience is %q (%v), want %q", outputs["TokenAudience"], err, want)
	}
	for _, role := range []string{"RevokerRole", "KeeperRole", "SweeperRole"} {
		policy, err := stack.Policy(role)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(policy, func(s templatetest.Statement) bool { return s.Sid == "SignIn" })
		if i < 0 {
			t.Errorf("%s has no statement SignIn", role)
			continue
		}
		if diff := cmp.Diff(signIn(want, tokens), policy[i]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", role, diff)
		}
	}
}

// signIn is the statement by which a role may sign in: with tokens for an audience, or
// else with what is stored.
func signIn(audience string, tokens bool) templatetest.Statement {
	if tokens {
		return templatetest.Statement{Sid: "SignIn", Effect: "Allow", Actions: []string{tokenAction},
			Resources: []string{"*"}, Conditions: tokenConditions(audience)}
	}
	return templatetest.Statement{Sid: "SignIn", Effect: "Allow", Actions: []string{"secretsmanager:GetSecretValue"},
		Resources: []string{required["CredentialSecretArn"]}}
}
