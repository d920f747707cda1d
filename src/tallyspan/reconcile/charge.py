"""Which lines together equal a sum that was charged, to the cent; and what they leave over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.money import CENT, times, total

STEPS = 200_000
"""How many branches the search may visit; seconds, not minutes, whatever the files hold."""
_CHANCE = Decimal("0.5")
COUNTED = 10**12
"""Up to here combinations are counted; more are as many as one likes."""
MATCHES = 20
"""How many combinations are kept; more than one already proves nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A line at one of its prices; `offer` is None where the export itself has the money."""

    line: BillLine
    amount: Decimal
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Search:
    """
    What was found.

    Attributes:
        lines: How many lines were tried.
        looked_at: Combinations of up to so many lines were all looked at, directly or by bounds.
        combinations: How many these are; `COUNTED` stands for more, too.
        by_chance: How many combinations of no more lines than the first match has would fit if sums were spread evenly.
        matches: Combinations that equal the sum to the cent, those of the fewest lines first.
    """

    lines: int
    looked_at: int
    combinations: int
    by_chance: Decimal
    matches: tuple[tuple[Choice, ...], ...]

    @property
    def complete(self) -> bool:
        """Whether no other combination can fit."""
        return self.looked_at == self.lines

    @property
    def tells(self) -> bool:
        """Whether the first match says anything: chance alone would hardly make it."""
        return bool(self.matches) and self.by_chance < _CHANCE


@dataclass(frozen=True, slots=True)
class Charge:
    """
    A sum that was charged, in US dollars, and what explains it.

    Attributes:
        same_days: Lines on the days of the first match that are not in it.
        other_days: Lines of other days; without a match that tells anything all lines are here.
        unpriced: Lines that no price is known for, so that they could not be tried.
    """

    charged: Decimal
    search: Search
    same_days: tuple[Choice, ...]
    other_days: tuple[Choice, ...]
    unpriced: tuple[BillLine, ...]


def choices(line: BillLine) -> tuple[Choice, ...]:
    """The prices at which a line can be tried; none if it has none in dollars or is for free."""
    if isinstance(line.offers, tuple):
        found = [Choice(line, offer.amount, offer) for offer in line.offers]
    else:
        found = [Choice(line, amount, None) for currency, amount in line.tally.amounts.items() if currency == "usd"]
    return tuple(choice for choice in found if choice.amount)


def explain(lines: Sequence[BillLine], charged: Decimal) -> Charge:
    """
    Try every combination of lines.

    Args:
        lines: They must not overlap: no two of them may stand for the same money.
        charged: In US dollars.
    """
    tried = [found for line in lines if (found := choices(line))]
    search = find(tried, charged)
    matched = search.matches[0] if search.tells else ()
    rest = [found[0] for found in tried if all(choice.line is not found[0].line for choice in matched)]
    near = [choice for choice in rest if any(_share_days(choice.line, hit.line) for hit in matched)]
    return Charge(
        charged,
        search,
        tuple(near),
        tuple(choice for choice in rest if choice not in near),
        tuple(line for line in lines if not isinstance(line.offers, tuple) and line.offers is not None),
    )


def sum_of(parts: Iterable[Choice]) -> Decimal:
    """What choices come to, exactly."""
    return total(choice.amount for choice in parts)


def _share_days(left: BillLine, right: BillLine) -> bool:
    return left.first <= right.last and right.first <= left.last


def find(tried: Sequence[Sequence[Choice]], charged: Decimal) -> Search:
    """
    Look for combinations of one choice a line whose exact sum rounds to the sum that was charged.

    Few lines first: the fewer there are, the less a fit is chance.
    """
    ordered = sorted(tried, key=lambda found: -max(abs(choice.amount) for choice in found))
    scale = _scale([charged, CENT / 2, *(choice.amount for found in tried for choice in found)])
    amounts = [[int(times(scale, choice.amount)) for choice in found] for found in ordered]
    half, target = int(times(scale, CENT / 2)), int(times(scale, charged))
    walk = _Walk(amounts, target - half, target + half)
    looked = 0
    while looked < len(ordered) and walk.run(looked + 1):
        looked += 1
    matches = [tuple(ordered[line][price] for line, price in picked) for picked in walk.found]
    matches.sort(key=lambda match: (len(match), abs(sum_of(match) - charged)))
    size = len(matches[0]) if matches else looked
    reach = abs(sum_of(max(found, key=lambda choice: abs(choice.amount)) for found in tried)) or CENT
    return Search(
        lines=len(tried),
        looked_at=looked,
        combinations=min(COUNTED, _count(tried, looked)),
        by_chance=min(COUNTED, _count(tried, size)) * CENT / reach,
        matches=tuple(matches),
    )


def _count(tried: Sequence[Sequence[Choice]], most: int) -> int:
    """How many combinations of at most so many lines there are."""
    if most >= len(tried):
        return prod(len(found) + 1 for found in tried) - 1
    sizes = [1]
    for found in tried:
        longer = [count * len(found) for count in sizes]
        sizes = [a + b for a, b in zip([*sizes, 0], [0, *longer], strict=True)][: most + 1]
    return sum(sizes) - 1


def _scale(amounts: Iterable[Decimal]) -> Decimal:
    """The power of ten that makes whole numbers of all amounts."""
    exponents = [amount.as_tuple().exponent for amount in amounts]
    return Decimal(1).scaleb(max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))]))


class _Walk:
    """A depth-first walk over whole numbers that leaves a branch that can no longer reach the target."""

    def __init__(self, amounts: Sequence[Sequence[int]], low: int, high: int) -> None:
        self.found: list[tuple[tuple[int, int], ...]] = []
        self._amounts, self._low, self._high = amounts, low, high
        self._steps = STEPS
        self._largest = [max(abs(amount) for amount in prices) for prices in amounts]

    def run(self, size: int) -> bool:
        """Find the combinations of so many lines; False if a bound was met before all were looked at."""
        branches: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, 0, ())]
        while branches and self._steps and len(self.found) < MATCHES:
            self._steps -= 1
            line, reached, picked = branches.pop()
            left = size - len(picked)
            if not left:
                # Half up: a sum of half a cent less still rounds to the target, half a cent more does not.
                if self._low <= reached < self._high:
                    self.found.append(picked)
            elif line + left <= len(self._amounts) and self._can_reach(reached, left * self._largest[line]):
                branches.append((line + 1, reached, picked))
                branches.extend(
                    (line + 1, reached + amount, (*picked, (line, price)))
                    for price, amount in enumerate(self._amounts[line])
                )
        return not branches

    def _can_reach(self, reached: int, most: int) -> bool:
        """Lines come largest first, so what is left moves a sum by no more than `most`."""
        return reached + most >= self._low and reached - most < self._high
