// Command lazy-read reads parts of a blob as a snapshotter does that pulls lazily, by the snapshotter's own package,
// without mounting anything. It prints the size of the blob and the SHA-256 of each part as JSON.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const usage = "usage: lazy-read stargz|soci HOST/REPOSITORY DIGEST OFFSET+LENGTH..."

type result struct {
	Size   int64    `json:"size"`
	Sha256 []string `json:"sha256"`
}

// blob is a layer as a snapshotter's fetcher sees it.
type blob struct {
	size   int64
	readAt func([]byte, int64) (int, error)
	close  func() error
}

// resolve finds a layer, by the fetcher of one snapshotter.
type resolve func(context.Context, reference.Spec, ocispec.Descriptor) (*blob, error)

var snapshotters = map[string]resolve{"stargz": stargz, "soci": soci}

func main() {
	if len(os.Args) < 5 || snapshotters[os.Args[1]] == nil {
		log.Fatal(usage)
	}
	found, err := read(snapshotters[os.Args[1]], os.Args[2], digest.Digest(os.Args[3]), os.Args[4:])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}

func read(resolved resolve, repository string, of digest.Digest, parts []string) (*result, error) {
	name, err := reference.Parse(repository + "@" + of.String())
	if err != nil {
		return nil, err
	}
	layer, err := resolved(context.Background(), name, ocispec.Descriptor{Digest: of})
	if err != nil {
		return nil, err
	}
	defer layer.close()
	found := &result{Size: layer.size}
	for _, part := range parts {
		var offset, length int64
		if _, err := fmt.Sscanf(part, "%d+%d", &offset, &length); err != nil {
			return nil, fmt.Errorf("%q is not a valid part: %s", part, usage)
		}
		buffer := make([]byte, length)
		n, err := layer.readAt(buffer, offset)
		if err != nil {
			return nil, fmt.Errorf("part %s: %w", part, err)
		}
		found.Sha256 = append(found.Sha256, fmt.Sprintf("%x", sha256.Sum256(buffer[:n])))
	}
	return found, nil
}

// anonymous is the registry of a reference itself, without a login.
func anonymous(name reference.Spec) []docker.RegistryHost {
	return []docker.RegistryHost{{
		Client:       &http.Client{Transport: http.DefaultTransport},
		Host:         name.Hostname(),
		Scheme:       "https",
		Path:         "/v2",
		Capabilities: docker.HostCapabilityPull,
	}}
}
