package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// root makes the tree of verbs.
func (c *call) root() *cobra.Command {
	var version bool
	root := c.verb("sessionstamp", func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0:
			return unknownVerb(cmd, args[0])
		case version:
			return c.version()
		}
		return cmd.Help()
	})
	root.Args = cobra.ArbitraryArgs
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		switch rest := cmd.Flags().Args(); {
		case cmd == root && len(rest) > 0:
			c.status = c.fail(unknownVerb(root, rest[0]))
		case cmd.Name() == "help":
			c.writeHelp(root)
		default:
			c.writeHelp(cmd)
		}
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if !cmd.HasParent() && !strings.HasPrefix(c.Args[0], "-") {
			return unknownVerb(cmd, c.Args[0]) // whose flags nobody knows
		}
		return c.flagError(cmd, err)
	})
	c.commonFlags(root)
	root.Flags().BoolVar(&version, "version", false, c.help("version.short"))
	verbs := []*cobra.Command{
		c.checkVerb(), c.usersVerb(), c.whyVerb(), c.stampVerb(), c.signOutVerb(), c.restampVerb(), c.watchVerb(), c.reportVerb(), c.historyVerb(),
		c.setupVerb(), c.doctorVerb(), c.statusVerb(), c.pauseVerb(), c.resumeVerb(), c.releaseVerb(), c.sweepVerb(), c.updateVerb(), c.credentialVerb(), c.signalVerb(),
		c.permissionsVerb(), c.policyVerb(), c.completionVerb(), c.versionVerb(),
	}
	for _, verb := range verbs {
		root.AddCommand(verb)
		verb.SuggestFor = otherVerbs[verb.Name()]
		if about := [2]string{verb.Name(), verb.Short}; verb.Annotations[aboutDeployment] != "" {
			c.operating = append(c.operating, about)
		} else {
			c.verbs = append(c.verbs, about)
		}
	}
	root.SetHelpCommand(c.helpVerb(root))
	completes := len(c.Args) > 0 && strings.HasPrefix(c.Args[0], cobra.ShellCompRequestCmd) // it parses all flags twice
	if !completes {
		watchOver(root.PersistentFlags(), c.Args)
	}
	for _, cmd := range withActions(append(verbs, root)) {
		if !completes {
			watchOver(cmd.Flags(), c.Args)
		}
		cmd.Args = plainDashes(cmd.Args)
	}
	return root
}

// withActions are verbs and their actions.
func withActions(verbs []*cobra.Command) (all []*cobra.Command) {
	for _, verb := range verbs {
		all = append(all, verb)
		if verb.HasParent() { // root's are the verbs
			all = append(all, verb.Commands()...)
		}
	}
	return all
}

// otherVerbs are words for what our verbs do.
var otherVerbs = map[string][]string{
	"users": {"list", "ls", "show"}, "why": {"explain"}, "stamp": {"revoke", "fix", "cure"}, "signout": {"revoke", "logout", "sign-out"},
	"pause": {"stop", "disable"}, "resume": {"start", "enable", "continue"}, "status": {"state", "health"}, "update": {"upgrade", "deploy"},
}

// plainDashes refuses an argument that was meant as a flag: word processors and input
// methods for Japanese make other dashes of two.
func plainDashes(then cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if flag := strings.TrimLeft(arg, "‐‑‒–—―−－ー"); flag != arg {
				return misuse("use.dash", arg, strings.TrimLeft(flag, "-"))
			}
		}
		return then(cmd, args)
	}
}

func (c *call) commonFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	clouds := choice{to: &c.cloud}
	for _, cloud := range msgraph.Clouds() {
		clouds.of = append(clouds.of, cloud.Name)
	}
	flags.VarP(choice{(*string)(&c.format), []string{"table", "csv", "json"}}, "output", "o", c.help("flag.output"))
	flags.Var(choice{(*string)(&c.lang), []string{"en", "ja"}}, "lang", c.help("flag.lang"))
	flags.Var(choice{&c.signInBy, signIns}, "sign-in", c.help("flag.sign-in"))
	flags.Var(text{&c.tenantID, "GUID"}, "tenant", c.help("flag.tenant"))
	flags.Var(text{&c.clientID, "GUID"}, "client-id", c.help("flag.client-id"))
	flags.Var(clouds, "cloud", c.help("flag.cloud"))
	flags.BoolVar(&c.demo, "demo", false, c.help("flag.demo"))
	flags.BoolP("help", "h", false, c.help("flag.help"))
	complete(root, "output", "lang", "sign-in", "cloud")
}

// complete makes a shell propose the values of flags.
func complete(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		flag := cmd.Flag(name)
		values := strings.Split(flag.Value.Type(), "|")
		// It fails only for a flag that there is not.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// verb makes a command that takes no arguments. How it is used, and all that is said about
// it, is in the catalogue.
func (c *call) verb(name string, run func(*cobra.Command, []string) error) *cobra.Command {
	about := func(what string) string { return c.help(language.Key(name + "." + what)) }
	return &cobra.Command{
		Use: about("use"), Short: about("short"), Long: about("long"), Example: about("examples"),
		Args:                  noArguments,
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE:                  run,
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("use.no_arguments", args[0], cmd.CommandPath())
	}
	return nil
}

func unknownVerb(root *cobra.Command, name string) error {
	if like := root.SuggestionsFor(name); len(like) > 0 {
		return misuse("use.verb_like", name, strings.Join(slices.Compact(like), "|"))
	}
	return misuse("use.verb", name)
}

func (c *call) helpVerb(root *cobra.Command) *cobra.Command {
	return &cobra.Command{Use: "help", Hidden: true, RunE: func(_ *cobra.Command, args []string) error {
		if slices.Equal(args, []string{"flags"}) {
			c.writeFlagsHelp(root)
			return nil
		}
		if slices.Equal(args, []string{"deployment"}) {
			c.writeDeploymentHelp()
			return nil
		}
		if slices.Equal(args, []string{"listen"}) {
			c.writeListenHelp(root)
			return nil
		}
		cmd, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 {
			return unknownVerb(root, strings.Join(args, " "))
		}
		return cmd.Help()
	}}
}

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (c *call) completionVerb() *cobra.Command {
	cmd := c.verb("completion", func(cmd *cobra.Command, args []string) error {
		switch root := cmd.Root(); args[0] {
		case "bash":
			return root.GenBashCompletionV2(c.Stdout, true)
		case "zsh":
			return root.GenZshCompletion(c.Stdout)
		case "fish":
			return root.GenFishCompletion(c.Stdout, true)
		default:
			return root.GenPowerShellCompletionWithDesc(c.Stdout)
		}
	})
	cmd.ValidArgsFunction = cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misuse("use.no_shell", strings.Join(shells, "|"))
		case len(args) > 1 || !slices.Contains(shells, args[0]):
			return misuse("use.shell", strings.Join(args, " "), strings.Join(shells, "|"))
		}
		return nil
	}
	return cmd
}

// hint is a command to go on with, and what it does.
type hint struct {
	command string
	why     language.Key
}

// hints are written at the end of a screen. The demonstration goes on as such, in the cloud of
// the tenant, and in the language that a person has asked for.
func (c *call) hints(next []hint) []string {
	commands := make([][2]string, 0, len(next))
	for _, h := range next {
		command, file, redirected := strings.Cut("sessionstamp "+h.command, " > ")
		if asked := languageFlag(c.Args); asked != "" {
			command += " --lang " + asked
		}
		if c.cloud != "" && c.cloud != msgraph.Clouds()[0].Name {
			command += " --cloud " + c.cloud
		}
		if c.demo {
			command += " --demo"
		}
		if redirected {
			command += " > " + file
		}
		commands = append(commands, [2]string{screen.Clean(command), c.say(h.why)})
	}
	label := c.say("next")
	lines := pairs(commands, c.Out.Columns-screen.Width(label)+2)
	for i := range lines {
		lines[i] = label + strings.TrimPrefix(lines[i], "  ")
		label = strings.Repeat(" ", screen.Width(label))
	}
	return lines
}
