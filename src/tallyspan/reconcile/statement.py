"""What the provider says: a statement and its rows, free of file formats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class StatementKind(StrEnum):
    """What a statement counts."""

    USAGE = "usage"
    """Requests and tokens of model calls, without money."""
    COST = "cost"
    """Money and quantity by line item, without requests."""
    ACTIVITY = "activity"
    """The dashboard's older export: requests, tokens, images and characters by model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """
    One bucket of one grouping.

    Attributes:
        start: Start of the bucket, Unix seconds, inclusive.
        end: End of the bucket, Unix seconds, exclusive.
        model: As the provider writes it; None if the export is not grouped by model.
        line_item: The cost line as written (`gpt-4o-mini-2024-07-18, cached input`); None in usage, or ungrouped.
        counts: By measure name: `requests`, `input`, `input_cached`, `input_cache_write`, `output`, `output_text`, …
            `images`, `characters`, `seconds`. Names of tokens are the values of `tallyspan.books.quantities.Quantity`,
            and `input_uncached` with its parts `input_uncached_text`, `_audio`, `_image`: what was neither read from
            nor written to the cache, which exports count and answers do not. An absent name is a blank cell, not zero.
        amount: Money in `currency`; None where the kind or the cell has none.
        quantity: Billed quantity of a cost line in `quantity_unit`; None where the file has none.
        dimensions: Other grouping columns that had a value (`image_size`, `usage_type`, `api_key_redacted`, …).
        source: File (as the user named it) and line (or JSON path) of the row, for messages: `usage.csv:17`.
    """

    start: int
    end: int
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None
    api_source: str | None = None
    line_item: str | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    amount: Decimal | None = None
    currency: str | None = None
    quantity: Decimal | None = None
    quantity_unit: str | None = None
    dimensions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """
    One export, read whole.

    Attributes:
        subject: What is counted, in the words of the API's paths: `completions`, `embeddings`, `costs`, …, `activity`.
            Only statements of one subject say the same thing and can be merged.
        variant: The layout that was recognised, for people: `completions usage, 26 columns`.
        name: The file as the user named it.
        sha256: Of the file's bytes.
        start: Start of the covered period, Unix seconds, inclusive: the first bucket, empty ones included.
        end: End of the covered period, Unix seconds, exclusive.
        gaps: Stretches inside the period that no file covers; only several files merged into one have any.
        width: Bucket width in seconds; None if the file has no bucket.
        groupings: Names of the dimension columns that have a value in any row.
        rows: Rows with figures only; buckets without usage show in the period alone.
        pulled_at: When it was fetched, Unix seconds; None for a file of unknown age.
        notes: What the reader met and tolerated (unknown columns, floats for integers), a sentence each.
    """

    kind: StatementKind
    subject: str
    variant: str
    name: str
    sha256: str
    start: int
    end: int
    width: int | None
    groupings: frozenset[str]
    rows: tuple[StatementRow, ...]
    gaps: tuple[tuple[int, int], ...] = ()
    pulled_at: int | None = None
    notes: tuple[str, ...] = ()
