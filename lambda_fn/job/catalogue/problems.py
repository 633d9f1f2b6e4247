"""What went wrong in a run, kind by kind, so that 5,000 repositories do not give 5,000 warnings. Pure."""

from dataclasses import dataclass, field

_MOST_KINDS = 20


@dataclass
class Problems:
    """The problems of one run."""

    _first: dict[str, str] = field(default_factory=dict)
    _count: dict[str, int] = field(default_factory=dict)

    def note(self, kind: str, example: str = "") -> None:
        """One more of this kind; the first example of a kind is kept."""
        self._first.setdefault(kind, example)
        self._count[kind] = self._count.get(kind, 0) + 1

    def texts(self) -> tuple[str, ...]:
        """One line for each kind."""
        kinds = list(self._count)
        shown = [self._text(kind) for kind in kinds[:_MOST_KINDS]]
        return (*shown, *([f"{len(kinds) - _MOST_KINDS} more kinds of problems"] if kinds[_MOST_KINDS:] else []))

    def _text(self, kind: str) -> str:
        count, example = self._count[kind], self._first[kind]
        where = f" ({example}{f' and {count - 1} more' if count > 1 else ''})" if example else ""
        return f"{kind}{where}"
