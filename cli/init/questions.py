"""What `frontdoor init` asks on a terminal: at most three questions, each of which an option answers beforehand."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, get_args

import typer
from pydantic import TypeAdapter

from cli.init.draft import Kind
from cli.options import valid
from cli.shortened import shortened
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.fields import HostName, RepositoryPattern

KINDS: tuple[Kind, ...] = get_args(Kind)
LIMIT = 3
"""How many questions may be asked."""
_LISTED = 20

Answer = TypeVar("Answer")


class Questions:
    """Asks on a terminal; elsewhere it names the option that is missing.

    Attributes:
        asked: The questions so far.
        assumed: What was not asked and could be chosen otherwise, one line each.
    """

    def __init__(self, *, is_interactive: bool) -> None:
        self._is_interactive = is_interactive
        self.asked: list[str] = []
        self.assumed: list[str] = []

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
        shown = shortened(names, _LISTED)
        self._need_terminal("cluster", f"--cluster, one of {shown}")

        def one_of(answer: str) -> str:
            if answer not in names:
                raise typer.BadParameter(f"{answer} is not one of {shown}")
            return answer

        return self._ask(f"The EKS cluster, one of {shown}", None, one_of)

    def repositories(self, groups: Mapping[str, int], problem: str | None) -> tuple[str, ...]:
        """What clients may pull. Nothing is proposed: what is open is open to every client, without a login.

        Args:
            groups: What the registry has, as patterns with the numbers of their repositories.
            problem: Why it is not known what the registry has; None where it is.

        Raises:
            SettingsError: There is no terminal.
        """
        found = [f"{pattern} ({count})" for pattern, count in groups.items()]
        shown = problem or shortened(found, _LISTED) or "nothing"
        option = f"--repository PATTERN once for each pattern, such as --repository 'team/*'; found: {shown}"
        self._need_terminal("what every client may pull without a login", option)
        question = f"What every client may pull without a login, as patterns such as team/*; found: {shown}"
        return self._ask(question, None, patterns_of)

    def kind(self, proposed: Kind) -> Kind:
        """How clients reach the proxy: asked on a terminal where a question is left, else the proposal."""
        if not self._is_interactive or len(self.asked) >= LIMIT:
            self.assumed.append(f"clients reach the registry by {proposed}. To choose otherwise, use --exposure")
            return proposed
        # A Gateway has a name, which its option says.
        kinds = [kind for kind in KINDS if kind != "gateway"]

        def one_of(answer: str) -> Kind:
            found = next((kind for kind in kinds if kind == answer), None)
            if not found:
                raise typer.BadParameter(f"{answer} is not one of {', '.join(kinds)}")
            return found

        question = (
            "How clients reach it: a load balancer of the stack (nlb), an Ingress controller (ingress), nginx with its "
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
    return valid(TypeAdapter(HostName), text)


def pattern_of(text: str) -> str:
    """The text, if it is a pattern of repository names.

    Raises:
        BadParameter: It is not.
    """
    return valid(TypeAdapter(RepositoryPattern), text)


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns in an answer, between commas or spaces.

    Raises:
        BadParameter: One is not valid, or there is none.
    """
    found = tuple(dict.fromkeys(map(pattern_of, text.replace(",", " ").split())))
    if not found:
        raise typer.BadParameter("name at least one pattern, such as team/*")
    return found
