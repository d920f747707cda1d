"""One subject in a process of its own: `python -m benchmarks.worker SUBJECT`, a line in, a line of figures out."""

import gc
import json
import sys

from benchmarks.subjects import SUBJECTS, Sdk, Switch
from benchmarks.workload import Application

WORK = ("chat", "chunk")


def main(subject: str) -> None:
    """Measure a round for every line that comes: plain, subject, subject, plain."""
    sdk = Sdk()
    switch = Switch(lambda: SUBJECTS[subject](sdk))
    application = Application(sdk.flush)
    for on in (True, False, True, False):
        switch.turn(on=on)
        application.warm()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)  # noqa: T201 - the protocol
    for _ in sys.stdin:
        blocks = [_block(application, switch, on=on) for on in (False, True, True, False)]
        sums = {work: _sums([block[work] for block in blocks]) for work in WORK}
        print(json.dumps(sums), flush=True)  # noqa: T201 - as above


def _block(application: Application, switch: Switch, *, on: bool) -> dict[str, int]:
    switch.turn(on=on)
    application.warm()
    return {work: application.cost(work) for work in WORK}


def _sums(blocks: list[int]) -> tuple[int, int]:
    """Give what plain and subject cost, each over its two blocks."""
    first, second, third, fourth = blocks
    return first + fourth, second + third


if __name__ == "__main__":
    main(sys.argv[1])
