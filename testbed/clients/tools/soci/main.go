// Command soci-read reads parts of a blob as the SOCI snapshotter does, by its package fs/remote, without mounting
// anything. It prints the size of the blob and the SHA-256 of each part as JSON.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/awslabs/soci-snapshotter/config"
	"github.com/awslabs/soci-snapshotter/fs/remote"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const usage = "usage: soci-read HOST/REPOSITORY DIGEST OFFSET+LENGTH..."

type result struct {
	Size   int64    `json:"size"`
	Sha256 []string `json:"sha256"`
}

func main() {
	if len(os.Args) < 4 {
		log.Fatal(usage)
	}
	found, err := read(os.Args[1], digest.Digest(os.Args[2]), os.Args[3:])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}

func read(repository string, of digest.Digest, parts []string) (*result, error) {
	name, err := reference.Parse(repository + "@" + of.String())
	if err != nil {
		return nil, err
	}
	blob, err := remote.NewResolver(config.BlobConfig{}, nil).Resolve(
		context.Background(), anonymous(name), name, ocispec.Descriptor{Digest: of})
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	found := &result{Size: blob.Size()}
	for _, part := range parts {
		var offset, length int64
		if _, err := fmt.Sscanf(part, "%d+%d", &offset, &length); err != nil {
			return nil, fmt.Errorf("%q is not a valid part: %s", part, usage)
		}
		buffer := make([]byte, length)
		n, err := blob.ReadAt(buffer, offset)
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
