"""Requests to the Kubernetes API, with retries where they help, and an error with its fix where they do not."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ssl import SSLContext, SSLError
from typing import Protocol, TypeVar

import httpx2
from lightkube import ApiError, Client
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.objects import FIELD_MANAGER
from lambda_fn.edges import tls
from lambda_fn.job.api_error import Action, Grant, explain, refusal
from lambda_fn.job.connection import Connection
from lambda_fn.job.ports import DIAGNOSIS_SECONDS, Clock

Result = TypeVar("Result")

PATIENCE = timedelta(seconds=60)
"""How long a failure that may pass is tried again. AWS applies a fresh access entry within about a minute."""
BEARER_AGE = timedelta(minutes=10)
"""A bearer token older than this is replaced; EKS accepts one for 15 minutes."""
_LONGEST_PAUSE_SECONDS = 8.0
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PAUSE = wait_exponential_jitter(multiplier=0.5, max=_LONGEST_PAUSE_SECONDS, jitter=0.5)


class Access(Protocol):
    """The identity of the Lambda in the cluster."""

    def bearer(self) -> Authorization:
        """A new bearer token."""

    def explain_refusal(self) -> str:
        """Why the cluster may not know that identity, and the fix."""


class KubernetesSession:
    """One run's requests to one cluster. Close it afterwards."""

    def __init__(self, grant: Grant, connection: Connection, access: Access, clock: Clock) -> None:
        self._grant = grant
        self._connection = connection
        self._access = access
        self._clock = clock
        self._client: Client | None = None
        self._client_from = datetime.min.replace(tzinfo=UTC)
        self._denied_from: datetime | None = None

    def close(self) -> None:
        """Give the connections back."""
        if self._client:
            self._client.close()
        self._client = None

    def call(
        self,
        action: Action,
        request: Callable[[Client], Result],
        *,
        answers: Callable[[ApiError], bool] = lambda _: False,
        patient: bool = True,
    ) -> Result:
        """What `request` returns; tried again while its failure may pass and there is time.

        Refusals (401, 403) are tried again for a minute from the first one since a request last succeeded, since a
        fresh access entry takes that long; 409, 429, 5xx and broken connections for a minute each; nothing beyond the
        invocation's own time. What admission control refuses is not tried again: it stays refused.

        Args:
            action: The request in RBAC's words, for messages.
            request: Makes it.
            answers: Which errors the caller handles: they are answers here and raise nothing else.
            patient: False to try only once.

        Raises:
            ApiError: One of `answers`.
            ClusterError: Anything else; says which request and what would allow it.
        """
        started_at = self._clock.now()
        attempts = Retrying(
            retry=retry_if_exception(lambda e: _may_pass(e) and not (isinstance(e, ApiError) and answers(e))),
            wait=_pause_seconds,
            stop=lambda state: not patient or self._is_over(state, started_at),
            sleep=self._clock.sleep,
            before_sleep=self._prepare,
            reraise=True,
        )
        try:
            result = attempts(lambda: ask(request, self._current_client()))
        except httpx2.HTTPStatusError as error:
            if isinstance(error, ApiError) and answers(error):
                raise
            message = explain(self._grant, action, _status(error), _message_of(error), self._access.explain_refusal)
            raise ClusterError(message) from error
        except httpx2.HTTPError as error:
            if refused := tls.certificate_error(error):
                raise ClusterError(
                    f"the Kubernetes API at {self._connection.endpoint} shows a certificate that is not accepted "
                    f"({action}): {refused}. Fix: correct cluster.certificate_authority, or the name's DNS record"
                ) from error
            raise ClusterError(
                f"the Kubernetes API at {self._connection.endpoint} cannot be reached ({action}): "
                f"{type(error).__name__}: {error}. Fix: let the Lambda's address in at a public endpoint; for a "
                "private one set cluster.vpc_id, subnet_ids and security_group_id"
            ) from error
        self._denied_from = None
        return result

    def _current_client(self) -> Client:
        now = self._clock.now()
        if self._client is None or now - self._client_from > BEARER_AGE:
            self.close()
            self._client, self._client_from = self._new_client(), now
        return self._client

    def _new_client(self) -> Client:
        namespace = self._grant.namespace
        cluster = Cluster(
            server=self._connection.endpoint, certificate_auth_data=self._connection.certificate_authority
        )
        # Before lightkube reads the authority: it leaks a temporary file when that fails.
        transport = httpx2.HTTPTransport(verify=self._trust())
        user = User(token=self._access.bearer().reveal())
        return Client(
            SingleConfig("eks", Context(cluster="eks", user="lambda", namespace=namespace), cluster, user),
            field_manager=FIELD_MANAGER,
            timeout=httpx2.Timeout(10.0, connect=5.0),
            transport=transport,
        )

    def _trust(self) -> SSLContext:
        try:
            return tls.context_trusting(base64.b64decode(self._connection.certificate_authority).decode())
        except (SSLError, ValueError) as error:
            raise ClusterError(
                f"the cluster's certificate authority is not a PEM certificate in base64: {error}. Fix: correct "
                "cluster.certificate_authority, or leave it out together with cluster.endpoint to have EKS asked"
            ) from error

    def _is_over(self, state: RetryCallState, started_at: datetime) -> bool:
        pause = timedelta(seconds=state.upcoming_sleep)
        now = self._clock.now()
        if _status(_error(state)) in _DENIED:
            self._denied_from = self._denied_from or now
            started_at = self._denied_from
        left = timedelta(seconds=self._clock.remaining_seconds() - DIAGNOSIS_SECONDS)
        return now + pause > started_at + PATIENCE or pause > left

    def _prepare(self, state: RetryCallState) -> None:
        if _status(_error(state)) == HTTPStatus.UNAUTHORIZED:
            self.close()  # The next attempt brings a new bearer token.


def is_missing(error: ApiError) -> bool:
    """Whether the object does not exist."""
    return _status(error) == HTTPStatus.NOT_FOUND


def is_outdated(error: ApiError) -> bool:
    """Whether the object, or its version, is another one than the request was made for."""
    return _status(error) == HTTPStatus.CONFLICT and not conflicts(error)


def conflicts(error: ApiError) -> tuple[str, ...]:
    """The fields an apply would take from other managers, each with its manager; empty when that is not the error.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
    """
    causes = (error.status.details.causes if error.status.details else None) or []
    return tuple(f"{c.field} ({c.message})" for c in causes if c.reason == "FieldManagerConflict")


def ask(request: Callable[[Client], Result], client: Client) -> Result:
    """What `request` returns; the HTTP error is raised also where lightkube cannot read its body.

    lightkube expects that every error has a Content-Type and, if that is JSON, is a Status. An API server that crashes
    answers without; the HTTP error is then in the context of the error that lightkube raises.
    """
    try:
        return request(client)
    except (KeyError, ValueError) as error:
        cause: BaseException | None = error
        while cause and not isinstance(cause, httpx2.HTTPStatusError):
            cause = cause.__context__
        if cause is None:
            raise
        raise cause from None


def _message_of(error: httpx2.HTTPStatusError) -> str:
    """The server's message: that of a Status, or the body as it came."""
    return str(error) if isinstance(error, ApiError) else error.response.text or "nothing"


def _may_pass(error: BaseException) -> bool:
    status = _status(error)
    if not status:
        return isinstance(error, httpx2.TransportError) and not tls.certificate_error(error)
    if isinstance(error, ApiError) and refusal(status, str(error)):
        return False
    return status in _DENIED | {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS} or status >= 500  # noqa: PLR2004 - 5xx


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _status(error: BaseException | None) -> int:
    """The HTTP status of a failure, 0 when there was no answer."""
    return error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else 0


def _pause_seconds(state: RetryCallState) -> float:
    """Longer each time, with jitter; and at least what the server asks for in Retry-After.

    A header of any length is an answer: one that asks for more than there is time for ends the attempts.
    """
    error = _error(state)
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, httpx2.HTTPStatusError) else ""
    longest = 2 * PATIENCE.total_seconds()
    return max(_PAUSE(state), min(float(asked), longest) if asked.isdecimal() else 0)
