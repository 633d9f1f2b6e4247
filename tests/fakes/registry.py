"""A fake ECR: gives tokens, accepts them, and fails as the test sets it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.job.credential import Credential
from lambda_fn.job.ports import Item, Result
from tests.leaks import LeakCheck


class FakeRegistry:
    """One account's ECR, in every region.

    Attributes:
        leak_check: The token of the next answers.
        failing: Regions whose API gives no token.
        refusing: Hosts that refuse the token.
        unreachable: Hosts that cannot be asked.
        asked: Hosts that were asked, in order.
    """

    def __init__(self, account: str = "123456789012") -> None:
        self._account = account
        self.leak_check = LeakCheck()
        self.valid_for = timedelta(hours=12)
        self.failing: set[str] = set()
        self.refusing: set[str] = set()
        self.unreachable: set[str] = set()
        self.asked: list[str] = []

    def fetch_credential(self, region: str, *, now: datetime, must_outlive: timedelta) -> Credential:
        if region in self.failing or self.valid_for < must_outlive:
            raise RegistryError(f"ECR in {region} gives no token: ThrottlingException: Rate exceeded")
        return Credential(
            host=f"{self._account}.dkr.ecr.{region}.amazonaws.com",
            region=region,
            authorization=Authorization(self.leak_check.authorization),
            expires_at=now + self.valid_for,
        )

    def verify(self, host: str, token: Authorization) -> str | None:
        self.asked.append(host)
        if token.reveal() != self.leak_check.authorization or host in self.refusing:
            raise RegistryError(f"{host} refuses the new token with 403")
        return f"{host} could not be asked" if host in self.unreachable else None

    def side_by_side(self, call: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        return [call(item) for item in items]
