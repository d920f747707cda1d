"""Ends that may not be written where they happen.

`close()`, a generator's exit and a finalizer may run inside garbage collection, while the same thread holds a lock of
the OpenTelemetry SDK or of a logging handler: writing there can hang the process (measured). Such ends are put on a
queue, which takes no lock, and are written by the next call, by a thread, or when the process exits.
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

Step = Callable[[], None]

TICK_SECONDS = 60.0
"""How often the thread wakes with nothing to do: the interval of a writer's sign of life (DESIGN §4, marks)."""


class Closing:
    """
    The queue, its thread and its end.

    Args:
        run: Runs one step and catches what it raises.
        tick: Called at least once every `TICK_SECONDS` while the thread lives.
        at_exit: Called once at exit, after the queue is empty.
    """

    def __init__(self, run: Callable[[Step], None], tick: Step, at_exit: Step) -> None:
        self._run = run
        self._tick = tick
        self._at_exit = at_exit
        self._queue: SimpleQueue[Step | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._over = False

    def put(self, step: Step) -> None:
        """Leave a step for later. Takes no lock, raises nothing, and may be called from a finalizer."""
        self._queue.put(step)

    def drain(self) -> None:
        """Run what waits, here and now."""
        while not self._queue.empty():
            try:
                step = self._queue.get_nowait()
            except Empty:
                return
            if step is not None:
                self._run(step)

    def start(self) -> None:
        """Start the thread if it does not run; called where locks are harmless, before there can be an end to put."""
        if self._thread is not None or self._over:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tallyspan", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
                self._stop_with_worker()

    def stop(self) -> None:
        """Write what waits, then let the writer say its end. Idempotent."""
        if self._over:
            return
        self._over = True
        atexit.unregister(self.stop)
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            self._queue.put(None)
            thread.join(timeout=5.0)
        self.drain()
        self._run(self._at_exit)

    def forget(self) -> None:
        """Begin anew in a forked child: what waits belongs to the parent, and its thread is not here."""
        self._queue = SimpleQueue()
        self._starting = threading.Lock()
        if self._thread is not None:
            self._thread = None
            atexit.unregister(self.stop)

    def _stop_with_worker(self) -> None:
        """Be stopped where a process of `multiprocessing` ends: it leaves by `os._exit`, and `atexit` is not run."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.Finalize(None, self.stop, exitpriority=0)

    def _work(self) -> None:
        pid = os.getpid()
        while os.getpid() == pid:
            try:
                step = self._queue.get(timeout=TICK_SECONDS)
            except Empty:
                self._run(self._tick)
                continue
            if step is None:
                return
            self._run(step)
            self._run(self._tick)
