package screen

import (
	"errors"
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

// IsClosed tells whether a write has failed because nobody reads any more, as after more.
func IsClosed(err error) bool {
	return errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, windows.ERROR_BROKEN_PIPE)
}
