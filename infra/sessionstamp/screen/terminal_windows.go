package screen

import (
	"os"

	"golang.org/x/sys/windows"
)

// escapes has the console obey escape sequences, and tells whether it will. Before Windows
// 10 no console did.
func escapes(f *os.File) bool {
	handle := windows.Handle(f.Fd())
	var mode uint32
	return windows.GetConsoleMode(handle, &mode) == nil &&
		windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
