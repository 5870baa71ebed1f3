// Package pacing bounds how many calls of AWS are made at once.
package pacing

import "sync"

// callsAtOnce is as many connections as the SDK's HTTP client keeps open to one host
// (https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/transport/http#DefaultHTTPTransportMaxIdleConnsPerHost).
const callsAtOnce = 10

// Each calls do for the numbers from 0 to n-1, ten at once, and returns when all calls
// have returned.
func Each(n int, do func(i int)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	places := make(chan struct{}, callsAtOnce)
	for i := range n {
		places <- struct{}{}
		calls.Go(func() {
			defer func() { <-places }()
			do(i)
		})
	}
}
