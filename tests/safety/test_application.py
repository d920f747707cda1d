"""What hits the application passes through us as it came: interrupts, a full stack, a logger or sink that raises."""

import inspect
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.safety.guest import Road
from tests.safety.house import House, Sdk
from tests.safety.proof import FAULTS, WORST, Proof, Try, Visit, different
from tests.safety.shapes import SHAPES

from tallyspan.demo import StandIn

SHAPE = {shape.name: shape for shape in SHAPES}


def read_two_then(raising: BaseException) -> Callable[[House], object]:
    def application(house: House) -> object:
        for number, _chunk in enumerate(house.openai.chat.completions.create(**house.ask, stream=True)):
            if number == 1:
                raise raising
        return None

    return application


@pytest.mark.parametrize("raising", [KeyboardInterrupt("now"), SystemExit(3), ZeroDivisionError("theirs")])
def test_what_the_application_raises_over_a_stream_is_its_own(proof: Proof, raising: BaseException) -> None:
    proof.house.is_async = False
    with proof.guest.at_work(stream_usage="auto"), pytest.raises(type(raising)) as caught:
        read_two_then(raising)(proof.house)
    assert caught.value is raising
    assert proof.guest.heard.lines == []
    assert proof.house.api.wait_idle()


@pytest.mark.parametrize("raising", [KeyboardInterrupt("now"), SystemExit(3)])
@pytest.mark.parametrize("stage", ["connection.connect_tcp.started", "http11.receive_response_headers.started"])
def test_an_interrupt_inside_the_transport_passes_through(proof: Proof, stage: str, raising: BaseException) -> None:
    def listen(name: str, _event: object) -> None:
        if name == stage:
            raise raising

    proof.house.is_async = False
    with proof.guest.at_work(), pytest.raises(type(raising)) as caught, Sdkless(proof.house) as http:
        http.post("/chat/completions", json=proof.house.ask, extensions={"trace": listen})
    assert caught.value is raising
    assert proof.guest.heard.lines == []


class Sdkless:
    """An http client with connections of its own, closed in the end."""

    def __init__(self, house: House) -> None:
        self._client: Sdk = type(house.plain)(base_url=house.api.base_url, headers={"authorization": "Bearer sk-test"})

    def __enter__(self) -> Sdk:
        return self._client

    def __exit__(self, *_caught: object) -> None:
        self._client.close()


class Raising(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise FAULTS[WORST]() from RuntimeError(record.getMessage())  # noqa: RSE102 - it makes the exception


@pytest.mark.parametrize("name", ["chat", "stream", "async chat", "async stream closed"])
@pytest.mark.parametrize("step", ["wire/seam.py:_answered", "telemetry/sink.py:Telemetry.attempt_ended"])
def test_a_log_that_raises_is_not_seen(proof: Proof, name: str, step: str) -> None:
    logger, handler = logging.getLogger("tallyspan"), Raising()
    shape = SHAPE[name]
    with proof.guest.at_work():
        logger.addHandler(handler)
        try:
            proof.guest.probes.arm(step)
            assert list(different(proof.alone(shape), proof.house.run(shape))) == []
            proof.guest.settle()
            assert proof.guest.probes.raised[step]
        finally:
            logger.removeHandler(handler)


@contextmanager
def deep(frames: int) -> Generator[None]:
    """Leave so many frames of the stack."""
    limit = sys.getrecursionlimit()
    depth = len(inspect.stack(0))
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def run_deep(house: House, frames: int) -> tuple[str, int]:
    """Call with so little of the stack left; give what came of it, and how many requests it made."""
    before = len(house.api.requests_seen)
    try:
        with deep(frames):
            answer: Any = house.openai.chat.completions.create(**house.ask)
        came = str(answer.choices[0].message.content)
    except Exception as error:  # noqa: BLE001 - it is compared
        came = type(error).__name__
    assert house.api.wait_idle()
    return came, len(house.api.requests_seen) - before


def test_a_full_stack_costs_no_further_request(proof: Proof) -> None:
    """We need some frames ourselves: what comes of a call is what came of it with a few frames less."""
    proof.house.is_async = False
    depths = range(20, 110, 3)
    run_deep(proof.house, 500)
    alone = {frames: run_deep(proof.house, frames) for frames in range(12, 110)}
    assert len({came for came, _ in alone.values()}) > 1
    with proof.guest.at_work():
        run_deep(proof.house, 500)
        for frames in depths:
            nearby = {alone[less] for less in range(frames - 8, frames + 1)}
            assert run_deep(proof.house, frames) in nearby, frames


SINK = "telemetry/sink.py:Telemetry."


@pytest.mark.parametrize("method", ["call_started", "attempt_started", "attempt_ended", "call_ended"])
@pytest.mark.parametrize("name", ["chat", "stream", "429", "async stream closed", "async cancelled"])
def test_a_sink_that_raises_is_not_seen(proof: Proof, name: str, method: str) -> None:
    visit = Visit(SHAPE[name], Road.SPOOL)
    assert proof.seen_of((visit, Try(SINK + method, fault)) for fault in FAULTS) == {}


APPLICATION = """
    import os, signal, sys
    import openai
    {switch}
    client = openai.OpenAI(api_key="sk-test-1234567890abcdef", base_url={url!r}, max_retries=2)
    ask = {{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "hi"}}], "stream": True}}
    {own}
    stream = client.chat.completions.create(**ask)
    for number, chunk in enumerate(stream):
        print(number, flush=True)
    print("the end")
"""
SWITCH = "from tallyspan.instrumentor import TallyspanInstrumentor; TallyspanInstrumentor().instrument()"
OWN_HANDLER = "signal.signal(signal.SIGTERM, lambda *_: (print('theirs', flush=True), os._exit(7)))"


@pytest.mark.parametrize(
    ("sent", "own"),
    [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGTERM, OWN_HANDLER)],
    ids=["int", "term", "own"],
)
def test_a_signal_in_mid_stream_ends_the_process_as_it_would(
    house: House, tmp_path: Path, sent: signal.Signals, own: str
) -> None:
    ends = [signalled(house.api, tmp_path, switch, sent, own) for switch in ("", SWITCH)]
    assert ends[0] == ends[1]
    assert ends[0][0] == (7 if own else -sent)


def signalled(api: StandIn, folder: Path, switch: str, sent: signal.Signals, own: str) -> tuple[int, list[str], str]:
    """Start an application, signal it over its third chunk, and give how it ended and what it said."""
    api.plan("hold:3")
    before = len(api.requests_seen)
    text = textwrap.dedent(APPLICATION).format(switch=switch, url=api.base_url, own=own)
    environment = {**os.environ, "TALLYSPAN_HOSTS": api.host, "TALLYSPAN_SPOOL": str(folder)}
    command = [sys.executable, "-W", "error", "-c", text]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        process.send_signal(sent)
        out, err = process.communicate(timeout=20)
    assert len(api.requests_seen) == before + 1
    return process.returncode, [*said, out], err.strip().splitlines()[-1] if err else ""


def test_warnings_as_errors_are_nothing_to_us(house: House, tmp_path: Path) -> None:
    text = textwrap.dedent(APPLICATION).format(switch=SWITCH, url=house.api.base_url, own="")
    environment = {**os.environ, "TALLYSPAN_HOSTS": house.api.host, "TALLYSPAN_SPOOL": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", text]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("the end\n")
