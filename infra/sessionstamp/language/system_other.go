//go:build !windows

package language

// System returns "": outside Windows, the environment says it.
func System() string { return "" }
