"""ECR, a cluster, and runs of the catalogue in it."""

from collections.abc import Sequence
from typing import Any

from lambda_fn.contract.hints import Image
from lambda_fn.job.catalogue.round import ROUND_EVERY, Report, Run
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.routing import Routing
from tests.fakes.clock import FakeClock
from tests.fakes.ecr_catalogue import REGISTRY, FakeEcr, FakeFiles

ELSEWHERE = Registry(account="210987654321", region="eu-west-1", repositories=("team/*", "other/*"))


class Site:
    """A registry with a catalogue, over fakes of ECR and of the cluster."""

    def __init__(self, *registries: Registry) -> None:
        self.clock = FakeClock(remaining_seconds=90)
        self.ecr = FakeEcr(self.clock)
        self.files = FakeFiles()
        self.registries = registries or (REGISTRY,)
        self.findings = False
        self.refused: set[Image] = set()
        self.doubtful: list[Image] = []
        self.ecr_answers = True

    def run(self) -> Report:
        return self._catalogue().continue_round()

    def update(self, *repositories: str) -> Report:
        return self._catalogue().update(repositories)

    def next_run(self) -> Report:
        self.clock.sleep(300)
        return self.run()

    def next_round(self) -> Report:
        self.clock.sleep(ROUND_EVERY.total_seconds())
        return self.run()

    def _catalogue(self) -> Run:
        self.clock.begin_invocation()
        return Run(
            Routing(self.registries),
            self.ecr,
            self.files,
            self.clock,
            findings=self.findings,
            refused=self.refused,
            look_again=self._look_again,
        )

    def _look_again(self, doubtful: Sequence[Image]) -> bool:
        self.doubtful += doubtful
        return self.ecr_answers

    def names(self) -> list[str]:
        return [each["name"] for each in self.files.document()["repositories"]]

    def image(self, repository: str = "team/app") -> dict[str, Any]:
        """The one image of a repository."""
        (found,) = self.files.images(repository)
        return found
