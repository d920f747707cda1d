"""What can be billed."""

import pytest

from tallyspan.usage.endpoints import ENDPOINTS, UNMETERED, endpoint_of, tabled_by_suffix


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.path)
def test_a_row_is_found_however_its_path_is_written(row: object) -> None:
    path = getattr(row, "path", "")
    for written in (path, path[1:], path + "/", path + "?beta=true"):
        assert endpoint_of("post", written) is row
    assert endpoint_of("GET", path) is None
    assert tabled_by_suffix("/v1" + path + "/") is row


@pytest.mark.parametrize("prefix", UNMETERED)
def test_what_costs_nothing_has_no_row(prefix: str) -> None:
    tabled = {row.path for row in ENDPOINTS}
    assert prefix in tabled or endpoint_of("POST", prefix) is None
    assert endpoint_of("POST", prefix + "/abc_123/x") is None
    assert endpoint_of("POST", prefix + "x") is not None


def test_an_unknown_post_has_a_row_without_sources() -> None:
    row = endpoint_of("POST", "/frobnicate/soon")
    assert row is not None
    assert (row.path, row.operation, row.sources) == ("/frobnicate/soon", "frobnicate.soon", ())


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/threads/thread_abc123/runs", "/threads/{id}/runs"),
        ("/x/0123456789", "/x/{id}"),
        ("/x/" + "a" * 25, "/x/{id}"),
        ("/x/v2", "/x/v2"),
        ("/audio/transcriptions", "/audio/transcriptions"),
    ],
)
def test_ids_in_a_path_do_not_make_names_many(path: str, shown: str) -> None:
    row = endpoint_of("POST", path)
    assert row is not None
    assert row.path == shown


def test_the_longest_row_wins_by_suffix() -> None:
    found = tabled_by_suffix("/openai/deployments/gpt-4o/chat/completions")
    assert found is not None
    assert found.path == "/chat/completions"
    assert tabled_by_suffix("/v1/models") is None
