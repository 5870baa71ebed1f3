package integration

import (
	"fmt"
	"os"
	"testing"
)

// binaries is where the programs are built.
var binaries string

// TestMain gives the programs a folder that outlives each single test.
func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "sessionstamp"); err != nil {
		panic(fmt.Sprintf("make a folder for the programs: %v", err))
	}
	defer os.RemoveAll(binaries)
	m.Run()
}
