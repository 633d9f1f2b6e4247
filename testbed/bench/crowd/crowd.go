package main

import (
	"log"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const reportEvery = 5 * time.Second

// result is the outcome of a crowd.
type result struct {
	Seconds float64   `json:"seconds"`
	Bytes   int64     `json:"bytes"`
	Clients []outcome `json:"clients"`
}

// progress counts for all clients together.
type progress struct {
	bytes, ended atomic.Int64
}

// pullAll starts the clients and returns when the last one has ended.
func pullAll(given options, connect *connector) result {
	outcomes := make([]outcome, given.clients)
	var seen progress
	stop := make(chan struct{})
	go seen.report(given.clients, stop)
	began := time.Now()
	var all sync.WaitGroup
	source := given.sources.Addr()
	for number := range given.clients {
		source = following(source, given.sources)
		one := client{number: number, given: given, seen: &seen}
		one.http = connect.client(given.targets[number%len(given.targets)], source)
		all.Go(func() {
			time.Sleep(given.ramp * time.Duration(number) / time.Duration(given.clients))
			outcomes[number] = one.pull(connect.scheme)
			seen.ended.Add(1)
		})
	}
	all.Wait()
	close(stop)
	return result{Seconds: time.Since(began).Seconds(), Bytes: seen.bytes.Load(), Clients: outcomes}
}

// following returns the next address of a range; the first and the last one are left out.
func following(address netip.Addr, of netip.Prefix) netip.Addr {
	next := address.Next()
	if !of.Contains(next) || !of.Contains(next.Next()) {
		return of.Addr().Next()
	}
	return next
}

func (seen *progress) report(clients int, stop <-chan struct{}) {
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			log.Printf("%d of %d clients have ended, %.1f GB received", seen.ended.Load(), clients, float64(seen.bytes.Load())/1e9)
		case <-stop:
			return
		}
	}
}
