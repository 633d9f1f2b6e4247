package main

import (
	"context"

	"github.com/awslabs/soci-snapshotter/config"
	"github.com/awslabs/soci-snapshotter/fs/remote"
	"github.com/containerd/containerd/v2/pkg/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func soci(ctx context.Context, name reference.Spec, layer ocispec.Descriptor) (*blob, error) {
	found, err := remote.NewResolver(config.BlobConfig{}, nil).Resolve(ctx, anonymous(name), name, layer)
	if err != nil {
		return nil, err
	}
	readAt := func(p []byte, offset int64) (int, error) { return found.ReadAt(p, offset) }
	return &blob{size: found.Size(), readAt: readAt, close: found.Close}, nil
}
