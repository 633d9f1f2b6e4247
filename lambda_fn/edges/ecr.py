"""ECR: a token from its API, and whether its registry accepts it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from ssl import SSLContext, create_default_context
from threading import Lock
from typing import TYPE_CHECKING

import boto3
import httpx2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.job import credential
from lambda_fn.job.credential import Credential
from lambda_fn.job.ports import Item, Result

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_BOUNDED = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
_VERIFY_SECONDS = 10.0
_AT_ONCE = 32
"""Calls of `side_by_side`. Where no host of 80 registries answers, they wait for half a minute of a run's two."""
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

_FIXES = {
    "AccessDeniedException": "the Lambda's role needs ecr:GetAuthorizationToken on *: deploy the stack again, and look "
    "for a permissions boundary or a service control policy that denies it",
    "ThrottlingException": "too many callers share this quota; the schedule tries again",
    "ExpiredTokenException": "the Lambda's own credentials expired; invoke it again",
    "UnrecognizedClientException": "the region is not enabled for this account, or its credentials are wrong",
}


class Ecr:
    """ECR in every region it is asked for."""

    def __init__(
        self,
        new_client: "Callable[[str], ECRClient] | None" = None,
        *,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._new_client = new_client or _new_client
        self._transport = transport
        self._clients: dict[str, ECRClient] = {}
        self._creating = Lock()

    def side_by_side(self, call: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results of `call` in the order of the items: several calls at a time, since each waits for an answer."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [*pool.map(call, items)]

    def fetch_credential(self, region: str, *, now: datetime, must_outlive: timedelta) -> Credential:
        """A new token of `region`.

        Raises:
            RegistryError: ECR refuses, cannot be reached, or answers with something unusable.
        """
        try:
            response = self._client(region).get_authorization_token()
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            fix = _FIXES.get(code, "the schedule tries again")
            raise RegistryError(f"ECR in {region} gives no token: {code}: {message}. Fix: {fix}") from error
        except (BotoCoreError, OSError) as error:
            raise RegistryError(
                f"ECR in {region} cannot be reached: {error}. Fix: give the Lambda a route to the ECR API: NAT, or the "
                "VPC endpoint ecr.api"
            ) from error
        try:
            return credential.parse(response, region=region, now=now, must_outlive=must_outlive)
        except RegistryError as error:
            # The frames it comes from hold the answer, and that a token: none is left to a traceback with locals.
            del response
            raise error.with_traceback(None) from None

    def verify(self, host: str, token: Authorization) -> str | None:
        """Ask `https://<host>/v2/` whether it accepts the credential.

        Returns:
            None when it does; a warning when it cannot be asked, as the Lambda may have no route to it.

        Raises:
            RegistryError: It refuses the credential.
        """
        try:
            status = self._status(f"https://{host}/v2/", f"Basic {token.reveal()}")
        except (httpx2.HTTPError, OSError) as error:
            return f"{host} could not be asked whether it accepts the new token ({type(error).__name__}); it is used"
        if status in _REFUSED:
            raise RegistryError(
                f"{host} refuses the new token with {status}, so the earlier one stays. Fix: check that the registry "
                "exists, and that its policy and the VPC endpoint's policy allow the Lambda's role"
            )
        if status != HTTPStatus.OK:
            return f"{host} answered {status} when asked whether it accepts the new token; it is used"
        return None

    def _client(self, region: str) -> "ECRClient":
        # boto3 makes clients from one session, which threads must not do at a time:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
        with self._creating:
            if region not in self._clients:
                self._clients[region] = self._new_client(region)
            return self._clients[region]

    @cached_property
    def _trusted(self) -> SSLContext:
        """OpenSSL's default trust: to read it takes longer than a handshake."""
        return create_default_context()

    def _status(self, url: str, authorization: str) -> int:
        """The status of a GET. No redirect is followed, which would carry the token along."""
        with (
            httpx2.Client(
                verify=self._trusted,
                timeout=_VERIFY_SECONDS,
                follow_redirects=False,
                trust_env=False,
                transport=self._transport,
            ) as client,
            client.stream("GET", url, headers={"Authorization": authorization}) as response,
        ):
            return int(response.status_code)


def _new_client(region: str) -> "ECRClient":
    return boto3.client("ecr", region_name=region, config=_BOUNDED)
