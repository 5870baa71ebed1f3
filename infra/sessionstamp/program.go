package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// A program is one start of the command, as a value that a test can make.
type program struct {
	// Args are the arguments after the program's name.
	Args  []string
	Stdin io.Reader
	// Person tells that a person is at Stdin, who can be asked.
	Person bool
	// Hidden reads a line of a person's that the terminal does not show; nil means Stdin.
	Hidden func(context.Context) (string, error)
	// Stdout takes results, Stderr progress, questions and errors; Out and Err are what
	// they can show.
	Stdout, Stderr io.Writer
	Out, Err       screen.Terminal
	// Env returns a variable of the environment, "" if it is not set.
	Env func(string) string
	// System is runtime.GOOS, and Speaks the language of the system's menus.
	System, Speaks string
	// Now is the clock. Its time zone is the person's.
	Now func() time.Time
	// WriteFile writes a file that only the person may read.
	WriteFile func(name string, content []byte) error
	// Transport carries the calls of Graph, of Entra, of identity providers and of our own
	// receiver; nil means net/http's. The
	// demonstration has its own.
	Transport http.RoundTripper
	// AWS carries the calls of AWS; nil means the SDK's own.
	AWS http.RoundTripper
	// Listen makes watch hear; nil means net's.
	Listen func(network, address string) (net.Listener, error)
	// Release is what update deploys; nil means what the program carries.
	Release *release
}

// The exit status.
const (
	fine     = 0
	wrong    = 1 // something is wrong in the tenant, or the work failed
	wrongUse = 2 // the command was called wrongly, and nothing was changed
)

// run does what the arguments say, and returns the exit status.
func (p program) run(ctx context.Context) int {
	c := &call{program: p, format: screen.Text, cloud: "global"}
	defer c.end()
	asked := languageFlag(p.Args)
	var err error
	if c.lang, err = language.Choose(asked, p.Env, p.Speaks); err != nil {
		c.lang, _ = language.Choose("", p.Env, p.Speaks)
		return c.fail(misuse("use.value", "lang", asked, "en|ja"))
	}
	root := c.root()                            //nolint:contextcheck // cobra hands it to the verbs
	root.SetArgs(append([]string{}, p.Args...)) // nil would mean os.Args
	if err := root.ExecuteContext(ctx); err != nil {
		return c.fail(err)
	}
	return c.status
}

// A call is one run: the program, and what the flags of every verb say.
type call struct {
	program
	lang     language.Language
	format   screen.Format
	signInBy string // "" for the usual way
	tenantID string // --tenant
	clientID string // --client-id
	cloud    string
	demo     bool
	// traceless calls write into a file of their own, which is gone in the end.
	traceless bool
	looksOnly bool         // into a copy of the file
	world     *demo.Tenant // the demonstration's, once it is needed
	verbs     [][2]string  // what there is to call without one, and what for, in the order of the help
	operating [][2]string  // those of them that are about a deployment
	status    int
}

// end gives back what the call holds.
func (c *call) end() {
	if c.world != nil {
		c.world.Close()
	}
}

// emulated returns the tenant of the demonstration, and says that it is none.
func (c *call) emulated() *demo.Tenant {
	if c.world == nil {
		_, _ = fmt.Fprintln(c.Stderr, c.Err.Paint(screen.Faint, c.say("demo")))
		c.world = demo.New(1, c.Now)
	}
	return c.world
}

func (c *call) say(key language.Key, args ...any) string { return words.Say(c.lang, key, args...) }

func (c *call) help(key language.Key) string { return helps.Say(c.lang, key) }

// languageFlag returns the value of --lang before the flags are parsed, since what is said
// about them is said in that language.
func languageFlag(args []string) (value string) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if arg == "--lang" && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			value = args[i+1]
		}
		if set, found := strings.CutPrefix(arg, "--lang="); found {
			value = set
		}
	}
	return value
}

// environment returns what os.Getenv would, of variables in the form "NAME=value".
func environment(variables []string) func(string) string {
	values := make(map[string]string, len(variables))
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}
