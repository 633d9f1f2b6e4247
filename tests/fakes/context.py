"""Lambda's context of an invocation."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass
class FakeContext(LambdaContext):
    """An invocation with `remaining_seconds` ahead, however long it takes."""

    remaining_seconds: float = 420
    _aws_request_id: str = "11111111-2222-3333-4444-555555555555"
    _function_name: str = "refresher"
    _memory_limit_in_mb: int = 256
    _invoked_function_arn: str = "arn:aws:lambda:ap-southeast-2:123456789012:function:refresher"

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # a static method there
        return round(self.remaining_seconds * 1000)
