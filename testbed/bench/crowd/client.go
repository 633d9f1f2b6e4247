package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"
)

// outcome is what one client got. Seconds count from its own start.
type outcome struct {
	FirstByteSeconds float64 `json:"first_byte_seconds"`
	Seconds          float64 `json:"seconds"`
	Bytes            int64   `json:"bytes"`
	Failure          string  `json:"failure,omitempty"`
}

// errLeft says that a client has left on purpose.
var errLeft = errors.New("the client has left")

// client pulls once.
type client struct {
	number int
	given  options
	http   *http.Client
	seen   *progress

	began time.Time
	got   outcome
}

// pull requests every path, one after the other.
func (c *client) pull(scheme string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), c.given.timeout)
	defer cancel()
	defer c.http.CloseIdleConnections()
	c.began = time.Now()
	for _, path := range c.given.paths {
		err := c.request(ctx, scheme, path)
		if errors.Is(err, errLeft) {
			break
		}
		if err != nil {
			c.got.Failure = fmt.Sprintf("%s: %v", path, err)
			break
		}
	}
	c.got.Seconds = time.Since(c.began).Seconds()
	return c.got
}

func (c *client) request(ctx context.Context, scheme, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+c.given.host+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", c.given.accept)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	_, digest, isBlob := strings.Cut(path, "/blobs/sha256:")
	if !isBlob || c.given.verifyEvery == 0 || c.number%c.given.verifyEvery != 0 {
		return c.read(response, nil)
	}
	sum := sha256.New()
	if err := c.read(response, sum); err != nil {
		return err
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != digest {
		return fmt.Errorf("the content is sha256:%s", found)
	}
	return nil
}

// read reads a body to its end, at the client's rate, and adds it to the sum where there is one.
func (c *client) read(response *http.Response, sum hash.Hash) error {
	piece := make([]byte, pieceOf(c.given.rate))
	began := time.Now()
	var received int64
	for {
		n, err := response.Body.Read(piece)
		c.count(n)
		received += int64(n)
		if sum != nil {
			sum.Write(piece[:n])
		}
		switch {
		case err == io.EOF:
			return nil // net/http returns another error when the body is shorter than its Content-Length
		case err != nil:
			return fmt.Errorf("after %d bytes: %w", received, err)
		case c.given.leaveAfter > 0 && time.Since(c.began) > c.given.leaveAfter:
			return errLeft
		}
		if c.given.rate > 0 {
			due := began.Add(time.Duration(float64(received) / float64(c.given.rate) * float64(time.Second)))
			time.Sleep(time.Until(due))
		}
	}
}

func (c *client) count(bytes int) {
	if bytes > 0 && c.got.FirstByteSeconds == 0 {
		c.got.FirstByteSeconds = time.Since(c.began).Seconds()
	}
	c.got.Bytes += int64(bytes)
	c.seen.bytes.Add(int64(bytes))
}
