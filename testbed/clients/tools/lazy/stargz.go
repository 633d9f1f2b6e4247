package main

import (
	"context"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/reference"
	"github.com/containerd/stargz-snapshotter/cache"
	"github.com/containerd/stargz-snapshotter/fs/config"
	"github.com/containerd/stargz-snapshotter/fs/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func stargz(ctx context.Context, name reference.Spec, layer ocispec.Descriptor) (*blob, error) {
	hosts := func(name reference.Spec) ([]docker.RegistryHost, error) { return anonymous(name), nil }
	found, err := remote.NewResolver(config.BlobConfig{}, nil).Resolve(ctx, hosts, name, layer, cache.NewMemoryCache())
	if err != nil {
		return nil, err
	}
	readAt := func(p []byte, offset int64) (int, error) { return found.ReadAt(p, offset) }
	return &blob{size: found.Size(), readAt: readAt, close: found.Close}, nil
}
