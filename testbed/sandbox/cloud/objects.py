"""Layers as files, copied out of moto at the first request.

moto answers a Range by reading the whole object into memory first: 70 ms of one core for any 4 MiB of a 100 MiB layer,
and 100 MiB more per request under way. So moto stays the S3 that the registry writes to and that says whether an object
exists; its bytes are copied once, checked against the digest they are stored under, and served from the copy.
"""

import asyncio
import hashlib
from collections import defaultdict
from pathlib import Path

from aiohttp import ClientSession

from testbed.sandbox.cloud.endpoints import BACKING_AUTHORIZATION, BACKING_BUCKET, MOTO_URL
from testbed.sandbox.cloud.locations import Layer

_CHUNK_BYTES = 1024 * 1024


class Objects:
    """Copies of layers in a folder, each named by its digest."""

    def __init__(self, folder: Path, session: ClientSession) -> None:
        self._folder = folder
        self._session = session
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def file(self, layer: Layer) -> Path | None:
        """The layer's bytes; `None` when S3 has no such object.

        Raises:
            ValueError: The bytes in S3 are not those of the digest.
        """
        copy = self._folder / layer.digest
        async with self._locks[layer.digest]:
            if copy.exists() or await self._fetch(layer, copy):
                return copy
        return None

    async def _fetch(self, layer: Layer, copy: Path) -> bool:
        url = f"{MOTO_URL}/{BACKING_BUCKET}/{layer.backing_key}"
        partial = copy.with_suffix(".partial")
        digest = hashlib.sha256()
        async with self._session.get(url, headers={"Authorization": BACKING_AUTHORIZATION}) as answer:
            if not answer.ok:
                return False
            with partial.open("wb") as file:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
        if digest.hexdigest() != layer.digest:
            message = f"the object of layer {layer.digest} hashes to {digest.hexdigest()}"
            raise ValueError(message)
        partial.rename(copy)
        return True
