"""Reads what only manifests tell: of every digest once, with as few requests as ECR allows. Pure over its port."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lambda_fn.job.catalogue import manifest
from lambda_fn.job.catalogue.entries import Details, Platform
from lambda_fn.job.catalogue.labels import readable
from lambda_fn.job.catalogue.manifest import Manifest
from lambda_fn.job.catalogue.ports import Contents, Images
from lambda_fn.job.catalogue.problems import Problems
from lambda_fn.settings.routing import Served


@dataclass
class Reader:
    """Reads manifests and configurations of one run.

    Args:
        images: ECR.
        problems: Where to note why some could not be read.

    Attributes:
        manifests: How many were read.
    """

    images: Images
    problems: Problems
    manifests: int = 0
    _without_layers: set[str] = field(default_factory=set)

    def read(self, repository: Served, digests: Iterable[str]) -> dict[str, Details]:
        """What these manifests tell; one is missing where it, or its configuration, could not be read.

        A malformed manifest has no details, and is not read again. An index usually has no labels, and its images do:
        those of the first one are shown.
        """
        top = self._manifests(repository, digests)
        firsts = {
            digest: read.platforms[0][1] for digest, read in top.items() if read.platforms and not read.annotations
        }
        inner = self._manifests(repository, set(firsts.values()) - top.keys())
        known = top | inner
        chosen = {digest: known.get(firsts.get(digest, digest), Manifest()) for digest in top}
        wanted = {read.configuration for read in chosen.values() if read.configuration}
        configurations = self._configurations(repository, wanted)
        found = {}
        for digest, read in top.items():
            source = chosen[digest]
            if source.configuration and source.configuration not in configurations:
                continue
            platform, labels = configurations.get(source.configuration or "", (None, {}))
            pairs = read.platforms or (((platform, digest),) if platform else ())
            platforms = [Platform(platform=each, digest=of) for each, of in pairs]
            found[digest] = Details(read.kind, platforms, readable(read.annotations, source.annotations, labels))
        return found

    def _manifests(self, repository: Served, digests: Iterable[str]) -> dict[str, Manifest]:
        wanted = sorted(digests)
        if not wanted:
            return {}
        answer = self.images.manifests(repository.registry, repository.ecr_name, wanted)
        contents = self._noted(answer, repository.public_name)
        self.manifests += len(contents)
        found = {}
        for digest, content in contents.items():
            try:
                found[digest] = manifest.parse(content)
            except ValueError as error:
                self.problems.note(f"a manifest is malformed, {error}", f"{repository.public_name}@{digest}")
                found[digest] = Manifest(kind="artifact")
        return found

    def _configurations(
        self, repository: Served, digests: Iterable[str]
    ) -> dict[str, tuple[str | None, Mapping[str, str]]]:
        """Platform and labels by digest. A registry whose layers cannot be reached is not asked again in this run."""
        wanted = sorted(digests)
        if not wanted or repository.registry.host in self._without_layers:
            return {}
        answer = self.images.configurations(repository.registry, repository.ecr_name, wanted)
        contents = self._noted(answer, repository.public_name)
        if answer.is_cut_off and not contents:
            self._without_layers.add(repository.registry.host)
        found: dict[str, tuple[str | None, Mapping[str, str]]] = {}
        for digest, content in contents.items():
            try:
                found[digest] = manifest.parse_configuration(content)
            except ValueError as error:
                self.problems.note(
                    f"a configuration of an image is malformed, {error}", f"{digest} of {repository.public_name}"
                )
                found[digest] = None, {}
        return found

    def _noted(self, contents: Contents, repository: str) -> Mapping[str, bytes]:
        for problem in contents.problems:
            self.problems.note(problem, repository)
        return contents.found
