"""The Usage and Costs API show the ledger: paged, grouped, filtered, and only when it has settled."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest

from tallyspan.demo import Clock, StandIn, Stranger, World
from tallyspan.demo.charges import charges
from tallyspan.demo.json_tree import items, mapping

MIDNIGHT = 1_795_305_600  # 2026-11-22T00:00:00Z
Results = list[Mapping[str, object]]


@pytest.fixture(scope="module")
def api() -> Iterator[StandIn]:
    clock = Clock()
    clock.hold(MIDNIGHT)
    with StandIn(seed=5, clock=clock) as running:
        for number in range(12):
            stranger = Stranger(running.host, key=f"sk-key-{number % 3}")
            stranger.chat(f"number {number}", model=("gpt-4o", "gpt-5-mini")[number % 2])
            stranger.post("/v1/embeddings", {"model": "text-embedding-3-small", "input": "a b"})
            clock.shift(3600)
        yield running


def page(api: StandIn, target: str) -> Mapping[str, object]:
    answer = Stranger(api.host, key="sk-admin-1").get(f"/v1/organization/{target}")
    assert answer.status == 200, answer.body
    return mapping(answer.json())


def results(page: Mapping[str, object]) -> Results:
    return [mapping(result) for bucket in items(page["data"]) for result in items(mapping(bucket)["results"])]


def total(found: Results, name: str) -> int:
    return sum(int(str(result[name])) for result in found)


@pytest.mark.parametrize("width", ["1m&limit=1440", "1h", "1d"])
def test_usage_adds_up_to_the_ledger_in_every_width(api: StandIn, width: str) -> None:
    found = results(page(api, f"usage/completions?start_time={MIDNIGHT}&bucket_width={width}"))
    rows = [row for row in api.ledger if row.report == "completions"]
    assert total(found, "num_model_requests") == len(rows)
    assert total(found, "input_tokens") == sum(row.input_tokens for row in rows)
    assert total(found, "output_tokens") == sum(row.output_tokens for row in rows)
    assert {result["model"] for result in found} == {None}


def test_pages_join_to_the_whole(api: StandIn) -> None:
    base = f"usage/completions?start_time={MIDNIGHT}&bucket_width=1h&limit=5&group_by[]=model"
    got = page(api, base)
    starts, found = [mapping(bucket)["start_time"] for bucket in items(got["data"])], results(got)
    while got["has_more"]:
        got = page(api, f"{base}&page={got['next_page']}")
        starts += [mapping(bucket)["start_time"] for bucket in items(got["data"])]
        found += results(got)
    assert starts == list(range(MIDNIGHT, MIDNIGHT + len(starts) * 3600, 3600))
    assert total(found, "num_model_requests") == 12
    assert got["next_page"] is None


def test_groups_and_filters_choose_rows(api: StandIn) -> None:
    keys = {row.api_key_id for row in api.ledger}
    grouped = results(page(api, f"usage/completions?start_time={MIDNIGHT}&group_by=api_key_id,model"))
    assert {result["api_key_id"] for result in grouped} == keys
    one = results(
        page(api, f"usage/completions?start_time={MIDNIGHT}&api_key_ids={min(keys)}&models=gpt-4o-2024-08-06")
    )
    wanted = [row for row in api.ledger if row.api_key_id == min(keys) and row.model_served == "gpt-4o-2024-08-06"]
    assert total(one, "num_model_requests") == len(wanted) > 0
    assert results(page(api, f"usage/completions?start_time={MIDNIGHT}&batch=true")) == []


def test_embeddings_have_a_page_of_their_own(api: StandIn) -> None:
    found = results(page(api, f"usage/embeddings?start_time={MIDNIGHT}&group_by=model"))
    assert [(result["model"], result["input_tokens"]) for result in found] == [("text-embedding-3-small", 24)]


def test_costs_are_exact_strings(api: StandIn) -> None:
    found = results(page(api, f"costs?start_time={MIDNIGHT}&group_by=line_item"))
    amounts = [mapping(result["amount"])["value"] for result in found]
    assert all(isinstance(amount, str) for amount in amounts)
    wanted = sum(charge.amount for row in api.ledger if row.billed for charge in charges(row))
    assert sum(Decimal(str(amount)) for amount in amounts) == wanted
    (alone,) = results(page(api, f"costs?start_time={MIDNIGHT}"))
    assert (alone["line_item"], alone["quantity"]) == (None, None)
    assert Decimal(str(mapping(alone["amount"])["value"])) == wanted


@pytest.mark.parametrize(
    ("target", "key", "status"),
    [
        ("costs?start_time=1", "sk-project-1", 401),
        ("costs?start_time=1&bucket_width=1h", "sk-admin-1", 400),
        ("usage/completions", "sk-admin-1", 400),
        ("usage/completions?start_time=1&limit=32", "sk-admin-1", 400),
        ("usage/completions?start_time=1&group_by=colour", "sk-admin-1", 400),
        ("usage/colours?start_time=1", "sk-admin-1", 404),
    ],
)
def test_wrong_questions_are_refused(api: StandIn, target: str, key: str, status: int) -> None:
    assert Stranger(api.host, key=key).get(f"/v1/organization/{target}").status == status


def test_usage_and_costs_show_only_when_they_have_settled() -> None:
    clock = Clock()
    clock.hold(MIDNIGHT)
    with StandIn(world=World(settle_seconds=60, cost_settle_seconds=120), clock=clock) as api:
        Stranger(api.host).chat("hello")
        shown: list[tuple[int, int]] = []
        for _ in range(3):
            usage = results(page(api, f"usage/completions?start_time={MIDNIGHT}"))
            costs = results(page(api, f"costs?start_time={MIDNIGHT}"))
            shown.append((len(usage), len(costs)))
            clock.shift(60)
    assert shown == [(0, 0), (1, 0), (1, 1)]


def test_the_real_sdk_reads_the_pages(api: StandIn) -> None:
    openai = pytest.importorskip("openai", minversion="3")
    with openai.OpenAI(base_url=api.base_url, api_key="sk-x", admin_api_key="sk-admin-1") as client:
        usage = client.admin.organization.usage.completions(start_time=MIDNIGHT, group_by=["model"])
        costs = client.admin.organization.usage.costs(start_time=MIDNIGHT, group_by=["line_item"])
    assert usage.data[0].results[0].model == "gpt-4o-2024-08-06"
    assert any(result.line_item == "gpt-4o-2024-08-06, output" for result in costs.data[0].results)
