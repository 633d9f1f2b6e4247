"""Generated routes that do not overlap, and names around them."""

import random
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from lambda_fn.contract.repository_name import NAME
from lambda_fn.settings.consistency import reject_overlaps
from lambda_fn.settings.registry import Registry

MOSTLY = 0.8
PARTS = ["a", "b", "app", "team", "base", "x-prod", "default", "include", "images", "a.b", "a_b-c", "0"]
VALID = re.compile(NAME)


class Routes:
    """Registries with routes that do not overlap, and names around them."""

    def __init__(self, seed: int, accounts: tuple[str, str], region: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - names, no secrets
        self._accounts, self._region = accounts, region
        self.registries: list[Registry] = []
        while len(self.registries) < 12:
            self._add(self._registry())

    def _add(self, registry: Registry | None) -> None:
        if registry is None:
            return
        try:
            reject_overlaps([*self.registries, registry])
        except ValueError:
            return
        self.registries.append(registry)

    def _registry(self) -> Registry | None:
        strip = self._folders(2) if self._random.random() < 0.4 else ""
        prefix = self._random.choice(["", "", "platform/images/", "p-", f"{'long/' * 40}"])
        patterns = tuple({strip + self._pattern() for _ in range(self._random.randint(0, 3))})
        renames = {self._name(): self._name() for _ in range(self._random.randint(0 if patterns else 1, 2))}
        try:
            return Registry(
                account=self._random.choice(self._accounts),
                region=self._region,
                repositories=patterns,
                strip=strip,
                prefix=prefix,
                renames=renames,
            )
        except ValueError:
            return None

    def _part(self) -> str:
        return self._random.choice(PARTS)

    def _folders(self, most: int) -> str:
        return "".join(f"{self._part()}/" for _ in range(self._random.randint(0, most)))

    def _pattern(self) -> str:
        beginning, part = self._folders(3), self._part()
        if not beginning and self._random.random() < MOSTLY:
            beginning = f"{self._part()}/"
        return beginning + self._random.choice(
            ["*" if beginning else part, part, f"{part}*", f"{part}*-{part}", f"*-{part}", f"{part}*-prod", f"*/{part}"]
        )

    def _name(self) -> str:
        name = self._folders(4) + self._part()
        return name if VALID.fullmatch(name) else f"{name}-x"

    def names(self, count: int) -> Iterator[str]:
        """Names that clients could write: of the routes, nearly of them, of ECR, and others."""
        routes = [route for registry in self.registries for route in registry.routes]
        texts = [text for route in routes for text in (route.pattern, route.ecr_pattern)]
        found: set[str] = set()
        while len(found) < count:
            name = self._name()
            if self._random.random() < MOSTLY:
                name = re.sub(r"\*", lambda _: self._name(), self._random.choice(texts))
            if self._random.random() < 0.3:
                place = self._random.randrange(len(name) + 1)
                name = name[:place] + self._random.choice(["", "a", "/a", "-", "x/"]) + name[place + 1 :]
            if self._random.random() < 0.05:
                name += "/" + "y" * self._random.randint(200, 256)
            if VALID.fullmatch(name) and name not in found:
                found.add(name)
                yield name

    def malformed(self, name: str) -> Iterator[str]:
        """Nearly the same name, as no repository of ECR may be called: in the routes of its folders, like the name."""
        separators = re.finditer(r"[._/-]+", name)
        places = [place for found in separators for place in {found.start() + ("/" in found[0]), found.end()}]
        for place in self._random.sample(places, min(2, len(places))):
            changed = name[:place] + self._random.choice(["..", "._", "-.", "___", "_-"]) + name[place:]
            if not VALID.fullmatch(changed):
                yield changed

    def expected(self, name: str) -> tuple[str, str] | None:
        """Account and ECR's name by definition: of the matching routes, the one within those of all other tables."""
        matching = [
            (registry, route)
            for registry in self.registries
            for route in sorted(registry.routes, key=lambda route: "*" in route.pattern)
            if fnmatchcase(name, route.pattern)
        ]
        for registry, route in matching:
            if all(of is registry or fnmatchcase(route.pattern, other.pattern) for of, other in matching):
                ecr_name = route.ecr_name(name)
                return (registry.account, ecr_name) if ecr_name else None
        assert not matching
        return None
