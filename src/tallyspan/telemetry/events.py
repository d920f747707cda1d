"""The books as log events: the default road. The only module that touches the logs API, which is still marked private.

Only keyword arguments that the API has had since 1.38 are used.
"""

from collections.abc import Callable

from opentelemetry._logs import LoggerProvider, NoOpLoggerProvider, SeverityNumber, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.context import Context

from tallyspan.books.otlp_json import SCOPE
from tallyspan.books.record import Entry, UsageRecord
from tallyspan.books.rows import to_rows

NO_ROAD = (
    "tallyspan: records are lost: no OpenTelemetry logs provider is set up, and TALLYSPAN_SPOOL is not set. "
    "Run under opentelemetry-instrument, or call opentelemetry._logs.set_logger_provider, "
    "or set TALLYSPAN_SPOOL to a directory."
)


class Events:
    """
    Emits each entry as one log record a line.

    Args:
        provider: None for the global one, which may be set later.
        version: Ours, for the scope.
        context_of: The context of a call under way, by its id.
        warn: Called once, with the first entry, if there is nowhere to send it.
    """

    def __init__(
        self,
        provider: LoggerProvider | None,
        version: str,
        context_of: Callable[[str], Context | None],
        warn: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._logger = (provider or get_logger_provider()).get_logger(SCOPE, version)
        self._context_of = context_of
        self._warn = warn
        self._checked = False

    def write(self, entry: Entry) -> None:
        """Emit an entry; batching, sending and losing it are the business of the OpenTelemetry SDK."""
        if not self._checked:
            self._checked = True
            if isinstance(self._provider or get_logger_provider(), ProxyLoggerProvider | NoOpLoggerProvider):
                self._warn(NO_ROAD)
        item = entry.item
        context = self._context_of(item.call_id) if isinstance(item, UsageRecord) else None
        for row in to_rows(entry):
            self._logger.emit(
                timestamp=row.time_ns,
                context=context,
                severity_number=SeverityNumber.INFO,
                attributes=row.attributes,
                event_name=row.event_name,
            )
