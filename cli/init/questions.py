"""What `frontdoor init` asks on a terminal: at most three questions, each of which an option answers beforehand."""

from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

import typer
from pydantic import TypeAdapter, ValidationError

from cli.init.draft import Kind
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.fields import HostName

KINDS: tuple[Kind, ...] = get_args(Kind)
_LISTED = 20

Answer = TypeVar("Answer")


class Questions:
    """Asks on a terminal; elsewhere it names the option that is missing.

    Attributes:
        asked: The questions so far.
    """

    def __init__(self, *, is_interactive: bool) -> None:
        self._is_interactive = is_interactive
        self.asked: list[str] = []

    def domain(self, proposed: str | None) -> str:
        """The registry's host name.

        Raises:
            SettingsError: There is no terminal.
        """
        self._need_terminal("domain", "--domain, such as --domain registry.shrd.example.net")
        return self._ask("The host name of the registry", proposed, domain_of)

    def cluster(self, names: Sequence[str]) -> str:
        """One of several clusters.

        Raises:
            SettingsError: There is no terminal.
        """
        shown = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
        self._need_terminal("cluster", f"--cluster, one of {shown}")

        def one_of(answer: str) -> str:
            if answer not in names:
                raise typer.BadParameter(f"{answer} is not one of {shown}")
            return answer

        return self._ask(f"The EKS cluster, one of {shown}", None, one_of)

    def kind(self, proposed: Kind) -> Kind:
        """How clients reach the proxy: asked on a terminal, else the proposal."""
        if not self._is_interactive:
            return proposed
        # A Gateway has a name, which its option says.
        kinds = [kind for kind in KINDS if kind != "gateway"]

        def one_of(answer: str) -> Kind:
            found = next((kind for kind in kinds if kind == answer), None)
            if not found:
                raise typer.BadParameter(f"{answer} is not one of {', '.join(kinds)}")
            return found

        question = (
            "How clients reach it: an Ingress controller (ingress), a load balancer of the stack (nlb), nginx with its "
            "own certificate (pod), or something of yours before a plain Service (service)"
        )
        return self._ask(question, proposed, one_of)

    def _need_terminal(self, key: str, option: str) -> None:
        if not self._is_interactive:
            raise SettingsError(f"{key} is not known, and there is no terminal to ask on. Fix: add {option}")

    def _ask(self, question: str, proposed: str | None, parse: Callable[[str], Answer]) -> Answer:
        self.asked.append(question)
        answer: Answer = typer.prompt(question, default=proposed, value_proc=parse, err=True)
        return answer


def domain_of(text: str) -> str:
    """The text, if it is a host name.

    Raises:
        BadParameter: It is not.
    """
    try:
        return TypeAdapter(HostName).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{text}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
