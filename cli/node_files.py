"""What nodes need to pull images of public registries through the front door: files of container engines. Pure.

Sources: https://github.com/containerd/containerd/blob/main/docs/hosts.md ,
https://docs.docker.com/docker-hub/image-library/mirror/ , containers-registries.conf(5).
"""

import json
from collections.abc import Iterable, Iterator

from lambda_fn.contract.public_registries import public_registry
from lambda_fn.settings.mirrors import Mirror

_DOCKER_HUB = "docker.io"
_CONTAINERD = """\
# containerd: /etc/containerd/certs.d/{upstream}/hosts.toml
# containerd goes to the server below for what the front door does not have. To forbid that, name the front door there.
server = "https://{url}"

[host."https://{host}"]
capabilities = ["pull", "resolve"]
"""
_OVERRIDE_PATH = "override_path = true\n"
_EKS = """\
# EKS with containerd 2.1 or later: it reads those files only where config_path is one folder, and the AMI sets two
# (https://github.com/awslabs/amazon-eks-ami/issues/2494). In the NodeConfig of AL2023:
#   spec:
#     containerd:
#       config: |
#         [plugins."io.containerd.cri.v1.images".registry]
#         config_path = "/etc/containerd/certs.d"
"""
_DOCKER = """\
# Docker 25 or later, for images of Docker Hub alone: /etc/docker/daemon.json
{setting}
"""
_PODMAN = """\
# Podman, Buildah, Skopeo: /etc/containers/registries.conf.d/{upstream}.conf
[[registry]]
prefix = "{upstream}{below}"
location = "{upstream}{below}"

[[registry.mirror]]
location = "{domain}{path}"
"""


def node_files(domain: str, mirrors: Iterable[Mirror]) -> Iterator[str]:
    """The files, each with its path in a comment.

    Args:
        domain: The front door's.
        mirrors: Those whose upstream is known.
    """
    found = [mirror for mirror in mirrors if mirror.upstream and not mirror.is_renamed]
    for mirror in found:
        yield _containerd(domain, mirror)
    if found:
        yield _EKS
    for mirror in found:
        if mirror.upstream == _DOCKER_HUB and not mirror.upstream_start:
            url = f"https://{domain}{_path(mirror.public_start)}"
            yield _DOCKER.format(setting=json.dumps({"registry-mirrors": [url]}))
    for mirror in found:
        if _whole(mirror.upstream_start) and _whole(mirror.public_start):
            below, path = _path(mirror.upstream_start), _path(mirror.public_start)
            yield _PODMAN.format(upstream=mirror.upstream, domain=domain, below=below, path=path)


def _containerd(domain: str, mirror: Mirror) -> str:
    """With the path of the route, where that is enough; else the front door goes by containerd's query, `?ns=`."""
    has_path = bool(mirror.public_start) and _whole(mirror.public_start) and not mirror.upstream_start
    text = _CONTAINERD.format(
        upstream=mirror.upstream,
        url=public_registry(mirror.upstream).url,
        host=f"{domain}/v2{_path(mirror.public_start)}" if has_path else domain,
    )
    return text + (_OVERRIDE_PATH if has_path else "")


def _whole(start: str) -> bool:
    """Whether this begins names by whole parts."""
    return not start or start.endswith("/")


def _path(start: str) -> str:
    return f"/{start.removesuffix('/')}" if start else ""
