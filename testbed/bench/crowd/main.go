// Command crowd lets many clients pull the same paths at the same time, each from a source address and over a connection
// of its own. It prints what every client got as JSON; progress goes to standard error.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"strings"
	"time"
)

type options struct {
	clients     int
	sources     netip.Prefix
	targets     []string
	host        string
	paths       []string
	accept      string
	rate        int
	verifyEvery int
	timeout     time.Duration
	ramp        time.Duration
	leaveAfter  time.Duration
	authority   string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("crowd: ")
	given, err := parsed(os.Args[1:])
	if err != nil {
		log.Print(err)
		os.Exit(2)
	}
	connect, err := newConnector(given)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(pullAll(given, connect)); err != nil {
		log.Fatal(err)
	}
}

func parsed(arguments []string) (options, error) {
	var given options
	var sources, targets string
	flags := flag.NewFlagSet("crowd", flag.ExitOnError)
	flags.IntVar(&given.clients, "clients", 1, "number of clients")
	flags.StringVar(&sources, "sources", "127.1.0.0/24", "range of local addresses that the clients connect from, in turn")
	flags.StringVar(&targets, "targets", "127.0.0.1:8080", "addresses that the clients connect to in turn, separated by commas")
	flags.StringVar(&given.host, "host", "localhost", "header Host, and the server name of TLS")
	flags.StringVar(&given.accept, "accept", "*/*", "header Accept")
	flags.IntVar(&given.rate, "rate", 0, "bytes a second that each client reads at most; 0: no limit")
	flags.IntVar(&given.verifyEvery, "verify-every", 0, "every so many clients compare blobs with their digests; 0: none")
	flags.DurationVar(&given.timeout, "timeout", 10*time.Minute, "limit of a client's whole pull")
	flags.DurationVar(&given.ramp, "ramp", 0, "time in which the clients start, evenly")
	flags.DurationVar(&given.leaveAfter, "leave-after", 0, "time after which a client leaves with what it has; 0: at the end of its pull")
	flags.StringVar(&given.authority, "ca", "", "PEM file of the certificate authority; with it the clients use TLS")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: crowd [options] PATH...")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		return given, err
	}
	given.paths, given.targets = flags.Args(), strings.Split(targets, ",")
	var err error
	if given.sources, err = netip.ParsePrefix(sources); err != nil {
		return given, fmt.Errorf("-sources = %q is not a valid range of addresses: for example 127.1.0.0/24", sources)
	}
	return given, given.check()
}

func (given options) check() error {
	switch {
	case len(given.paths) == 0:
		return fmt.Errorf("no path is given: name at least one, for example /v2/team/app/manifests/1.4")
	case given.clients < 1:
		return fmt.Errorf("-clients = %d is not a valid number of clients: at least 1", given.clients)
	case given.rate < 0:
		return fmt.Errorf("-rate = %d is not a valid rate: at least 0", given.rate)
	}
	return nil
}
