"""Container images as docker archives (`docker save`), which crane, skopeo and containerd read. No daemon involved."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    """A gzipped tar.

    Attributes:
        diff_id: Digest of the tar before compression, as the image's configuration lists it.
    """

    blob: Path
    diff_id: str

    @classmethod
    def of_directory(cls, root: Path, blob: Path) -> "Layer":
        """A layer of everything below `root`, owned by root, in a fixed order and without times: same in, same out."""
        with _writer(blob) as tar:
            for path in sorted(root.rglob("*")):
                tar.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=_anonymous)
        return cls.of_blob(blob)

    @classmethod
    def of_files(cls, contents: Mapping[str, bytes | Path], blob: Path, mode: int = 0o644) -> "Layer":
        """A layer of single files; a Path as content is the target of a symbolic link."""
        with _writer(blob) as tar:
            for name, content in contents.items():
                entry = tarfile.TarInfo(name)
                entry.mode = mode
                if isinstance(content, Path):
                    entry.type, entry.linkname = tarfile.SYMTYPE, str(content)
                    tar.addfile(entry)
                else:
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        return cls.of_blob(blob)

    @classmethod
    def of_blob(cls, blob: Path) -> "Layer":
        """A layer from a gzipped tar that is there already."""
        digest = hashlib.sha256()
        with gzip.open(blob) as content:
            while chunk := content.read(CHUNK_BYTES):
                digest.update(chunk)
        return cls(blob, f"sha256:{digest.hexdigest()}")


def write(target: Path, reference: str, layers: Sequence[Layer], config: Mapping[str, object]) -> None:
    """Write one image. `config` is the `config` object of the OCI image specification."""
    document = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created_by": "ecr-frontdoor sandbox"} for _ in layers],
    }
    configuration = json.dumps(document, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    names = [f"{layer.diff_id.removeprefix('sha256:')}.tar.gz" for layer in layers]
    manifest = [{"Config": config_name, "RepoTags": [reference], "Layers": names}]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w") as tar:
        _add(tar, {config_name: configuration, "manifest.json": json.dumps(manifest).encode()}.items())
        for name, layer in zip(names, layers, strict=True):
            tar.add(layer.blob, arcname=name, filter=_anonymous)


@contextmanager
def _writer(blob: Path) -> Iterator[tarfile.TarFile]:
    """A gzipped tar whose bytes depend on its content alone."""
    blob.parent.mkdir(parents=True, exist_ok=True)
    with (
        blob.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        yield tar


def _add(tar: tarfile.TarFile, contents: Iterable[tuple[str, bytes]]) -> None:
    for name, content in contents:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
