//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// peakRSS is the most memory this process ever had resident, in MB.
func peakRSS() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	const kilo = 1024
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return float64(usage.Maxrss) / kilo / kilo // in bytes there
	}
	return float64(usage.Maxrss) / kilo
}
