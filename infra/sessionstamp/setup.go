package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// settingUp are the flags of setup.
type settingUp struct {
	deployment
	line                                    string
	exclude, excludeGroups, domains         []string
	stampsPerDay                            int // -1 where it is not said
	observe, alarms, boundary, kmsKey, auth string
	signals                                 string
	from                                    string
	apps                                    int // 0 where it is not said
	plan, yes, undo, aws, entra             bool
}

func (c *call) setupVerb() *cobra.Command {
	o, oneApp := settingUp{stampsPerDay: -1}, false
	cmd := c.verb("setup", func(cmd *cobra.Command, args []string) error {
		o.line = o.observed(cmd, args)
		if cmd.Flags().Changed("one-app") {
			o.apps = map[bool]int{true: 1, false: 2}[oneApp]
		}
		return c.setup(cmd.Context(), o)
	})
	cmd.Args = cobra.ArbitraryArgs
	flags := cmd.Flags()
	flags.BoolVar(&o.plan, "plan", false, c.help("flag.setup-plan"))
	flags.BoolVar(&o.yes, "yes", false, c.help("flag.yes"))
	flags.BoolVar(&o.undo, "undo", false, c.help("flag.undo"))
	flags.BoolVar(&o.aws, "aws", false, c.help("flag.setup-aws"))
	flags.BoolVar(&o.entra, "entra", false, c.help("flag.setup-entra"))
	flags.Var(text{&o.from, "FILE"}, "from", c.help("flag.from"))
	flags.Var(texts{&o.exclude, "U|none"}, "exclude", c.help("flag.setup-exclude"))
	flags.Var(texts{&o.excludeGroups, "G|none"}, "exclude-group", c.help("flag.setup-exclude-group"))
	flags.Var(texts{&o.domains, "D"}, "domain", c.help("flag.setup-domain"))
	flags.Var(number{&o.stampsPerDay}, "stamps-per-day", c.help("flag.stamps-per-day"))
	flags.Var(choice{&o.observe, []string{"true", "false"}}, "observe", c.help("flag.observe"))
	flags.Var(choice{&o.signals, []string{"off", "report", "enforce"}}, "signals", c.help("flag.signals"))
	flags.Var(text{&o.alarms, "ADDRESS|ARN"}, "alarms", c.help("flag.alarms"))
	flags.Var(text{&o.boundary, "ARN"}, "boundary", c.help("flag.boundary"))
	flags.Var(text{&o.kmsKey, "ARN"}, "kms-key", c.help("flag.kms-key"))
	flags.BoolVar(&oneApp, "one-app", false, c.help("flag.one-app"))
	flags.Var(choice{&o.auth, []string{"web-identity", "client-secret"}}, "auth", c.help("flag.auth"))
	flags.Lookup("observe").NoOptDefVal = "true"
	o.flags(c, cmd, usualStack)
	return cmd
}

// observed takes the value of --observe from the arguments, since pflag takes none behind a
// blank for a flag that needs none. It returns the line of the other person.
func (o *settingUp) observed(cmd *cobra.Command, args []string) string {
	at := slices.IndexFunc(args, func(arg string) bool { return arg == "true" || arg == "false" })
	if at >= 0 && cmd.Flags().Changed("observe") {
		o.observe = args[at]
		args = slices.Delete(slices.Clone(args), at, at+1)
	}
	return strings.Join(args, "")
}

// setup takes a tenant and an account from nothing to a running deployment, or back.
func (c *call) setup(ctx context.Context, o settingUp) error {
	wishes, err := c.wishes(o)
	if err != nil {
		return err
	}
	o.name = wishes.Stack // which a line names
	s, err := c.session(ctx, o, wishes)
	if err != nil {
		return deploying(err)
	}
	if o.undo {
		return c.undo(ctx, o, s)
	}
	return c.makeReal(ctx, o, s, wishes)
}

// A session is what is known of both sides, and who acts there.
type session struct {
	deployment setup.Deployment
	facts      setup.Facts
	world      setup.World
	// preview asks the deployment whom it would stamp.
	preview func(ctx context.Context) (setupPreview, error)
	entraAs string
	// settled tells that nothing would change.
	settled bool
	// lacks is why nothing can be deployed, where that is not asked for yet.
	lacks error
	// stored is the ARN of a stored client secret, signals are the sources that have a secret,
	// and uploads is SAM's bucket: of interest to whoever takes the deployment away.
	stored, uploads string
	signals         []string
}

// setupPreview counts whom the deployment will stamp, and who waits for a person.
type setupPreview struct {
	New      int `json:"new"`
	Existing int `json:"existing"`
}

// makeReal plans, asks, and carries the plan out.
func (c *call) makeReal(ctx context.Context, o settingUp, s session, w setup.Wishes) error {
	p, problems := setup.Make(s.facts, w)
	if len(problems) > 0 {
		return c.refusePlan(problems)
	}
	s.settled = setup.Nothing(ctx, s.facts, p, s.world)
	view := c.planView(s, p)
	if s.settled {
		view.next = []hint{{"status" + o.given(), "hint.status"}}
	}
	if o.plan || s.settled {
		return c.show(view)
	}
	if !o.yes {
		c.tellView(view)
		if err := c.goOn(ctx); err != nil {
			return err
		}
	}
	steps := c.steps()
	done, err := setup.Run(ctx, p, s.world, steps.take)
	steps.end()
	if err != nil {
		return c.brokeOff(err)
	}
	return c.show(c.doneView(ctx, o, s, done))
}

// wishes are what the flags, the file and the line say. What contradicts itself is refused
// before anybody signs in.
func (c *call) wishes(o settingUp) (w setup.Wishes, err error) {
	w = setup.Wishes{
		Stack: o.name, Excluded: o.exclude, ExcludedGroups: o.excludeGroups, Apps: o.apps,
		Flags: make(map[string]string), Version: c.brings(),
	}
	for name, value := range map[string]string{
		"FederatedDomains": strings.Join(o.domains, ","), "DryRun": o.observe, "SignalMode": o.signals, "AlarmsTo": o.alarms,
		"PermissionsBoundaryArn": o.boundary, "KmsKeyArn": o.kmsKey, "AuthMode": o.auth,
	} {
		if value != "" {
			w.Flags[name] = value
		}
	}
	if o.stampsPerDay >= 0 {
		w.Flags["StampsPerDay"] = strconv.Itoa(o.stampsPerDay)
	}
	switch {
	case c.demo:
		return w, misuse("use.no_demo")
	case o.aws && o.entra, o.line != "" && !o.aws && !o.entra:
		return w, misuse("use.setup_halves")
	case o.entra && o.line == "":
		return w, misuse("use.setup_line")
	case o.entra && (len(w.Flags)+len(o.exclude)+len(o.excludeGroups)+o.apps > 0 || o.from != ""):
		return w, misuse("use.setup_entra")
	case !o.yes && !o.plan && !c.Person:
		return w, misuse("use.setup_unasked")
	case o.from != "":
		if w.File, err = readSettings(o.from); err != nil {
			return w, err
		}
	}
	return w, c.mandate(o, &w)
}

// mandate reads the line, if there is one.
func (c *call) mandate(o settingUp, w *setup.Wishes) (err error) {
	switch {
	case o.entra && o.undo:
		w.Mandate = setup.EntraHalf
		w.Request.Deployment, err = setup.ReadRemoval(o.line)
	case o.entra:
		w.Mandate = setup.EntraHalf
		w.Request, err = setup.ReadRequest(o.line)
	case o.aws && o.line != "":
		w.Mandate = setup.AWSLast
		if w.Answer, err = setup.ReadAnswer(o.line); err == nil {
			var cloud msgraph.Cloud
			if cloud, err = msgraph.CloudByName(w.Answer.Cloud); err != nil {
				return misuse("use.line_broken")
			}
			w.Answer.Audience, w.Stack = cloud.ExchangeAudience(), w.Answer.Stack
		}
	case o.aws:
		w.Mandate = setup.AWSFirst
	}
	switch {
	case errors.Is(err, setup.ErrVersion):
		return misuse("use.line_version")
	case errors.Is(err, setup.ErrBroken):
		return misuse("use.line_broken")
	case err != nil:
		return misuse("use.no_line")
	}
	return nil
}

// readSettings reads a JSON object with the template's parameters as its names. A list is
// written as a text with commas, as in the template, or as an array.
func readSettings(name string) (map[string]string, error) {
	const longest = 1 << 20    // more than all parameters take
	file, err := os.Open(name) //nolint:gosec // the person names it
	if err != nil {
		return nil, misuse("use.file", name)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, longest))
	if err != nil {
		return nil, misuse("use.file", name)
	}
	settings, err := decodeSettings(bytes.TrimPrefix(content, []byte("\ufeff"))) // Windows puts that mark there
	if err != nil {
		return nil, misuse("use.settings", name)
	}
	return settings, nil
}

// errSettings: a setting is a text, a number, true or false, or a list of these.
var errSettings = errors.New("no JSON object of settings, each once")

func decodeSettings(content []byte) (map[string]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	settings := make(map[string]string)
	if begins, err := decoder.Token(); err != nil || begins != json.Delim('{') {
		return nil, errSettings
	}
	for decoder.More() {
		name, err := decoder.Token()
		var value any
		if err = errors.Join(err, decoder.Decode(&value)); err != nil {
			return nil, err
		}
		key, _ := name.(string) // in an object it is one
		if _, twice := settings[key]; twice {
			return nil, errSettings
		}
		if settings[key], err = setting(value, true); err != nil {
			return nil, err
		}
	}
	_, ends := decoder.Token()
	if _, err := decoder.Token(); ends != nil || !errors.Is(err, io.EOF) {
		return nil, errSettings
	}
	return settings, nil
}

// setting is a value as the template takes it.
func setting(value any, list bool) (string, error) {
	switch v := value.(type) {
	case string, json.Number, bool:
		return fmt.Sprint(v), nil
	case []any:
		texts, faults := make([]string, len(v)), make([]error, len(v))
		for i, one := range v {
			texts[i], faults[i] = setting(one, false)
		}
		if err := errors.Join(faults...); err != nil || !list {
			return "", errSettings
		}
		return strings.Join(texts, ","), nil
	}
	return "", errSettings
}

// goOn asks the one question. Who wants to change something is told how.
func (c *call) goOn(ctx context.Context) error {
	for {
		answer, err := c.ask(ctx, c.say("setup.go_on"))
		switch {
		case err != nil:
			return err
		case agrees(answer):
			return nil
		case answer != "h":
			return failure(nil, "fail.declined")
		}
		c.tellHow()
	}
}

// tellHow names the flags that most people want.
func (c *call) tellHow() {
	c.tell(line{text: c.say("setup.change")})
	for _, text := range pairs([][2]string{
		{"--exclude svc-*@example.com", c.help("flag.setup-exclude")}, {"--alarms ops@example.com", c.help("flag.alarms")},
		{"--observe", c.help("flag.observe")}, {"--domain example.com", c.help("flag.setup-domain")},
		{"sessionstamp setup --help", c.say("setup.rest")},
	}, c.Err.Columns) {
		c.tell(line{text: text, whole: true})
	}
}

// refusePlan tells all problems at once. Nothing was done.
func (c *call) refusePlan(problems []setup.Problem) error {
	t := &trouble{status: wrongUse}
	for i, p := range problems {
		key := language.Key("setup_problem." + p.Key)
		if i == 0 {
			t.key, t.args = key, p.Args
			continue
		}
		t.more = append(t.more, c.say(key, p.Args...))
	}
	t.more = append(t.more, c.say("fail.declined"))
	return t
}

// brokeOff says at which step the run ended, why, and that the next one goes on there.
func (c *call) brokeOff(err error) error {
	again := []hint{{c.again("--plan"), "hint.setup_again"}}
	at, ok := errors.AsType[*setup.Incomplete](err)
	if !ok {
		return &trouble{status: wrong, key: "fail.setup_stopped", next: again, cause: err}
	}
	at.Err = deploying(at.Err)
	t := &trouble{status: wrong, key: "fail.setup", args: []any{c.stepName(at.Step, at.Detail)}, next: again, cause: err}
	if failed, is := errors.AsType[*setup.Failed](err); is {
		t.more = append(t.more, failed.Sentence)
	} else {
		t.more = append(t.more, sentence(c.lang, at.Err))
	}
	t.more = append(t.more, c.say("setup.again"))
	return t
}

// deploying says of a right in AWS that is missing who has it: those who deploy.
func deploying(err error) error {
	if forbidden, is := errors.AsType[*account.Forbidden](err); is {
		return failure(err, "fail.aws_forbidden_deploy", forbidden.Action)
	}
	return err
}

// undo takes a deployment away.
func (c *call) undo(ctx context.Context, o settingUp, s session) error {
	if problems := setup.Undoable(s.facts, s.deployment); len(problems) > 0 {
		return c.refusePlan(problems)
	}
	if !o.aws && s.nothing() { // the apps of another person may be there
		return c.show(c.nothingView(s))
	}
	c.tell(c.undoLines(o, s)...)
	if o.plan {
		return nil
	}
	if !o.yes {
		if err := c.agree(ctx, c.say("setup.undo_question")); err != nil {
			return err
		}
	}
	steps := c.steps()
	left, err := setup.Undo(ctx, s.deployment, s.world, steps.take)
	steps.end()
	if err != nil {
		return c.brokeOff(err)
	}
	return c.show(c.undoneView(o, s, left))
}
