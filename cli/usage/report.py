"""What a tally comes to, for programs and for people. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.usage.distinct import Distinct
from cli.usage.layers import LayerClients
from cli.usage.tally import LISTED_CLIENTS, NameUse, RepositoryUse, Tally

SCHEMA = 1
"""Of the output of `--json`."""
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Source:
    """A log that was read.

    Attributes:
        name: A pod, a file, or a log group.
        begins_at: When the log begins, seconds since 1970; None for one without lines.
        note: Why it covers less than was asked for; empty if it does not.
    """

    name: str
    begins_at: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """What was asked for, and what the logs cover.

    Attributes:
        since: What was asked for, seconds since 1970.
        begins_at: From here on, no log that was read lacks lines; None where there are none.
        ends_at: When the logs were read, or where they end.
    """

    since: float
    begins_at: float | None
    ends_at: float | None


def document(tally: Tally, period: Period, sources: Sequence[Source]) -> Mapping[str, Any]:
    """The report as JSON's types. Instants are ISO 8601 in UTC."""
    found, layers = tally.repositories, tally.layer_clients
    without = layers.without_manifest()
    return {
        "schema": SCHEMA,
        "since": _instant(period.since),
        "covers": {"from": _instant(period.begins_at), "to": _instant(period.ends_at)},
        "sources": [{"name": s.name, "begins_at": _instant(s.begins_at), "note": s.note} for s in sources],
        **_sums(list(found.values())),
        "clients_without_manifest": layers.number,
        "clients_without_manifest_are_exact": layers.is_exact,
        "clients_without_manifest_have_others": layers.has_others,
        "repositories": [
            {
                "name": name,
                **_sums([found[name]]),
                "layers_without_manifest": [
                    {"client": client, "last_used_at": _instant(taken.last_at), "sent_bytes": taken.sent_bytes}
                    for client, taken in without.get(name, ())
                ],
                "tags": _names("tag", found[name].tags),
                "digests": _names("digest", found[name].digests),
            }
            for name in sorted(found)
        ],
        "skipped_records": dict(tally.skipped),
    }


def rows(tally: Tally) -> list[tuple[str, ...]]:
    """One row for each tag that is in use: repository, tag, pulls, checks, last use, last client, clients."""
    return [
        (name, tag, str(use.pulls), str(use.checks), _minute(use.last[0]), use.last[1], _count(use.clients))
        for name in sorted(tally.repositories)
        for tag, use in _latest_first(tally.repositories[name].tags)
    ]


def layer_rows(tally: Tally) -> list[tuple[str, ...]]:
    """One row for each client that took layers alone, the latest first: repository, client, bytes, last use."""
    found = (
        (taken, name, client)
        for name, clients in tally.layer_clients.without_manifest().items()
        for client, taken in clients
    )
    return [
        (name, client, size(taken.sent_bytes), _minute(taken.last_at))
        for taken, name, client in sorted(found, reverse=True)
    ]


def lines(tally: Tally, period: Period, sources: Sequence[Source]) -> list[str]:
    """The sums and the period, for people."""
    sums = _sums(list(tally.repositories.values()))
    asked = f"since {_minute(period.since)}, as asked"
    covered = asked if period.begins_at is None or period.begins_at <= period.since else _minute(period.begins_at)
    nothing = f"{tally.earlier:,} records are older, choose a longer --since" if tally.earlier else "no records"
    by_digest = sum(use.pulls for found in tally.repositories.values() for use in found.digests.values())
    share = 100 * sums["saved_bytes"] // sums["sent_bytes"] if sums["sent_bytes"] else 0
    sent, fetched, saved = (size(sums[f"{name}_bytes"]) for name in ("sent", "fetched", "saved"))
    noted = [f"  {source.name}: {source.note}" for source in sources if source.note]
    return [
        f"covers    {covered} to {_minute(period.ends_at)} UTC" if period.ends_at else f"covers    nothing: {nothing}",
        *noted,
        f"pulls     {sums['pulls']:,}, {by_digest:,} of them by digest; {sums['checks']:,} checks without a pull",
        f"clients   {sums['clients']:,}" if sums["clients_are_exact"] else f"clients   about {sums['clients']:,}",
        f"bytes     {sent} to clients, {fetched} from ECR and S3: {saved} saved ({share} %)",
        *_of_layer_clients(tally.layer_clients),
        *(f"skipped   {count:,} records: {_REASONS[reason]}" for reason, count in sorted(tally.skipped.items())),
    ]


def _of_layer_clients(found: LayerClients) -> Iterator[str]:
    about = "" if found.is_exact else "about "
    yield f"layers    clients that got layers of a repository and none of its manifests: {about}{found.number:,}"
    if found.number:
        yield from _OF_LAYER_CLIENTS
    if found.number and found.has_others:
        yield "  Too many clients got manifests to remember all: clients may be among these that got one. Use"
        yield "  --repository or a shorter --since for a list without them."


_OF_LAYER_CLIENTS = (
    "  They can have a digest from elsewhere: layers of a refused image are still served. But a pull that began before",
    "  these logs or by another address looks the same, and so does one that reads layers lazily or resumes. A client",
    "  that got any manifest of the repository is not among them, nor is one that shares an address with it.",
)


_REASONS = {
    "schema": "of another version of the proxy, with another schema",
    "incomplete": "cut off, or not of this proxy",
}


def size(number: int) -> str:
    """A number of bytes with its decimal unit."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - decimal units
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"


def _sums(found: Sequence[RepositoryUse]) -> dict[str, int]:
    """Of one repository or of all: what was fetched for one serves others, so saved bytes are not added up."""
    sent, fetched = sum(each.sent_bytes for each in found), sum(each.fetched_bytes for each in found)
    clients = Distinct.of_all(each.clients for each in found)
    return {
        "pulls": sum(each.pulls for each in found),
        "checks": sum(each.checks for each in found),
        "clients": clients.number,
        "clients_are_exact": clients.is_exact,
        "sent_bytes": sent,
        "fetched_bytes": fetched,
        "saved_bytes": max(0, sent - fetched),
    }


def _names(kind: str, names: Mapping[str, NameUse]) -> list[dict[str, Any]]:
    return [
        {
            kind: name,
            "pulls": use.pulls,
            "checks": use.checks,
            "last_used_at": _instant(use.last[0]),
            "last_client": use.last[1],
            "last_clients": [{"client": client, "used_at": _instant(at)} for client, at in _by_time(use.clients)],
        }
        for name, use in _latest_first(names)
    ]


def _latest_first(names: Mapping[str, NameUse]) -> list[tuple[str, NameUse]]:
    return sorted(names.items(), key=lambda item: -item[1].last[0])


def _by_time(clients: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(clients.items(), key=lambda item: -item[1])


def _count(clients: Mapping[str, float]) -> str:
    return f"{len(clients)}+" if len(clients) == LISTED_CLIENTS else str(len(clients))


def _instant(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _minute(at: float | None) -> str:
    return "never" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
