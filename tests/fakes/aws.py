"""AWS with fixed answers, each validated against the output shape in AWS's own service model."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import EndpointConnectionError
from botocore.validate import validate_parameters

Answer = Mapping[str, Any] | str | Callable[[Mapping[str, Any]], Mapping[str, Any] | str]
"""A fixed answer, an error as `Code: message`, or either of them by the parameters of the request."""

REGION = "ap-southeast-2"

# Service models are large: read once, not once a session.
_LOADER = botocore.session.Session().get_component("data_loader")


class FakeAws(boto3.Session):
    """A session whose clients send nothing.

    Attributes:
        answers: By operation, such as `DescribeAlarms`.
        asked: The operations that were called, each with its parameters.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        session = botocore.session.Session()
        session.register_component("data_loader", _LOADER)
        super().__init__("AKIAFAKE", "fake", region_name=REGION, botocore_session=session)
        self.answers = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.events.register("before-parameter-build", self._note)
        self.events.register("before-call", self._answer)  # type: ignore[arg-type]  # what it returns is taken for the answer

    def _note(self, params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's model is untyped
        self.asked.append((model.name, dict(params)))

    def _answer(self, model: Any, **__: object) -> tuple[SimpleNamespace, Mapping[str, Any]]:  # noqa: ANN401 - as above
        answer = self.answers.get(model.name)
        if answer is None:
            raise EndpointConnectionError(endpoint_url=f"no answer is set for {model.name}")
        if callable(answer):
            answer = answer(self.asked[-1][1])
        if isinstance(answer, str):
            code, _, message = answer.partition(": ")
            return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}
        if model.output_shape:
            validate_parameters(dict(answer), model.output_shape)
        return SimpleNamespace(status_code=200), answer
