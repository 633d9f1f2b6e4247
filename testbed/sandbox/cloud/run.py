"""Starts and ends the whole double."""

import asyncio
import shutil
import signal
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from testbed.sandbox.cloud import aws, control_api, registry, s3
from testbed.sandbox.cloud.cloud import Cloud
from testbed.sandbox.cloud.endpoints import CONTROL_PORT, LOOPBACK
from testbed.sandbox.cloud.hosts import is_aws_host, is_registry_host, is_s3_host
from testbed.sandbox.cloud.listeners import Listener, tls_context
from testbed.sandbox.cloud.processes import Child, start_moto, start_registry
from testbed.sandbox.cloud.seed import seed, write_credentials
from testbed.sandbox.world import World

_NAMES = {"aws": is_aws_host, "ecr": is_registry_host, "s3": is_s3_host}
"""Certificate -> the server names it is for."""


async def run(world: World) -> None:
    """Serve until SIGTERM or SIGINT; end every child before returning.

    Raises:
        RuntimeError: moto or the registry ended unexpectedly.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        children = await _serve(world, stack)
        print("ready", flush=True)
        watched = [asyncio.create_task(stop.wait()), *(asyncio.create_task(child.process.wait()) for child in children)]
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in watched:
            task.cancel()
        for child in children:
            if child.process.returncode is not None and not stop.is_set():
                raise RuntimeError(child.end_message())


async def _serve(world: World, stack: AsyncExitStack) -> list[Child]:
    """Start everything, the control API last; `stack` ends it all in reverse."""
    shutil.rmtree(world.cloud, ignore_errors=True)
    world.registry_storage.mkdir(parents=True)
    timeout = ClientTimeout(total=None)
    connector = TCPConnector(limit=0)
    session = await stack.enter_async_context(
        ClientSession(timeout=timeout, connector=connector, auto_decompress=False, read_bufsize=2**20),
    )
    cloud = Cloud(world, session)
    contexts = {name: tls_context(world.pair(name), cloud, owns) for name, owns in _NAMES.items()}
    moto = await start_moto(world.cloud)
    stack.push_async_callback(moto.end)
    seeded = await asyncio.to_thread(seed, world)
    cloud.network = seeded.network
    cloud.keyring.add(seeded.operator)
    write_credentials(world.cloud / "credentials", seeded.operator, world)
    backend = await start_registry(world.cloud, world.registry_storage)
    stack.push_async_callback(backend.end)
    listeners = await _listen(cloud, contexts, stack)
    await stack.enter_async_context(_control(control_api.application(cloud, listeners)))
    return [moto, backend]


async def _listen(cloud: Cloud, contexts: Mapping[str, ssl.SSLContext], stack: AsyncExitStack) -> dict[str, Listener]:
    world = cloud.world
    applications = {
        "aws": (aws.application, world.aws_address),
        "ecr": (registry.application, world.ecr_address),
        "ecr-replica": (registry.application, world.replica_ecr_address),
        "s3": (s3.application, world.s3_address),
        "s3-replica": (s3.application, world.replica_s3_address),
    }
    listeners = {}
    for name, (application, address) in applications.items():
        listeners[name] = Listener(application(cloud), address, contexts[name.partition("-")[0]])
        await listeners[name].start()
        stack.push_async_callback(listeners[name].stop)
    return listeners


@asynccontextmanager
async def _control(app: web.Application) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, CONTROL_PORT).start()
        yield
    finally:
        await runner.cleanup()
