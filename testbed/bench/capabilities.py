"""What each contestant can do at all, tried: tokens of a Lambda's size, tags, a HEAD, a range."""

from testbed.bench import curl
from testbed.bench.content import REPOSITORY
from testbed.bench.contestants import Contestant, Limit, Plain
from testbed.bench.process import nginx
from testbed.bench.stage import Stage, headers
from testbed.sandbox.errors import SandboxError


def try_all(stage: Stage) -> None:
    """Record a gap for each attempt that fails, with its error message."""
    _long_token(stage)
    for contestant in stage.contestants:
        if not isinstance(contestant, Limit):
            _tags(stage, contestant)


def _long_token(stage: Stage) -> None:
    """The plain configurations hold a token of 2,000 characters here, since nginx reads no longer one."""
    token = stage.control.issue_token(stage.world.region).authorization
    folder = stage.folder / "long-token"
    folder.mkdir()
    values = {"port": 8099, "secure_port": 8499, "ecr_host": stage.world.ecr_host, "token": token}
    process = nginx(stage.world, folder, "plain.conf.j2", values)
    try:
        process.start(8099)
    except SandboxError as error:
        plain = stage.contestant(Plain)
        words = str(error).partition("[emerg]")[2].partition(": ")[2].splitlines()
        reason = words[0].split(token[:20])[0] if words else "it does not start"
        reason = f"nginx does not start with a token of {len(token)} characters: {reason.strip()}"
        stage.gap(plain, "a Lambda's token", reason)
    finally:
        process.stop()


def _tags(stage: Stage, contestant: Contestant) -> None:
    try:
        curl.download(f"{contestant.origin}/v2/{REPOSITORY}/tags/list", headers(contestant), clients=1)
    except SandboxError as error:
        stage.gap(contestant, "tags/list", str(error).rpartition("1 of 1, ")[2])
