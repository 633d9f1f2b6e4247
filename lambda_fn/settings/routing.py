"""Which registry serves a name, and under which names clients get a repository of ECR. Pure."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import cache

from lambda_fn.contract.route_table import RouteTable
from lambda_fn.contract.route_table import table as route_table
from lambda_fn.contract.routes import Route
from lambda_fn.settings.registry import Registry, by_place


@dataclass(frozen=True, slots=True)
class Served:
    """A repository that clients may pull.

    Attributes:
        public_name: As clients write it.
        registry: Has it.
        ecr_name: What the registry calls it.
    """

    public_name: str
    registry: Registry
    ecr_name: str


class Routing:
    """The routes of all registries together."""

    def __init__(self, registries: Iterable[Registry]) -> None:
        """The routes of these registries, in the order of the settings."""
        self.registries = tuple(registries)
        self.table: RouteTable = route_table(
            (route.pattern, number) for number, entry in enumerate(self.registries) for route in entry.routes
        )
        self._places = {place: _Place(tables) for place, tables in by_place(self.registries).items()}

    @property
    def digest(self) -> str:
        """Of all routes and their registries, in 16 hexadecimal digits: the same names lead to the same repositories.

        Nothing can be read from it, so clients may see it.
        """
        routes = {(each.account, each.region, *astuple(route)) for each in self.registries for route in each.routes}
        return _digest(json.dumps(sorted(routes)))

    def find(self, public_name: str) -> Served | None:
        """What clients get by a name; None where it is not served."""
        number = self.table.find(public_name)
        if number is None:
            return None
        registry = self.registries[number]
        ecr_name = registry.renames.get(public_name) or _others(registry).ecr_name(public_name)
        return Served(public_name, registry, ecr_name) if ecr_name else None

    def shown(self, account: str, region: str, ecr_name: str) -> list[Served]:
        """A repository of ECR, once for each name by which clients get it."""
        place = self._places.get((account, region))
        found = map(self.find, place.public_names(ecr_name) if place else ())
        # A narrower route may lead the name to another registry.
        wanted = account, region, ecr_name
        return [
            each for each in found if each and (each.registry.account, each.registry.region, each.ecr_name) == wanted
        ]


class _Place:
    """The names of one registry of ECR."""

    def __init__(self, tables: Sequence[Registry]) -> None:
        self._renamed: dict[str, list[str]] = {}
        self._others = dict.fromkeys(map(_others, tables))
        for table in tables:
            for public_name, ecr_name in table.renames.items():
                self._renamed.setdefault(ecr_name, []).append(public_name)

    def public_names(self, ecr_name: str) -> dict[str, None]:
        """Those that a repository could have, in the order of the settings."""
        # Most prefixes are of other repositories, and that is quickly seen.
        others = (route.public_name(ecr_name) for route in self._others if ecr_name.startswith(route.prefix))
        return dict.fromkeys([*self._renamed.get(ecr_name, ()), *filter(None, others)])


@cache
def _digest(text: str) -> str:
    # SHA-256 is so fast that all 10^12 accounts can be tried.
    return hashlib.scrypt(text.encode(), salt=b"routes", n=2**14, r=8, p=1, dklen=8).hex()


def _others(registry: Registry) -> Route:
    """The names that are not renamed one by one."""
    return Route(f"{registry.strip}*", registry.strip, registry.prefix)
