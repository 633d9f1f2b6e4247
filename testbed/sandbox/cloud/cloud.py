"""The state that the double's servers share: world, issued credentials, journal, behaviour."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import ClientSession, web
from aiohttp.typedefs import Handler, Middleware

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.cache_rules import CacheRules
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.journal import Entry, Journal
from testbed.sandbox.cloud.keyring import Keyring
from testbed.sandbox.cloud.lifecycle import Lifecycle
from testbed.sandbox.cloud.locations import Signer
from testbed.sandbox.cloud.pull_exclusions import PullExclusions
from testbed.sandbox.cloud.pushed_images import PushedImages
from testbed.sandbox.cloud.tokens import Tokens
from testbed.sandbox.world import World


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass
class Cloud:
    """One AWS.

    Attributes:
        behaves_anew: Notified when the behaviour has changed.
        repositories: Registry -> names that something was pushed to.
        generated: Digest -> bytes that no registry stores; every repository has them.
        network: What EKS says of the cluster's network.
        referrers: Registry, repository and digest of a subject -> digest and descriptor of each referrer.
        recent: When the registries were requested in the last second, where their rate is limited.
        server_names: TLS connection -> the server name its client asked for.
    """

    world: World
    session: ClientSession
    behaviour: Behaviour = field(default_factory=Behaviour)
    behaves_anew: asyncio.Condition = field(default_factory=asyncio.Condition)
    tokens: Tokens = field(default_factory=lambda: Tokens(now))
    keyring: Keyring = field(default_factory=Keyring)
    lifecycle: Lifecycle = field(default_factory=lambda: Lifecycle(now))
    pull_exclusions: PullExclusions = field(default_factory=lambda: PullExclusions(now))
    cache_rules: CacheRules = field(default_factory=lambda: CacheRules(now))
    pushed_images: PushedImages = field(default_factory=lambda: PushedImages(now))
    signer: Signer = field(default_factory=Signer)
    journal: Journal = field(default_factory=Journal)
    network: Mapping[str, object] = field(default_factory=dict)
    repositories: dict[RegistryHost, set[str]] = field(default_factory=dict)
    referrers: dict[tuple[RegistryHost, str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    generated: dict[str, Generated] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)
    server_names: WeakKeyDictionary[ssl.SSLObject, str] = field(default_factory=WeakKeyDictionary)

    def behaviour_of(self, host: str) -> Behaviour:
        """How the region of a registry or layer bucket behaves."""
        return self.behaviour.of(self.world.replica_region if self.world.replica_region in host else self.world.region)


CLOUD = web.AppKey("cloud", Cloud)
_ENTRY = web.RequestKey("entry", Entry)


def entry(request: web.Request) -> Entry:
    """The journal's entry of a request."""
    return request[_ENTRY]


def journalled(kind: Callable[[web.Request], str]) -> Middleware:
    """A middleware that writes every request into the journal, under the kind that `kind` gives it."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        cloud = request.app[CLOUD]
        connection = request.transport.get_extra_info("ssl_object") if request.transport else None
        opened = cloud.journal.open(
            kind=kind(request),
            method=request.method,
            url=(request.host, request.path),
            server_name=cloud.server_names.get(connection, "") if connection else "",
            headers=request.headers,
        )
        request[_ENTRY] = opened
        response = await handler(request)
        opened.status = response.status
        if isinstance(response, web.Response) and request.method != "HEAD":
            opened.sent_bytes = response.content_length or 0
        return response

    return middleware
