"""Generated routes and names: real nginx finds what Python finds without a table, and nothing else reaches ECR."""

from contextlib import closing
from http.client import HTTPConnection

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.contract.paths import HTTP_PORT
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.fakes.routes import Routes
from tests.proxy.client import ADDRESS

NAMES = 1_500
"""Of each set of routes."""
MOST_FOR_ECR = 100
"""Of the names that a route has, which ECR then gets: its double is slow."""
ECHO_PORT = 8099
ECHO = f"""
    server {{
        server_name echo;
        listen 127.0.0.1:{ECHO_PORT};
        access_log off;
        location ~ "^/v2/{{{{ repository }}}}/tags/list$" {{
            return 200 "$registry $ecr_repository $is_of_other_registry";
        }}
    }}
}}
"""
"""What the maps give for a name, without ECR."""


@pytest.mark.rule("R4", "R130", "R157")
@pytest.mark.parametrize("seed", range(6))
def test_no_name_outside_the_routes_reaches_ecr(pod: Pod, control: Control, world: World, seed: int) -> None:
    routes = Routes(seed, (world.account, world.other_account), world.region)
    pod.settings = pod.settings.model_copy(update={"registries": tuple(routes.registries)})
    pod.configure(pod.template(TEMPLATE_KEY).rstrip().removesuffix("}") + ECHO)
    pod.start()
    names = list(routes.names(NAMES))
    expected = {name: routes.expected(name) for name in names}
    inside = [name for name, found in expected.items() if found]
    outside = [name for name, found in expected.items() if not found]
    assert min(len(inside), len(outside)) > NAMES // 20
    with closing(HTTPConnection(ADDRESS, ECHO_PORT, timeout=60)) as echo:
        for name, found in expected.items():
            status, text = ask(echo, name)
            wanted = f"{world.registry_host(found[0])} {found[1]} " if found else ""
            assert (status, text if found else text.split(" ")[0]) == (200, wanted), name
            for account in (world.account, world.other_account) if found else ():
                refused = ask(echo, name, f"?ns={world.registry_host(account)}")[1].split(" ")[2]
                assert refused == ("" if found == (account, name) else "1"), (name, account)
    mark = control.mark()
    with closing(HTTPConnection(ADDRESS, HTTP_PORT, timeout=60)) as front:
        assert {ask(front, name)[0] for name in outside} == {404}
        assert control.requests(mark).entries == ()
        malformed = {name for found in inside for name in routes.malformed(found)}
        assert len(malformed) > len(inside)
        assert {ask(front, name)[0] for name in malformed} == {404}
        assert control.requests(mark).entries == ()
        for name in inside[:MOST_FOR_ECR]:
            ask(front, name)
    asked = {(entry.host, entry.path) for entry in control.requests(mark).entries}
    wanted_of_ecr = [found for name in inside[:MOST_FOR_ECR] if (found := expected[name])]
    assert asked == {(world.registry_host(account), f"/v2/{name}/tags/list") for account, name in wanted_of_ecr}


def ask(connection: HTTPConnection, name: str, query: str = "") -> tuple[int, str]:
    connection.request("GET", f"/v2/{name}/tags/list{query}")
    response = connection.getresponse()
    return response.status, response.read().decode()
