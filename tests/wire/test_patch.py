"""Switching on and off: what is wrapped, what is put back, and what happens to calls that are under way."""

import importlib
import subprocess
import sys
from collections.abc import Iterator

import openai
import openai._base_client
import pytest
from tests.wire.bench import Bench
from tests.wire.guest import HTTP, KEY, Guest, Sdk, at_once

from tallyspan.demo import StandIn
from tallyspan.wire.patch import TARGETS, Patch

SEAMS = [target for target in TARGETS if target.module in sys.modules]


def methods() -> list[object]:
    return [vars(getattr(importlib.import_module(seam.module), seam.owner))[seam.method] for seam in SEAMS]


@pytest.fixture
def guest(api: StandIn) -> Iterator[Guest]:
    one = Guest(api, "on and off", is_async=False)
    yield one
    at_once(one.leave())


def chat(guest: Guest) -> Sdk:
    return guest.client.chat.completions.create(**guest.ask)


def stream(guest: Guest) -> Sdk:
    return guest.client.chat.completions.create(**guest.ask, stream=True)


def test_switching_off_puts_the_very_same_methods_back(api: StandIn) -> None:
    before = methods()
    patch = Patch()
    patch.install(Bench(api).recorder)
    assert all(now is not then for now, then in zip(methods(), before, strict=True))
    patch.uninstall()
    assert all(now is then for now, then in zip(methods(), before, strict=True))


def test_switching_on_twice_wraps_once(api: StandIn, guest: Guest) -> None:
    patch, first, second = Patch(), Bench(api), Bench(api)
    before = methods()
    patch.install(first.recorder)
    wrapped = methods()
    patch.install(second.recorder)
    assert methods() == wrapped
    chat(guest)
    patch.uninstall()
    patch.uninstall()
    assert methods() == before
    assert (len(first.written.records), len(second.written.records)) == (0, 1)


def test_switching_on_again_records_again(api: StandIn, guest: Guest) -> None:
    patch, bench = Patch(), Bench(api)
    for _ in range(3):
        patch.install(bench.recorder)
        chat(guest)
        patch.uninstall()
        chat(guest)
    assert len(bench.written.records) == 3


def test_where_a_rival_wrapped_after_us_our_layer_passes_through(
    api: StandIn, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner: Sdk = openai._base_client.SyncAPIClient  # noqa: SLF001
    patch, bench = Patch(), Bench(api)
    patch.install(bench.recorder)
    ours = owner.__dict__["request"]
    met: list[object] = []

    def rival(self: Sdk, *args: Sdk, **kwargs: Sdk) -> Sdk:
        met.append(self)
        return ours(self, *args, **kwargs)

    monkeypatch.setattr(owner, "request", rival)
    chat(guest)
    patch.uninstall()
    assert vars(owner)["request"] is rival
    assert chat(guest).choices
    assert len(met) == 2
    assert len(bench.written.records) == 1


def test_where_a_rival_came_first_one_call_is_one_call(api: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """It put its own `request` on a subclass, over the original that it had captured."""
    captured: Sdk = openai.OpenAI.request

    def rival(self: Sdk, *args: Sdk, **kwargs: Sdk) -> Sdk:
        return captured(self, *args, **kwargs)

    monkeypatch.setattr(openai.OpenAI, "request", rival)
    patch, bench = Patch(), Bench(api)
    patch.install(bench.recorder)
    guest = Guest(api, "rival first", is_async=False)
    chat(guest)
    list(stream(guest))
    patch.uninstall()
    at_once(guest.leave())
    assert openai.OpenAI.request is rival
    assert bench.faults == []
    assert [str(record.state) for record in bench.written.records] == ["measured"] * 2
    assert len(bench.written.starts) == len(bench.written.ends) == 2


def test_a_stream_that_is_open_when_we_leave_ends_in_peace(api: StandIn, guest: Guest) -> None:
    patch, bench = Patch(), Bench(api)
    whole = [chunk.choices for chunk in stream(guest)]
    patch.install(bench.recorder)
    opened = stream(guest)
    first = next(opened)
    patch.uninstall()
    assert [first.choices, *(chunk.choices for chunk in opened)] == whole
    bench.settle()
    assert bench.faults == []
    assert len(bench.written.records) <= 1


AFTERWARDS = """
import sys
from tallyspan.demo import StandIn
from tallyspan.wire.patch import TARGETS
from tests.wire.bench import Bench

assert not {"openai", "httpx", "httpx2"} & set(sys.modules)
with StandIn() as api, Bench(api) as bench:
    import openai
    with openai.OpenAI(api_key="sk-test-1234567890abcdef", base_url=api.base_url) as client:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])
    bench.settle()
    assert [str(record.state) for record in bench.written.records] == ["measured"], bench.faults
"""


def test_what_is_imported_later_is_wrapped_when_it_is() -> None:
    ran = subprocess.run([sys.executable, "-c", AFTERWARDS], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_traffic_of_others_is_left_alone(api: StandIn) -> None:
    """Another host, with another service on the same paths: not a word, and not a header more."""
    with StandIn() as other, Bench(api) as bench, HTTP.Client() as http:
        body = {"model": "llama", "messages": [{"role": "user", "content": "x"}]}
        for path in ("/v1/chat/completions", "/v1/embeddings"):
            http.post(f"http://{other.host}{path}", json=body, headers={"authorization": f"Bearer {KEY}"})
        http.get(f"http://{other.host}/v1/models")
        assert [row.client_request_id for row in other.ledger] == [None] * 3
    assert bench.written.starts == []
    assert bench.written.records == []


def test_another_provider_is_recorded_and_not_asked_for_anything(api: StandIn) -> None:
    """The SDK, pointed at a compatible server: its attempts are in the books, under no name of OpenAI's."""
    with StandIn() as other, Bench(api) as bench:
        guest = Guest(other, "elsewhere", is_async=False)
        chat(guest)
        list(stream(guest))
        at_once(guest.leave())
        assert [row.client_request_id for row in other.ledger] == [None] * 2
        assert not any(b"stream_options" in request.body for request in other.requests_seen)
    assert [record.provider for record in bench.written.records] == ["_other"] * 2
    assert [record.reason for record in bench.written.records] == [None, "stream_not_asked"]


def test_what_is_ended_for_good_is_not_ended_again_by_its_reader(api: StandIn, guest: Guest) -> None:
    """At exit, or when the plugin is switched off, nobody will see the end of an open stream."""
    with Bench(api) as bench:
        api.plan("hold:3")
        opened = stream(guest)
        next(opened)
        bench.recorder.close_open()
        bench.recorder.close_open()
        opened.close()
    assert bench.faults == []
    assert [str(record.reason) for record in bench.written.records] == ["unobserved"]
    assert len(bench.written.ends) == 1
    assert bench.recorder.open_attempts == set()
