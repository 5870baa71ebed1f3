package bolt_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

// writeTo makes TestWriter the process that TestKill kills.
var writeTo = flag.String("writeto", "", "the folder that TestWriter writes to")

// written are the users whom the writer writes together.
var written = func() []string {
	ids := make([]string, 7)
	for i := range ids {
		ids[i] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
	}
	return ids
}()

// TestWriter writes until it is killed, and says what is about to be written and what is.
// By itself it tests nothing.
func TestWriter(t *testing.T) {
	t.Parallel()
	if *writeTo == "" {
		return
	}
	f := open(t, *writeTo)
	q, s := newQueue(f), bolt.NewState[int64](f, "counter")
	for t.Context().Err() == nil {
		version := entries(t, f, written...)[written[0]].Version
		mustWrite(t, f, entriesOf(written, version)...)
		say("version", version+1)
		i, err := s.Load(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		i.Doc = i.Version + 1
		if _, err := s.Save(t.Context(), tenant, i); err != nil {
			t.Fatal(err)
		}
		say("counter", i.Version+1)
		user := stamptest.NewID()
		send(t, q, 0, user, stamptest.NewID())
		say("sent", user)
		m := receive(t, q, 1)
		r, err := stamp.DecodeRequest(m[0].Body)
		if err != nil {
			t.Fatal(err)
		}
		say("deleting", r.User)
		if err := q.Delete(m...); err != nil {
			t.Fatal(err)
		}
		say("deleted", r.User)
	}
}

func say(what string, value any) { _, _ = fmt.Fprintln(os.Stdout, "said", what, value) }

// promises are what the killed writers have said.
type promises struct {
	version, counter int64
	sent, deleted    map[string]bool
}

// A writer may be killed at any moment: what it has said is there, and no half of
// anything.
func TestKill(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := promises{sent: make(map[string]bool), deleted: make(map[string]bool)}
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 25 {
		p.hear(t, kill(t, folder, time.Duration(random.IntN(40))*time.Millisecond, round%2 == 0))
		p.check(t, folder)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if p.version == 0 || len(p.sent) == 0 || len(p.deleted) == 0 {
		t.Errorf("the writers came to nothing: %v", p)
	}
}

// kill starts a writer, kills it after a while, and returns what it said. The while
// begins with its start, or with the first that it says.
func kill(t *testing.T, folder string, after time.Duration, awake bool) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.CommandContext(t.Context(), program, "-test.run=^TestWriter$", "-writeto="+folder) //nolint:gosec // this program
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var first string
	if awake {
		first, _ = lines.ReadString('\n')
	}
	timer := time.AfterFunc(after, func() { _ = writer.Process.Kill() })
	defer timer.Stop()
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Wait(); err == nil {
		t.Error("the writer has ended by itself")
	}
	said := strings.Split(first+string(rest), "\n")
	return said[:len(said)-1] // the last line may be a half
}

func (p *promises) hear(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		var what, value string
		if _, err := fmt.Sscanf(line, "said %s %s", &what, &value); err != nil {
			t.Errorf("the writer said %q", line)
		}
		switch what {
		case "version":
			_, _ = fmt.Sscan(value, &p.version)
		case "counter":
			_, _ = fmt.Sscan(value, &p.counter)
		case "sent":
			p.sent[value] = true
		case "deleting":
			delete(p.sent, value) // from now on it may be there or not
		case "deleted":
			p.deleted[value] = true
		}
	}
}

func (p *promises) check(t *testing.T, folder string) {
	t.Helper()
	f := open(t, folder)
	defer f.Close()
	got := entries(t, f, written...)
	version := got[written[0]].Version
	for _, id := range written {
		if got[id].Version != version || version < p.version || version > p.version+1 {
			t.Errorf("version %d beside %d, where %d was said", got[id].Version, version, p.version)
		}
	}
	p.version = version
	i, err := bolt.NewState[int64](f, "counter").Load(t.Context(), tenant)
	if err != nil || i.Doc != i.Version || i.Version < p.counter || i.Version > p.counter+1 {
		t.Errorf("document %v, %v, where %d was said", i, err, p.counter)
	}
	p.counter = i.Version
	p.checkQueue(t, newQueue(f))
}

func (p *promises) checkQueue(t *testing.T, q *bolt.Queue) {
	t.Helper()
	n, err := q.Len()
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for len(there) < n {
		for _, m := range receive(t, q, 10) {
			r, err := stamp.DecodeRequest(m.Body)
			if err != nil || there[r.User] || p.deleted[r.User] {
				t.Errorf("received %v, %v, a second time or after its deletion", r, err)
			}
			there[r.User] = true
		}
	}
	for user := range p.sent {
		if !there[user] {
			t.Errorf("the request of %s is lost", user)
		}
	}
}
