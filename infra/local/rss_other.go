//go:build !unix

package main

import "runtime"

// peakRSS is the memory that the Go runtime has asked the system for, in MB: the
// nearest there is without Unix.
func peakRSS() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.Sys) / 1024 / 1024
}
