"""What the environment may say, and what follows from a wrong value."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import external_file

from tallyspan.settings import SETTINGS, Settings, read_settings


def test_an_empty_environment_is_the_defaults() -> None:
    assert read_settings({}) == (Settings(resource={"service.name": "unknown_service"}), ())


def test_every_setting_whole() -> None:
    settings, complaints = read_settings(
        {
            "TALLYSPAN_SPOOL": " /var/books ",
            "TALLYSPAN_HOSTS": "LLM.example.com, localhost:8080,",
            "TALLYSPAN_STREAM_USAGE": "OFF",
            "TALLYSPAN_CLIENT_REQUEST_ID": "on",
            "TALLYSPAN_API_KEY_HINT": "on",
            "TALLYSPAN_BAGGAGE_KEYS": "tenant,user",
            "TALLYSPAN_ATTRIBUTES": "app=shop, team = a%2Cb ",
            "TALLYSPAN_SEMCONV": "both",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=prod",
            "TALLYSPAN_LATER": "whatever",
        }
    )
    assert complaints == ()
    assert settings == Settings(
        spool=Path("/var/books"),
        hosts=frozenset({"llm.example.com", "localhost:8080"}),
        stream_usage="off",
        client_request_id=True,
        api_key_hint=True,
        baggage_keys=("tenant", "user"),
        attributes={"app": "shop", "team": "a,b"},
        semconv="both",
        resource={"service.name": "shop", "deployment.environment.name": "prod"},
    )


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        ("TALLYSPAN_HOSTS", "https://llm.example.com/v1"),
        ("TALLYSPAN_STREAM_USAGE", "yes"),
        ("TALLYSPAN_CLIENT_REQUEST_ID", "1"),
        ("TALLYSPAN_API_KEY_HINT", "sometimes"),
        ("TALLYSPAN_BAGGAGE_KEYS", "tenant,gen_ai.request.model"),
        ("TALLYSPAN_ATTRIBUTES", "tenant"),
        ("TALLYSPAN_ATTRIBUTES", "tallyspan.anything=1"),
        ("TALLYSPAN_SEMCONV", "latest"),
    ],
)
def test_a_wrong_value_is_one_complaint_and_the_default(variable: str, wrong: str) -> None:
    settings, (complaint,) = read_settings({variable: wrong})
    assert settings == read_settings({})[0]
    assert str(complaint).startswith(f"tallyspan: {variable} is {wrong!r}; expected ")
    assert "; using " in str(complaint)


@given(st.dictionaries(st.sampled_from([row.variable for row in SETTINGS]), st.text(max_size=12)))
def test_no_environment_breaks_the_application(environment: dict[str, str]) -> None:
    settings, complaints = read_settings(environment)
    assert isinstance(settings, Settings)
    assert len(complaints) == len({complaint.variable for complaint in complaints})


def test_an_empty_value_is_unset() -> None:
    assert read_settings(dict.fromkeys((row.variable for row in SETTINGS), " ")) == read_settings({})


def test_every_setting_has_its_row() -> None:
    assert {row.path for row in SETTINGS} | {"resource"} == {field.name for field in fields(Settings)}


HEAD = """# Settings

Generated from `tallyspan.settings`; a test proves it current, and pytest's `--inline-snapshot=fix` writes it anew.

The plugin is set up by its environment, which is read once. A value that is not understood is one warning in the log,
and the default. An empty value is an unset one.

| variable | value | default | meaning |
| --- | --- | --- | --- |
"""


def test_the_page_of_settings_is_current() -> None:
    rows = [f"| `{row.variable}` | {row.expected} | {row.default} | {row.meaning} |\n" for row in SETTINGS]
    assert HEAD + "".join(rows) == external_file("../docs/settings.md", format=".txt")
