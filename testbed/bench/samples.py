"""Samples, and the statistics over them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of one contestant in one round.

    Attributes:
        measure: What was done, `coalescing` for example.
        case: Which one of its kind, `10 clients` for example.
        metric: The figure's name with its unit, `first_byte_last_seconds` for example.
    """

    contestant: str
    measure: str
    case: str
    metric: str
    round: int
    value: float


@dataclass(frozen=True, slots=True)
class Gap:
    """What a contestant could not do, and the observed reason."""

    contestant: str
    measure: str
    reason: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest of some figures."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one figure.

        Raises:
            ValueError: There is none.
        """
        if not values:
            raise ValueError("no figures: a spread needs at least one")
        return cls(median(values), min(values), max(values))


class Samples:
    """All samples, queried by contestant, measure, case and metric."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.all = tuple(samples)

    def values(self, contestant: str, measure: str, case: str, metric: str) -> dict[int, float]:
        """Round -> figure."""
        key = (contestant, measure, case, metric)
        return {s.round: s.value for s in self.all if (s.contestant, s.measure, s.case, s.metric) == key}

    def spread(self, contestant: str, measure: str, case: str, metric: str) -> Spread | None:
        """The spread of all rounds; None without a measurement."""
        values = list(self.values(contestant, measure, case, metric).values())
        return Spread.of(values) if values else None

    def ratio(self, contestants: tuple[str, str], measure: str, case: str, metric: str) -> Spread | None:
        """The first one's figure divided by the second's, round by round: a disturbance of a round affects both."""
        ours, theirs = (self.values(contestant, measure, case, metric) for contestant in contestants)
        ratios = [value / theirs[number] for number, value in ours.items() if theirs.get(number)]
        return Spread.of(ratios) if ratios else None

    def cases(self, measure: str, metric: str) -> list[str]:
        """The cases in the order of measurement."""
        return list(dict.fromkeys(s.case for s in self.all if (s.measure, s.metric) == (measure, metric)))
