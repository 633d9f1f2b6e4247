"""The published CRDs of Gateway API's routes, without a controller."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.sandbox import crds, tools

_KINDS = ("httproutes", "tlsroutes")


@contextmanager
def defined() -> Iterator[None]:
    """The API server knows the kinds of routes in the block, and nothing of them afterwards.

    Raises:
        SandboxError: The API server refuses a definition.
    """
    folder = tools.sources(*tools.GATEWAY_API) / "config" / "crd" / "standard"
    with crds.defined(*(folder / f"gateway.networking.k8s.io_{kind}.yaml" for kind in _KINDS)):
        yield
