"""What the books, as they were read, say of themselves."""

from dataclasses import dataclass

from tallyspan.books.gaps import Losses
from tallyspan.books.merge import Merged
from tallyspan.reconcile.aggregate import SECOND_NS
from tallyspan.reconcile.tally import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    The quality of the inputs.

    Attributes:
        unreadable: Places and complaints of lines that did not decode.
        incomplete: Records with lines missing, named.
        uncovered: Days that were asked for and that no statement covers, a sentence.
    """

    merged: Merged
    losses: Losses
    unreadable: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()

    def may_lack(self, day: int) -> bool:
        """Whether records of this day may have been written and are not counted: then absence proves nothing."""
        if self.unreadable or self.incomplete or self.merged.conflicts:
            return True
        start, end = day * SECOND_NS, (day + DAY) * SECOND_NS
        gaps = (*self.losses.gaps, *self.losses.beginnings)
        return any(gap.before_ns >= start and (gap.after_ns or 0) < end for gap in gaps) or any(
            start <= one.last_ns < end for one in self.losses.cut_off
        )
