"""The fake keeps the contract that the real API server keeps in the cluster suite."""

from dataclasses import dataclass

import pytest

from lambda_fn.job.manifests import Manifest
from lambda_fn.settings import Settings
from tests.contract.cluster import ClusterContract, settings
from tests.fakes.cluster import FakeCluster


@dataclass
class FakeBench:
    cluster: FakeCluster
    settings: Settings

    def create(self, manifest: Manifest) -> None:
        self.cluster.create(manifest)

    def edit(self, kind: str, name: str, path: tuple[str, ...], value: str) -> None:
        self.cluster.edit(kind, name, path, value)

    def read(self, kind: str, name: str) -> Manifest | None:
        return self.cluster.read(kind, name)


class TestFakeCluster(ClusterContract):
    @pytest.fixture
    def bench(self) -> FakeBench:
        return FakeBench(FakeCluster(settings()), settings())
