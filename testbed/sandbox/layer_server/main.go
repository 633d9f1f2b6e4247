// Serves generated layers over TLS at the paths of a layer bucket: the bytes of `Generated` (testbed/sandbox/cloud/content.py), at
// the speed of one Go process. It checks no signature.
//
// A page of 1 MiB repeats with its number in the first eight bytes, so that swapped slices change the digest. Each JSON object on
// standard input is a command; each is answered with the counts so far, of all layers or of the one it asks for. The program ends
// when its input does.
package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pageBytes  = 1 << 20
	chunkBytes = 256 << 10
	// A sleep ends late; this much of the lost time is made up for.
	catchUp = 10 * time.Millisecond
)

type layer struct {
	Digest    string `json:"digest"`
	SizeBytes int64  `json:"size_bytes"`
	Page      []byte `json:"page"`
}

// counts are of all layers, or of one.
type counts struct {
	bytes, requests, connections atomic.Int64
}

func (c *counts) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]int64{"bytes": c.bytes.Load(), "requests": c.requests.Load(), "connections": c.connections.Load()})
}

// served is a layer with what was sent of it. Connections are not those of one layer.
type served struct {
	layer
	counts
}

// reader reads one layer for one request.
type reader struct {
	layer
	at int64
}

func (r *reader) Read(to []byte) (int, error) {
	if r.at >= r.SizeBytes {
		return 0, io.EOF
	}
	number, offset := r.at/pageBytes, r.at%pageBytes
	end := min(offset+int64(len(to)), pageBytes, r.SizeBytes-number*pageBytes)
	count := copy(to, r.Page[offset:end])
	if offset < 8 {
		var head [8]byte
		binary.BigEndian.PutUint64(head[:], uint64(number))
		copy(to[:count], head[offset:])
	}
	r.at += int64(count)
	return count, nil
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.SizeBytes
	}
	if offset < 0 {
		return 0, errors.New("the offset is negative")
	}
	r.at = offset
	return offset, nil
}

// body sends a body in large chunks, counts it, and keeps its connection at the rate.
type body struct {
	http.ResponseWriter
	server *server
	layer  *served
	pace   *pace
}

var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

func (b body) ReadFrom(from io.Reader) (int64, error) {
	chunk := chunks.Get().(*[chunkBytes]byte)
	defer chunks.Put(chunk)
	var sent int64
	for {
		size, err := from.Read(chunk[:])
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
		b.pace.wait(size, b.server.bytesPerSecond())
		written, err := b.Write(chunk[:size])
		sent += int64(written)
		b.server.bytes.Add(int64(written))
		b.layer.bytes.Add(int64(written))
		if err != nil {
			return sent, err
		}
	}
}

// pace holds one connection to its rate. HTTP/1.1 has one request at a time on it.
type pace struct {
	next time.Time
}

func (p *pace) wait(size int, bytesPerSecond float64) {
	if bytesPerSecond == 0 {
		return
	}
	now := time.Now()
	if earliest := now.Add(-catchUp); p.next.Before(earliest) {
		p.next = earliest
	}
	time.Sleep(p.next.Sub(now))
	p.next = p.next.Add(time.Duration(float64(size) / bytesPerSecond * float64(time.Second)))
}

type paceKey struct{}

type server struct {
	layers sync.Map
	rate   atomic.Uint64
	counts
}

func (s *server) bytesPerSecond() float64 { return math.Float64frombits(s.rate.Load()) }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	found, ok := s.layers.Load(r.PathValue("digest"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	of := found.(*served)
	of.requests.Add(1)
	w.Header().Set("Content-Type", "application/octet-stream")
	out := body{w, s, of, r.Context().Value(paceKey{}).(*pace)}
	http.ServeContent(out, r, "", time.Time{}, &reader{layer: of.layer})
}

func (s *server) connected(ctx context.Context, _ net.Conn) context.Context {
	s.connections.Add(1)
	return context.WithValue(ctx, paceKey{}, &pace{})
}

// obey runs the commands of the input until it ends.
func (s *server) obey(input io.Reader, output io.Writer) error {
	commands, answers := json.NewDecoder(input), json.NewEncoder(output)
	for {
		var command struct {
			Layer          *layer   `json:"layer"`
			BytesPerSecond *float64 `json:"bytes_per_second"`
			Of             string   `json:"of"`
		}
		if err := commands.Decode(&command); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if command.Layer != nil {
			if len(command.Layer.Page) != pageBytes {
				return errors.New("page is not 1 MiB")
			}
			s.layers.Store(command.Layer.Digest, &served{layer: *command.Layer})
		}
		if command.BytesPerSecond != nil {
			s.rate.Store(math.Float64bits(*command.BytesPerSecond))
		}
		answer := &s.counts
		if command.Of != "" {
			found, ok := s.layers.Load(command.Of)
			if !ok {
				return errors.New("no layer has the digest " + command.Of)
			}
			answer = &found.(*served).counts
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

func main() {
	listen := flag.String("listen", "", "address and port")
	certificate := flag.String("certificate", "", "file of the certificate chain")
	key := flag.String("key", "", "file of the private key")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	s := &server{}
	routes := http.NewServeMux()
	routes.Handle("GET /{owner}/{digest}", s)
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }) // as S3
	layers := &http.Server{
		Handler:      routes,
		ConnContext:  s.connected,
		TLSConfig:    &tls.Config{DynamicRecordSizingDisabled: true},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // as S3: HTTP/1.1 only
	}
	go func() { log.Fatal(layers.ServeTLS(listener, *certificate, *key)) }()
	if err := s.obey(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}
