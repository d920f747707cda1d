"""Which lines together equal a sum that was charged, to the cent; and what they leave over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.money import CENT, times, total

STEPS = 200_000
"""How many branches the search may visit; seconds, not minutes, whatever the files hold."""
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
        combinations: Number of combinations of lines and prices that there are; `COUNTED` stands for more, too.
        by_chance: How many of them would fit if their sums were spread evenly; near 1 or more, a fit says nothing.
        complete: Whether all were looked at, directly or by bounds; if not, more may fit.
        matches: Combinations that equal the sum to the cent, those of the fewest lines first.
    """

    combinations: int
    by_chance: Decimal
    complete: bool
    matches: tuple[tuple[Choice, ...], ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """
    A sum that was charged, in US dollars, and what explains it.

    Attributes:
        same_days: Lines on the days of the first match that are not in it.
        other_days: Lines of other days; without a match all lines are here.
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
    matched = search.matches[0] if search.matches else ()
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
    """Look for combinations of one choice a line whose exact sum rounds to the sum that was charged."""
    ordered = sorted(tried, key=lambda found: -max(abs(choice.amount) for choice in found))
    scale = _scale([charged, CENT / 2, *(choice.amount for found in tried for choice in found)])
    amounts = [[int(times(scale, choice.amount)) for choice in found] for found in ordered]
    half = int(times(scale, CENT / 2))
    target = int(times(scale, charged))
    walk = _Walk(amounts, target - half, target + half)
    walk.run()
    matches = [tuple(ordered[line][price] for line, price in picked) for picked in walk.found]
    matches.sort(key=lambda match: (len(match), abs(sum_of(match) - charged)))
    combinations = 1
    for found in tried:
        combinations = min(COUNTED, combinations * (len(found) + 1))
    combinations -= combinations < COUNTED  # the empty combination is none
    reach = sum_of(max(found, key=lambda choice: abs(choice.amount)) for found in tried) or CENT
    by_chance = (Decimal(combinations) * CENT / abs(reach)).quantize(Decimal("0.001"))
    return Search(combinations, by_chance, walk.complete, tuple(matches))


def _scale(amounts: Iterable[Decimal]) -> Decimal:
    """The power of ten that makes whole numbers of all amounts."""
    exponents = [amount.as_tuple().exponent for amount in amounts]
    return Decimal(1).scaleb(max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))]))


class _Walk:
    """A depth-first walk over whole numbers that leaves a branch that can no longer reach the target."""

    def __init__(self, amounts: Sequence[Sequence[int]], low: int, high: int) -> None:
        self.found: list[tuple[tuple[int, int], ...]] = []
        self.complete = True
        self._amounts, self._low, self._high = amounts, low, high
        self._most, self._least = [0], [0]
        for prices in reversed(amounts):
            self._most.insert(0, self._most[0] + max(0, *prices))
            self._least.insert(0, self._least[0] + min(0, *prices))

    def run(self) -> None:
        """Look until the tree is searched or a bound is met."""
        branches: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, 0, ())]
        for _ in range(STEPS):
            if not branches or len(self.found) >= MATCHES:
                break
            line, reached, picked = branches.pop()
            # Half up: a sum of exactly half a cent less still rounds to the target, half a cent more does not.
            if reached + self._most[line] < self._low or reached + self._least[line] >= self._high:
                continue
            if line < len(self._amounts):
                branches.append((line + 1, reached, picked))
                branches.extend(
                    (line + 1, reached + amount, (*picked, (line, price)))
                    for price, amount in enumerate(self._amounts[line])
                )
            elif picked:
                self.found.append(picked)
        self.complete = not branches
