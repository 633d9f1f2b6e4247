import gzip
import hashlib
import json
import os
import tarfile
from pathlib import Path

from testbed.sandbox import archive
from testbed.sandbox.archive import Layer


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        files = ((entry.name, tar.extractfile(entry)) for entry in tar if entry.isfile())
        return {name: file.read() for name, file in files if file}


def test_a_layer_of_the_same_folder_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr").mkdir(parents=True)
    (root / "usr" / "b").write_text("b")
    (root / "a").symlink_to("usr/b")
    first = Layer.of_directory(root, tmp_path / "first.tar.gz")
    os.utime(root / "usr" / "b", (0, 12345))

    second = Layer.of_directory(root, tmp_path / "second.tar.gz")

    assert first.diff_id == second.diff_id
    assert first.blob.read_bytes() == second.blob.read_bytes()


def test_an_archive_names_its_image_and_the_digest_of_every_layer_before_compression(tmp_path: Path) -> None:
    layer = Layer.of_files({"bin/sh": b"#!", "bin/ls": Path("sh")}, tmp_path / "layer.tar.gz", mode=0o755)

    archive.write(tmp_path / "image.tar", "example.com/a:1", (layer,), {"User": "101"})

    content = members(tmp_path / "image.tar")
    (manifest,) = json.loads(content["manifest.json"])
    config = json.loads(content[manifest["Config"]])
    blob = content[manifest["Layers"][0]]
    assert manifest["RepoTags"] == ["example.com/a:1"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(gzip.decompress(blob)).hexdigest()}"]
    assert config["config"] == {"User": "101"}


def test_a_layer_keeps_modes_and_links_and_belongs_to_root(tmp_path: Path) -> None:
    layer = Layer.of_files({"bin/sh": b"#!", "bin/ls": Path("sh")}, tmp_path / "layer.tar.gz", mode=0o755)

    with tarfile.open(layer.blob) as tar:
        shell, link = tar.getmember("bin/sh"), tar.getmember("bin/ls")

    assert (shell.mode, shell.uid, shell.mtime) == (0o755, 0, 0)
    assert (link.issym(), link.linkname) == (True, "sh")
