"""Splits an allow-list of ECR repositories into statements that each fit into a policy of IAM. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from os.path import commonprefix

ROOM = 5_800
"""Characters for the resources of a statement that is alone in a managed policy, which holds 6,144:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
_REGION, _ACCOUNT = 3, 4
"""Fields of an ARN: arn:partition:service:region:account:resource."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Repositories about which one part decides.

    Attributes:
        within: The ARNs of all repositories of its account, of its region and of each beginning of names that it shares
            with others, from the widest to its own. Those of two places are equal, or have no repository in common.
        allowed: The ARNs of the allow-list in it.
    """

    within: tuple[str, ...]
    allowed: tuple[str, ...]


def chunks(arns: Sequence[str], room: int = ROOM) -> list[list[str]]:
    """The ARNs for statements that allow: in their order, each list with room for its JSON."""
    found: list[list[str]] = [[]]
    for arn in arns:
        if size([*found[-1], arn]) > room:
            found.append([])
        found[-1].append(arn)
    return found


def spared(arns: Iterable[str], room: int = ROOM) -> list[list[str]] | None:
    """The `NotResource` of each Deny statement, which together spare the ARNs and nothing else.

    Every statement counts, so one has to spare what another one decides about. It spares that as a whole, with one ARN
    for each other account, and in an account that it shares with others, for each other region or beginning of names.

    Args:
        arns: Of repositories; a `*` stands for any characters.
        room: Characters of the JSON of one list.

    Returns:
        None where more statements do not help: what one has to spare as a whole takes all the room.
    """
    unique = sorted(set(arns), key=lambda arn: (*_place(arn), arn))
    # Smaller places fill the parts better, and take more room in parts of the same account.
    ways = [_packed([*_accounts(unique, room // share)], room) for share in (2, 4, 8)]
    return min(filter(None, ways), key=len, default=None)


def _packed(places: Sequence[_Place], room: int) -> list[list[str]] | None:
    """The places in their order, as many in each part as fit."""
    parts: list[list[str]] = []
    first = 0
    while first < len(places):
        fitting = None
        for last in range(first + 1, len(places) + 1):
            part = _part(places, range(first, last))
            if size(part) > room:
                break
            fitting, following = part, last
        if fitting is None:
            return None
        parts.append(fitting)
        first = following
    return parts


def _part(places: Sequence[_Place], own: range) -> list[str]:
    """The allowed repositories of its own places, and the whole of all others, each by the widest ARN without them."""
    shared = {arn for number in own for arn in places[number].within}
    found: dict[str, None] = {}
    for number, place in enumerate(places):
        if number in own:
            found |= dict.fromkeys(place.allowed)
        else:
            # A pattern that is also the beginning of its siblings shares even its own ARN. That is all that it allows.
            found[next((arn for arn in place.within if arn not in shared), place.within[-1])] = None
    return [*found]


def _accounts(arns: Iterable[str], largest: int) -> Iterator[_Place]:
    for (account, region), found in groupby(arns, _place):
        of_region = tuple(found)
        partition = of_region[0].split(":")[1]
        within = (f"arn:{partition}:ecr:*:{account}:repository/*",)
        yield from _names(within, f"arn:{partition}:ecr:{region}:{account}:repository/", of_region, largest)


def _names(within: tuple[str, ...], start: str, arns: Sequence[str], largest: int) -> Iterator[_Place]:
    """Places by the beginning of the names: they share `start`."""
    within = (*within, f"{start}*")
    if size(arns) <= largest:
        yield _Place(within, tuple(arns))
        return
    start = commonprefix([arn.partition("*")[0] for arn in arns])  # noqa: RUF071 - of characters, not of folders
    for following, found in groupby(arns, lambda arn: arn[len(start) : len(start) + 1]):
        if following in ("", "*"):
            # A name that is the beginning of others, or a pattern of them: its whole is what it allows.
            yield from (_Place((*within, arn), (arn,)) for arn in found)
        else:
            yield from _names(within, start + following, tuple(found), largest)


def _place(arn: str) -> tuple[str, str]:
    fields = arn.split(":")
    return fields[_ACCOUNT], fields[_REGION]


def size(arns: Iterable[str]) -> int:
    """Characters in JSON: quotes and a comma each."""
    return sum(len(arn) + 3 for arn in arns)
