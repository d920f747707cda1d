"""The ledger has one row for every attempt, and bills it as its world says."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tallyspan.demo import Booking, Clock, Outcome, Share, StandIn, Stranger, World
from tallyspan.demo.faults import FAULTS, script_of
from tallyspan.demo.tokens import Usage

BROKEN = (OSError, http.client.HTTPException)
MIDNIGHT = 1_795_305_600  # 2026-11-22T00:00:00Z
WHOLE = Usage(input=10, output=9, reasoning=4)


def heard(stranger: Stranger, prompt: str, *, stream: bool) -> bool:
    """Tell whether a whole answer came."""
    try:
        stranger.chat(prompt, stream=stream)
    except BROKEN:
        return False
    return True


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"timeout", "hold"}))
@pytest.mark.parametrize("stream", [False, True])
def test_every_fault_leaves_exactly_one_row(api: StandIn, stranger: Stranger, name: str, *, stream: bool) -> None:
    script = f"{name}:1" if name in {"slow", "drip", "long"} else name
    api.plan(script)
    whole = heard(stranger, "one two three", stream=stream)
    (row,) = api.ledger
    breaks = {"drop", "drop-head", "drop-body", *(("cut", "reset") if stream else ())}
    assert whole is (name not in breaks)
    assert (row.fault, row.stream, api.plans_left) == (script_of(script).label, stream, 0)
    assert row.billed is (row.outcome in {Outcome.COMPLETE, Outcome.ABORTED, Outcome.UNANSWERED})


def test_a_list_of_scripts_goes_attempt_by_attempt(api: StandIn) -> None:
    for retry in (0, 1, 2, 3):
        headers = {"X-Stand-In-Fault": "429,500,ok", "x-stainless-retry-count": str(retry)}
        Stranger(api.host, headers=headers).chat("hello")
    assert [row.status for row in api.ledger] == [429, 500, 200, 200]
    assert [row.retry for row in api.ledger] == [0, 1, 2, 3]


def test_a_client_that_counts_no_retries_gets_the_list_too(api: StandIn, stranger: Stranger) -> None:
    for _ in range(4):
        stranger.chat("hello [[fault:500,ok]]")
    assert [row.status for row in api.ledger] == [500, 200, 500, 200]


def test_a_plan_waits_for_its_path(api: StandIn, stranger: Stranger) -> None:
    api.plan("500", path="/embeddings")
    stranger.chat("hello")
    assert api.plans_left == 1
    assert stranger.post("/v1/embeddings", {"model": "text-embedding-3-small", "input": "a"}).status == 500


def test_an_unknown_fault_is_refused_by_name(api: StandIn) -> None:
    with pytest.raises(ValueError, match="unknown fault 'mischief'"):
        api.plan("mischief")
    answer = Stranger(api.host, headers={"X-Stand-In-Fault": "mischief"}).chat("hello")
    assert (answer.status, b"mischief" in answer.body) == (400, True)


def test_truth_and_record_join_by_the_callers_own_request_id(api: StandIn) -> None:
    answer = Stranger(api.host, headers={"X-Client-Request-Id": "mine-1"}).chat("hello")
    (row,) = api.ledger
    assert (row.client_request_id, row.request_id) == ("mine-1", answer.headers["x-request-id"])


def test_what_was_sent_is_kept_without_the_key(api: StandIn, stranger: Stranger) -> None:
    stranger.chat("hello")
    (seen,) = api.requests_seen
    assert seen.path == "/v1/chat/completions"
    assert seen.body == b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "stream": false}'
    assert stranger.key not in repr(seen.headers)


def test_the_same_seed_tells_the_same_story() -> None:
    stories: list[list[object]] = []
    for seed in (1, 1, 2):
        clock = Clock()
        clock.hold(MIDNIGHT)
        with StandIn(seed=seed, clock=clock) as api:
            stranger = Stranger(api.host)
            bodies = [stranger.chat(f"number {i} [[fault:split]]", stream=True).body for i in range(5)]
            stories.append([bodies, api.ledger])
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


@pytest.mark.parametrize(
    ("world", "outcome", "billed"),
    [
        (World(), Outcome.ABORTED, WHOLE),
        (World(aborted=Share.SENT), Outcome.ABORTED, Usage(input=10, output=6, reasoning=4)),
        (World(aborted=Share.NONE), Outcome.ABORTED, None),
        (World(), Outcome.UNANSWERED, WHOLE),
        (World(unanswered_billed=False), Outcome.UNANSWERED, None),
        (World(), Outcome.SERVER_ERROR, None),
        (World(server_errors_billed=True), Outcome.SERVER_ERROR, WHOLE),
        (World(), Outcome.CLIENT_ERROR, None),
        (World(), Outcome.FREE, None),
        (World(aborted=Share.NONE, unanswered_billed=False), Outcome.COMPLETE, WHOLE),
    ],
)
def test_a_world_decides_what_is_billed(world: World, outcome: Outcome, billed: Usage | None) -> None:
    assert world.billed(outcome, WHOLE, sent=2) == billed


@pytest.mark.parametrize(("share", "tokens"), [(Share.WHOLE, 20), (Share.SENT, 2), (Share.NONE, 0)])
def test_a_stream_that_breaks_is_billed_as_the_world_says(share: Share, tokens: int) -> None:
    with StandIn(world=World(aborted=share)) as api:
        assert not heard(Stranger(api.host), "[[words:20]] [[fault:cut:3]]", stream=True)
        (row,) = api.ledger
    assert (row.outcome, row.output_tokens) == (Outcome.ABORTED, tokens)


@pytest.mark.parametrize(("billed", "tokens"), [(True, 20), (False, 0)])
def test_a_server_error_is_billed_as_the_world_says(*, billed: bool, tokens: int) -> None:
    with StandIn(world=World(server_errors_billed=billed)) as api:
        assert Stranger(api.host).chat("[[words:20]] [[fault:500]]").status == 500
        (row,) = api.ledger
    assert (row.billed, row.output_tokens) == (billed, tokens)


@pytest.mark.parametrize(("booking", "day"), [(Booking.START, MIDNIGHT - 86_400), (Booking.COMPLETION, MIDNIGHT)])
def test_a_call_over_midnight_is_booked_where_the_world_says(booking: Booking, day: int) -> None:
    clock = Clock()
    clock.hold(MIDNIGHT - 60)
    with StandIn(world=World(booking=booking), clock=clock) as api:
        Stranger(api.host).chat("hello [[fault:long:120]]")
        (row,) = api.ledger
    assert row.booked_ns // 10**9 // 86_400 * 86_400 == day


def line_to(api: StandIn) -> socket.socket:
    host, _, port = api.host.partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def raw_chat(prompt: str, stream: str) -> bytes:
    body = f'{{"model": "gpt-4o", "stream": {stream}, "messages": [{{"content": "{prompt}"}}]}}'
    head = ("POST /v1/chat/completions HTTP/1.1", "Authorization: Bearer sk-a", f"Content-Length: {len(body)}")
    return "\r\n".join((*head, "", body)).encode()


def test_a_held_stream_is_aborted_when_its_client_leaves(api: StandIn) -> None:
    with line_to(api) as line:
        line.sendall(raw_chat("[[words:9]] [[fault:hold:3]]", "true"))
        got = b""
        while got.count(b"data: ") < 3:
            got += line.recv(65_536)
    (row,) = api.ledger
    assert (row.outcome, row.billed) == (Outcome.ABORTED, True)


def test_a_client_that_leaves_before_a_slow_answer_had_none(api: StandIn) -> None:
    with line_to(api) as line:
        line.sendall(raw_chat("[[fault:slow:5000]]", "false"))
    assert api.wait_rows(1)
    (row,) = api.ledger
    assert (row.outcome, row.billed) == (Outcome.UNANSWERED, True)


def test_a_timeout_is_booked_before_the_client_gives_up(api: StandIn) -> None:
    with line_to(api) as line:
        line.sendall(raw_chat("[[fault:timeout]]", "false"))
        assert api.wait_rows(1)
        (row,) = api.ledger
    assert (row.outcome, row.status, row.billed) == (Outcome.UNANSWERED, 0, True)


def test_many_clients_at_once_lose_no_row(api: StandIn, stranger: Stranger) -> None:
    faults = ("ok", "drop", "cut:2", "reset:2", "split", "500")
    prompts = [f"[[fault:{faults[i % 6]}]] number {i}" for i in range(120)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(partial(heard, stranger, stream=True), prompts))
    assert len(api.ledger) == len(prompts)
    assert {row.number for row in api.ledger} == set(range(120))
    assert answers.count(False) == 60


def test_a_client_that_leaves_in_mid_request_does_no_harm(api: StandIn, stranger: Stranger) -> None:
    for sent in (b"", b"POST /v1/ch", b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"):
        with line_to(api) as line:
            line.sendall(sent)
    assert stranger.chat("still here").status == 200
    assert len(api.ledger) == 1


def test_no_key_a_bad_key_and_an_admin_key_are_refused(api: StandIn) -> None:
    assert [Stranger(api.host, key=key).chat("x").status for key in ("", "sk-bad-1", "sk-admin-1")] == [401] * 3
    assert [row.billed for row in api.ledger] == [False] * 3
