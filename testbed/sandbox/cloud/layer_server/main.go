// Serves generated layers over TLS: the same bytes as `Generated` in ../content.py, at the speed of one Go process.
//
// A page of 1 MiB, which Python makes from a seed, repeats with its number in the first eight bytes, so that swapped slices change
// the digest. The control address (plain HTTP) takes layers and gives the counts.
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
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const pageBytes = 1 << 20

type layer struct {
	page []byte
	size int64
}

// reader reads one layer for one request.
type reader struct {
	layer
	at int64
}

func (r *reader) Read(to []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	number, offset := r.at/pageBytes, r.at%pageBytes
	end := min(offset+int64(len(to)), pageBytes, r.size-number*pageBytes)
	count := copy(to, r.page[offset:end])
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
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("the offset is negative")
	}
	r.at = offset
	return offset, nil
}

type counts struct {
	Bytes       atomic.Int64
	Requests    atomic.Int64
	Connections atomic.Int64
}

// counted adds the bytes of a body to the counts, and keeps each connection at its rate.
type counted struct {
	http.ResponseWriter
	counts *counts
	pace   *pace
}

func (c counted) Write(chunk []byte) (int, error) {
	c.pace.wait(len(chunk))
	written, err := c.ResponseWriter.Write(chunk)
	c.counts.Bytes.Add(int64(written))
	return written, err
}

// pace is the rate of one connection. HTTP/1.1 has one request at a time on it.
type pace struct {
	perSecond float64
	next      time.Time
}

func (p *pace) wait(size int) {
	if p.perSecond == 0 {
		return
	}
	now := time.Now()
	if earliest := now.Add(-catchUp); p.next.Before(earliest) {
		p.next = earliest
	}
	time.Sleep(p.next.Sub(now))
	p.next = p.next.Add(time.Duration(float64(size) / p.perSecond * float64(time.Second)))
}

// A sleep ends late; this much of the lost time is made up for.
const catchUp = 10 * time.Millisecond

type paceKey struct{}

type server struct {
	layers sync.Map
	counts counts
}

func (s *server) layer(w http.ResponseWriter, r *http.Request) {
	found, ok := s.layers.Load(r.PathValue("digest"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.counts.Requests.Add(1)
	w.Header().Set("Content-Type", "application/octet-stream")
	out := counted{w, &s.counts, r.Context().Value(paceKey{}).(*pace)}
	http.ServeContent(out, r, "", time.Time{}, &reader{layer: found.(layer)})
}

func (s *server) add(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.ParseInt(r.FormValue("size_bytes"), 10, 64)
	if err != nil || size < 0 {
		http.Error(w, "size_bytes is not a valid size", http.StatusBadRequest)
		return
	}
	page, err := os.ReadFile(r.FormValue("page"))
	if err != nil || len(page) != pageBytes {
		http.Error(w, "page is not a file of 1 MiB", http.StatusBadRequest)
		return
	}
	s.layers.Store(r.PathValue("digest"), layer{page, size})
}

func (s *server) count(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]int64{
		"bytes": s.counts.Bytes.Load(), "requests": s.counts.Requests.Load(), "connections": s.counts.Connections.Load(),
	})
}

func main() {
	listen := flag.String("listen", "127.0.0.1:443", "address of the layers (TLS)")
	control := flag.String("control", "127.0.0.1:8444", "address of the control interface")
	certificate := flag.String("certificate", "", "file of the certificate chain")
	key := flag.String("key", "", "file of the private key")
	rate := flag.Float64("rate", 0, "bytes per second for each connection; 0 for no limit")
	flag.Parse()

	s := &server{}
	inner := http.NewServeMux()
	inner.HandleFunc("PUT /layers/{digest}", s.add)
	inner.HandleFunc("GET /counts", s.count)
	go func() { log.Fatal(http.ListenAndServe(*control, inner)) }()

	outer := http.NewServeMux()
	outer.HandleFunc("GET /blobs/sha256/{start}/{digest}/data", s.layer)
	layers := &http.Server{
		Addr:         *listen,
		Handler:      outer,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // as S3: HTTP/1.1 only
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			s.counts.Connections.Add(1)
			return context.WithValue(ctx, paceKey{}, &pace{perSecond: *rate})
		},
	}
	log.Fatal(layers.ListenAndServeTLS(*certificate, *key))
}
