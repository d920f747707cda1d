"""What is known of a streamed body while the application reads it.

Two orders matter. The byte generator closes the response itself at its end: a `close()` while a chunk is being pulled
is therefore not the application's. And held bytes are delivered before an error or an end is.
"""

from __future__ import annotations

from tallyspan.usage.ending import Ending
from tallyspan.usage.scan import Scan, Seen
from tallyspan.usage.sse import LONGEST_SPLIT, split_events
from tallyspan.wire.attempt import Attempt
from tallyspan.wire.http import Response

KEY = "tallyspan.watch"


class Watch:
    """
    What is known of one body.

    Attributes:
        encoded: The bytes on the wire are compressed: they are watched after they were decoded.
        pulling: A chunk is being waited for.
    """

    __slots__ = ("_attempt", "_base", "_decoding", "_guard", "_held", "_hides", "_scan", "encoded", "pulling")

    def __init__(self, attempt: Attempt, scan: Scan, base: type[Response], *, encoded: bool) -> None:
        self._attempt = attempt
        self._scan: Scan | None = scan
        self._base = base
        self._guard = attempt.call.recorder.guard
        self._hides = attempt.call.hides_usage
        self._held = b""
        self._decoding = False
        self.encoded = encoded
        self.pulling = False

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return what passes on. If reading fails, all that is held passes on, and all that follows."""
        scan = self._scan
        if scan is None:
            return chunk
        data = self._held + chunk if self._held else chunk
        try:
            if self._held and not split_events(self._held[-LONGEST_SPLIT:] + chunk)[0]:
                self._held = data  # a long event goes on: what came before is not searched again
                return b"" if self._hides else chunk
            passed, self._held = scan.scan(data)
            finished = scan.finished
        except Exception as error:  # noqa: BLE001 - the edge
            self._guard.failed("reading a stream", error)
            self._give_up()
            self._held = b""  # all of it goes out now, and not once more at the end
            return data if self._hides else chunk
        if self._attempt.first_chunk_ns is None:
            self._guard.run("timing a stream", self._first)
        if finished:
            self._guard.run("ending a stream", self._end, Ending.COMPLETE)
            passed, self._held = passed + self._held, b""
        return passed if self._hides else chunk

    def over(self, response: Response) -> bytes:
        """Take the end of the body; return what was held back."""
        self._guard.run("ending a stream", self._end, Ending.COMPLETE)
        self._guard.run("ending a stream", self._release, response)
        return self._let_go()

    def broke(self, error: BaseException) -> bytes:
        """
        Take an error in mid-body; return what was held back.

        Nothing where the reader is cancelled or interrupted: one more chunk would put that off.
        """
        self._guard.run("ending a stream", self._end, Ending.DROPPED, error)
        return self._let_go() if isinstance(error, Exception) else b""

    def left(self, response: Response | None = None) -> None:
        """Take the application's leaving. May run in a finalizer: nothing is written here."""
        self._guard.run("leaving a stream", self._leave)
        if response is not None:
            self._guard.run("leaving a stream", self._release, response)

    def follows(self, *, decoded: bool) -> bool | None:
        """Tell whether bytes of this level are to be followed: those on the wire, or the decoded ones."""
        return self._guard.run("reading a stream", self._level, decoded=decoded)

    def _level(self, *, decoded: bool) -> bool:
        if decoded:
            self._decoding = self.encoded
            return self.encoded
        return not self._decoding

    def _let_go(self) -> bytes:
        held, self._held = self._held, b""
        return held if self._hides else b""

    def _give_up(self) -> None:
        """Pass everything through from here on; the attempt ends as unreadable."""
        self._scan = None
        unreadable = Seen(empty=False, unreadable=True)
        self._guard.run("ending a stream", self._attempt.finish, Ending.COMPLETE, unreadable)

    def _leave(self) -> None:
        attempt, scan = self._attempt, self._scan
        self._scan = None
        if attempt.is_open and scan is not None:
            recorder = attempt.call.recorder
            at = recorder.clock_ns()
            recorder.closing.put(lambda: attempt.finish(Ending.CLOSED_EARLY, scan.seen(), None, at))

    def _first(self) -> None:
        call = self._attempt.call
        self._attempt.first_chunk_ns = call.recorder.clock_ns()
        if call.first_chunk_ns is None:
            call.first_chunk_ns = self._attempt.first_chunk_ns

    def _end(self, ending: Ending, error: BaseException | None = None) -> None:
        """End now, with what was seen."""
        scan, self._scan = self._scan, None
        if scan is None or not self._attempt.is_open:
            return
        seen = Seen(empty=False, unreadable=True) if self.encoded and not self._decoding else scan.seen()
        if error is None:
            self._attempt.finish(ending, seen)
        else:
            self._attempt.failed(error, seen)

    def _release(self, response: Response) -> None:
        """Give the response its own class back."""
        if response.extensions.pop(KEY, None) is not None:
            response.__class__ = self._base
