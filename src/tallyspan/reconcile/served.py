"""Who served an attempt that the provider did not name a model for."""

from collections import defaultdict
from collections.abc import Sequence

from tallyspan.books.record import State, UsageLine, UsageRecord


class ServedModels:
    """Siblings of a call, and request models that one model alone served."""

    def __init__(self, records: Sequence[UsageRecord]) -> None:
        """Learn from all records of the books; their order does not matter."""
        self._siblings: dict[str, UsageRecord] = {}
        served: dict[str, set[str]] = defaultdict(set)
        for record in sorted(records, key=lambda one: (one.attempt, one.record_id), reverse=True):
            model = record.lines[0].model
            if record.state is State.MEASURED:
                self._siblings[record.call_id] = record
            if model is not None and record.request_model is not None:
                served[record.request_model].add(model)
        self._served = {asked: names.pop() for asked, names in served.items() if len(names) == 1}
        self._last = {record.call_id: 0 for record in records}
        for record in records:
            self._last[record.call_id] = max(self._last[record.call_id], record.attempt)

    def sibling(self, record: UsageRecord) -> UsageRecord | None:
        """Find a measured attempt of the same call: the same body, so the same input."""
        return self._siblings.get(record.call_id)

    def retried(self, record: UsageRecord) -> bool:
        """Whether the call went on with another attempt."""
        return record.attempt < self._last.get(record.call_id, 0)

    def model(self, record: UsageRecord, line: UsageLine) -> tuple[str, bool]:
        """Name the model that served, and say whether a provider's word is behind it."""
        if line.model is not None:
            return line.model, True
        sibling = self.sibling(record)
        if sibling is not None and sibling.lines[0].model is not None:
            return sibling.lines[0].model, True
        asked = record.request_model or ""
        return (self._served[asked], True) if asked in self._served else (asked, False)
