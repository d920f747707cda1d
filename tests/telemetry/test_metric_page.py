"""The page of metrics, from the tables."""

from inline_snapshot import external_file

from tallyspan.telemetry.counters import Counter
from tallyspan.telemetry.metrics import TIME_METRICS, TOKEN_METRICS

HEAD = """# Metrics

Generated from `tallyspan.telemetry`; a test proves it current, and pytest's `--inline-snapshot=fix` writes it anew.

Metrics are a dashboard and an upper bound, never proof: only records can be told apart from their copies.

## Ours

Monotonic counters, spend only; a label is left out where it is unknown.

| metric | unit | meaning | labels |
| --- | --- | --- | --- |
"""
CONVENTIONS = """
## The conventions'

Names by `TALLYSPAN_SEMCONV`; `both` gives the two together. In the coming counters a count that is unknown adds 0, as
the conventions ask; nothing else here does. Tokens are those of a record's line 0.

| metric | `TALLYSPAN_SEMCONV` | calls | meaning |
| --- | --- | --- | --- |
"""


def test_the_page_of_metrics_is_current() -> None:
    ours = [
        f"| `{spec.name}` | `{spec.unit}` | {spec.description} | "
        + ", ".join(f"`{name}`" for name in spec.attributes)
        + " |\n"
        for spec in (counter.value for counter in Counter)
    ]
    times = [
        f"| `{row.name}` | {row.names} | {row.calls.value} | Histogram, s. {row.description} |\n"
        for row in TIME_METRICS
    ]
    tokens = [
        f"| `{row.name}` | {row.names} | {row.calls.value} | {'Counter' if row.counter else 'Histogram'}, {{token}}."
        f" `{row.quantity}`{'' if row.label is None else f', labelled `{row.label[0]}={row.label[1]}`'}. |\n"
        for row in TOKEN_METRICS
    ]
    page = HEAD + "".join(ours) + CONVENTIONS + "".join(times + tokens)
    assert page == external_file("../../docs/metrics.md", format=".txt")
