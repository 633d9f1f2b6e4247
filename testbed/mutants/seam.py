"""Where a mutant gets into the product: behind the function that renders, and behind the chart that writes objects.

Nothing that ships knows of it. `install` has to run before anything imports the function by its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from k8s_manifests.proxy_chart import ProxyChart
from lambda_fn.job import render
from testbed.mutants.mutant import Mutant


class Seam:
    """Holds at most one mutant, by which everything that is rendered or written meanwhile is edited."""

    def __init__(self) -> None:
        self._mutant: Mutant | None = None

    def install(self) -> None:
        """Put itself behind both, for as long as the process runs."""
        render_configuration, write_objects = render.render, ProxyChart.to_json

        def mutated_configuration(template: str, *arguments: Any, **options: Any) -> str:  # noqa: ANN401 - passed on
            text = render_configuration(template, *arguments, **options)
            return self._mutant.configuration(text) if self._mutant else text

        def mutated_objects(chart: ProxyChart) -> list[dict[str, Any]]:
            objects = write_objects(chart)
            return self._mutant.objects(objects) if self._mutant else objects

        render.render = mutated_configuration
        ProxyChart.to_json = mutated_objects  # type: ignore[method-assign, assignment]

    @contextmanager
    def holding(self, mutant: Mutant | None) -> Iterator[None]:
        """For a while."""
        self._mutant = mutant
        try:
            yield
        finally:
            self._mutant = None
