package rotation_test

import (
	"crypto/x509"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// neighbour is another stack of the same name, with a secret of its own, that signs in
// as the same application.
func (w *world) neighbour() *world {
	n := &world{t: w.t, kind: w.kind, stack: w.stack, entra: w.entra, keys: 8, tokens: 8, decoded: make(map[string]*x509.Certificate)}
	n.vault = newVault(w.t, n.byHand())
	n.vault.arn = strings.Replace(secretID, "eu-central-1", "us-east-1", 1)
	n.vault.promoting = n.checkProven
	n.rotator = n.newRotator(rotation.DefaultSettings)
	w.entra.inUse = func(c *credential) bool { return w.inUse(c) || n.inUse(c) }
	w.entra.spared = func(c *credential) bool { return w.spared(c) || n.spared(c) }
	time.Sleep(time.Hour)
	return n
}

// named are the credentials that the log names as those of others.
func (w *world) named() string {
	return strings.Join(regexp.MustCompile(`"others":\[[^]]*\]`).FindAllString(w.log.String(), -1), "\n")
}

// Stacks that share an application leave each other's credentials alone, and name them.
func TestSharedApplication(t *testing.T) {
	t.Parallel()
	each(t, kinds[:2], func(t *testing.T, w *world) {
		n := w.neighbour()
		for range 3 {
			w.rotate()
			n.rotate()
		}
		w.rotate()
		w.checkEnd()
		n.checkEnd()
		named := w.named()
		for _, c := range w.ours() {
			if says := strings.Contains(named, c.keyID); n.inUse(c) != says {
				t.Errorf("the neighbour uses %q: %t; the log names it: %t", c.name, n.inUse(c), says)
			}
		}
		w.wantLog(`"next_step":"The credentials in others`, `"level":"WARN"`)
	})
}

// A stack that was made anew under another name goes on where it was.
func TestRenamed(t *testing.T) {
	t.Parallel()
	each(t, kinds[:2], func(t *testing.T, w *world) {
		w.rotate()
		w.rotate()
		w.stack += "-anew"
		w.rotator = w.newRotator(rotation.DefaultSettings)
		for range 2 {
			w.rotate()
			w.checkEnd()
		}
	})
}

// What was made for a secret that is no more is named until its life is over. Nobody
// here knows whether it is in use.
func TestLeftByAnotherSecret(t *testing.T) {
	t.Parallel()
	each(t, kinds[:2], func(t *testing.T, w *world) {
		gone := w.neighbour()
		gone.rotate()
		var left []string
		for _, c := range gone.ours() {
			left = append(left, c.keyID)
			c.foreign = true // none of ours to remove
		}
		for month := range 7 {
			w.log.Reset()
			w.rotate()
			for _, keyID := range left {
				if says := strings.Contains(w.named(), keyID); says != (month < 5) { // and one before
					t.Errorf("month %d: it is %t that %s is named", month, says, keyID)
				}
			}
		}
		w.checkSilent()
	})
}

// What was made while the secret held the other kind of credential is named as well.
func TestLeftByAnotherMode(t *testing.T) {
	t.Parallel()
	each(t, kinds[:2], func(t *testing.T, w *world) {
		w.rotate()
		left := credential{name: w.ours()[0].name, text: canary, end: never(), foreign: true}
		if w.kind == "client-secret" {
			left.certificate = w.certificate("left")
		}
		keyID := w.entra.add(left).keyID
		w.month()
		w.rotate()
		if !strings.Contains(w.named(), keyID) {
			t.Errorf("%s is not named, but %s", keyID, w.named())
		}
		w.checkEnd()
	})
}
