"""Published CRDs in the API server, without a controller of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.sandbox import tools
from testbed.sandbox.commands import run

_MONITORING = Path("example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml")


@contextmanager
def defined(*files: Path) -> Iterator[None]:
    """The API server knows the kinds of these files in the block, and nothing of them afterwards.

    Raises:
        SandboxError: The API server refuses a definition.
    """
    names = [f"--filename={file}" for file in files]
    run(("kubectl", "apply", "--server-side", *names))
    try:
        run(("kubectl", "wait", "--for=condition=Established", "--timeout=60s", *names))
        yield
    finally:
        run(("kubectl", "delete", *names))


def service_monitor() -> Path:
    """The file of the ServiceMonitor."""
    return tools.sources(*tools.PROMETHEUS_OPERATOR) / _MONITORING
