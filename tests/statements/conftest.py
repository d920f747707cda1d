"""Exports of one ledger in every form that the stand-in of the API writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pytest

from tallyspan.demo import Clock, StandIn, Stranger, exports

MIDNIGHT = 1_795_305_600  # 2026-11-22T00:00:00Z
GROUPS = "project_id,user_id,api_key_id,model,batch,service_tier"


@dataclass(frozen=True)
class Written:
    """Files by name, and pages of the API as they came."""

    files: Mapping[str, bytes]
    usage_page: bytes
    cost_page: bytes


@pytest.fixture(scope="session")
def written() -> Iterator[Written]:
    clock = Clock()
    clock.hold(MIDNIGHT + 22 * 3600)
    with StandIn(seed=11, clock=clock, projects={"sk-one": "proj_one", "sk-two": "proj_two"}) as api:
        for number in range(12):
            stranger = Stranger(api.host, key=f"sk-{('one', 'two')[number % 2]}")
            stranger.chat(f"number {number}", model=("gpt-4o", "gpt-5-mini")[number % 3 % 2])
            clock.shift(900)
        clock.shift(86_400 * 3)
        chosen = exports.Selection(date(2026, 11, 22), date(2026, 11, 24))
        made = {
            f"{kind} {columns}": write(api.ledger, chosen, columns=columns)
            for kind, write, widths in (
                ("usage", exports.completions_usage, (26, 24)),
                ("cost", exports.cost, (17, 16, 9)),
            )
            for columns in widths
        }
        period = f"start_time={MIDNIGHT}&end_time={MIDNIGHT + 3 * 86_400}"
        admin = Stranger(api.host, key="sk-admin-1")
        usage = admin.get(f"/v1/organization/usage/completions?{period}&group_by={GROUPS}")
        costs = admin.get(f"/v1/organization/costs?{period}&group_by=project_id,user_id,api_key_id,line_item")
        assert (usage.status, costs.status) == (200, 200), (usage.body, costs.body)
        yield Written({name: export.text.encode() for name, export in made.items()}, usage.body, costs.body)
