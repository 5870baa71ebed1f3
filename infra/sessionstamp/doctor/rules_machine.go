package doctor

import (
	"cmp"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

var machineRules = []rule{
	{"clock_off", Wrong, Machine, clockOff},
	{"file_unreadable", Wrong, Machine, fileIs(FileDamaged)},
	{"sam_missing", Warning, Machine, samMissing(false)},
	{"sam_missing", Note, Machine, samMissing(true)},
	{"command_older", Warning, Machine, func(m matter) []hit { return m.versions(-1) }},
	{"command_newer", Note, Machine, func(m matter) []hit { return m.versions(1) }},
	{"file_locked", Note, Machine, fileIs(FileLocked)},
}

// clockLeeway is how far a clock may be off: Entra and AWS refuse more than that, in tokens
// and in signatures.
const clockLeeway = 5 * time.Minute

func clockOff(m matter) []hit {
	ahead, asked := m.Clock.Get()
	minutes := int(ahead.Abs() / time.Minute)
	way := language.Text{En: "fast", Ja: "進んで"}
	if ahead < 0 {
		way = language.Text{En: "slow", Ja: "遅れて"}
	}
	return when(asked && ahead.Abs() > clockLeeway, params{"minutes": count(minutes), "way": way})
}

// installs are the commands by which a system gets the AWS SAM CLI. Debian and Ubuntu refuse
// pip outside a virtual environment (PEP 668), so that pipx makes one
// (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html).
var installs = map[string]string{"darwin": "brew install aws-sam-cli", "windows": "winget install -e --id Amazon.SAM-CLI"}

// InstallSAM is the command that installs the AWS SAM CLI on the system, a runtime.GOOS.
func InstallSAM(system string) string {
	return cmp.Or(installs[system], "pipx install aws-sam-cli")
}

// samMissing matters less where there is a stack already.
func samMissing(afterwards bool) func(matter) []hit {
	return func(m matter) []hit {
		found, asked := m.SAM.Get()
		_, deployed := m.deployed()
		return when(asked && !found && deployed == afterwards, params{"install": plain(InstallSAM(m.System))})
	}
}

func fileIs(state FileState) func(matter) []hit {
	return func(m matter) []hit {
		is, asked := m.File.Get()
		return when(asked && is == state, nil)
	}
}

// versions hits where the command compares so to the stack, and both have a number.
func (m matter) versions(want int) []hit {
	d, deployed := m.deployed()
	return when(deployed && bundle.Numbered(m.Command) && bundle.Numbered(d.Version) && bundle.Compare(m.Command, d.Version) == want,
		params{"command": plain(m.Command), "version": plain(d.Version)})
}
