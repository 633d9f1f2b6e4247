package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
)

const (
	leastPieceBytes = 16 << 10
	mostPieceBytes  = 256 << 10
	piecesPerSecond = 8
)

// pieceOf returns how many bytes a client with a rate reads at once. A piece that is much smaller takes the processor that
// the server needs.
func pieceOf(rate int) int {
	if rate == 0 {
		return mostPieceBytes
	}
	return min(max(rate/piecesPerSecond, leastPieceBytes), mostPieceBytes)
}

// connector makes HTTP clients.
type connector struct {
	scheme string
	trust  *tls.Config
	rate   int
}

func newConnector(given options) (*connector, error) {
	made := &connector{scheme: "http", rate: given.rate}
	if given.authority == "" {
		return made, nil
	}
	pem, err := os.ReadFile(given.authority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("-ca = %s is not a valid PEM file: it has no certificate", given.authority)
	}
	made.scheme = "https"
	made.trust = &tls.Config{RootCAs: pool, ServerName: given.host, MinVersion: tls.VersionTLS12}
	return made, nil
}

// client returns an HTTP client with one connection, from the source to the target whatever a URL says.
func (made *connector) client(target string, source netip.Addr) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: source.AsSlice()}}
	if made.rate > 0 {
		// Else the kernel reads ahead of the client.
		dialer.Control = boundReceiveBuffer(2 * pieceOf(made.rate))
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, target)
		},
		TLSClientConfig:    made.trust,
		MaxConnsPerHost:    1,
		DisableCompression: true,
	}}
}

func boundReceiveBuffer(bytes int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, connection syscall.RawConn) error {
		var failed error
		err := connection.Control(func(descriptor uintptr) {
			failed = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
		})
		return errors.Join(err, failed)
	}
}
