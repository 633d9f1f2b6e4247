"""Lines of the access log, as nginx writes them."""

import json
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
NOON = 1_795_780_800.0


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


class Front:
    """Writes the records of clients' requests, one after the other, `step` seconds apart."""

    def __init__(self, *, at: float = NOON, step: float = 0.1) -> None:
        self.at, self._step = at, step
        self.records: list[dict[str, Any]] = []

    def wait(self, seconds: float) -> "Front":
        self.at += seconds
        return self

    def ask(self, method: str, path: str, **changed: object) -> "Front":
        self.at += self._step
        usual = {
            "schema": 1,
            "time": "2026-11-27T12:00:00+00:00",
            "ended_at": round(self.at, 3),
            "server": "front",
            "id": "0" * 32,
            "client": "10.1.0.7",
            "method": method,
            "path": path,
            "status": 200,
            "bytes": 0 if method == "HEAD" else 500,
            "seconds": 0.001,
            "content_length": "500",
            "repository": "",
            "tag": "",
            "digest": "",
            "media_type": "",
            "cache": "HIT",
            "upstream": "",
            "upstream_status": "",
            "upstream_seconds": "",
            "user_agent": "containerd/2.1",
        }
        self.records.append(usual | changed)
        return self

    def ping(self, **changed: object) -> "Front":
        return self.ask("GET", "/v2/", **changed)

    def tag(self, method: str, tag: str, letter: str, kind: str = IMAGE, **changed: object) -> "Front":
        repository = str(changed.pop("repository", "team/app"))
        path = str(changed.pop("path", f"/v2/{repository}/manifests/{tag}"))
        known = {"repository": repository, "tag": tag, "digest": digest(letter), "media_type": kind}
        return self.ask(method, path, **(known | changed))

    def manifest(self, method: str, letter: str, kind: str = IMAGE, **changed: object) -> "Front":
        repository = str(changed.pop("repository", "team/app"))
        path = str(changed.pop("path", f"/v2/{repository}/manifests/{digest(letter)}"))
        return self.ask(
            method, path, **({"repository": repository, "digest": digest(letter), "media_type": kind} | changed)
        )

    def blob(self, letter: str, **changed: object) -> "Front":
        repository = str(changed.pop("repository", "team/app"))
        path = str(changed.pop("path", f"/v2/{repository}/blobs/{digest(letter)}"))
        method = str(changed.pop("method", "GET"))
        return self.ask(method, path, **({"repository": repository, "digest": digest(letter), "bytes": 9000} | changed))

    def upstream(self, server: str, path: str, number: int, **changed: object) -> "Front":
        return self.ask("GET", path, **({"server": server, "bytes": number, "cache": "", "status": 206} | changed))

    def lines(self) -> list[str]:
        return [json.dumps(record, separators=(",", ":")) + "\n" for record in self.records]
