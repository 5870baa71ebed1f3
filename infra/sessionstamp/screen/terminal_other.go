//go:build !windows

package screen

import (
	"errors"
	"os"
	"syscall"
)

// escapes is true: every terminal of today obeys escape sequences.
func escapes(*os.File) bool { return true }

// IsClosed tells whether a write has failed because nobody reads any more, as after head.
func IsClosed(err error) bool { return errors.Is(err, syscall.EPIPE) }
