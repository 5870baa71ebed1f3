//go:build !windows

package screen

import "os"

// escapes is true: every terminal of today obeys escape sequences.
func escapes(*os.File) bool { return true }
